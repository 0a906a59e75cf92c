"""One raw mail to what was said: `read_mail`. Pure, and linear in the mail's bytes.

It raises `NotUnderstood` for what is no mail, and for bombs; whatever else it raises is a fault of ours, which its
caller keeps with the bytes.
"""

from dataclasses import dataclass
from hashlib import sha256

from pointsman.core.ids import digest_of
from pointsman_intake.mail.automatic import automatic
from pointsman_intake.mail.bodies import Bodies, read_bodies
from pointsman_intake.mail.headers import (
    addresses_of,
    date_of,
    mailboxes_of,
    message_ids_of,
    raw_header,
    text_of_header,
)
from pointsman_intake.mail.mime import MimePart, parse
from pointsman_intake.mail.quotes import is_forward, new_part
from pointsman_intake.mail.reports import read_report
from pointsman_intake.model import Person
from pointsman_intake.parsed import ParsedMessage

SUBJECT_LENGTH_MAX = 998
REFERENCES_MAX = 50
RULE_HEADERS_MAX = 40
RULE_HEADER_LENGTH_MAX = 500

_NOT_FOR_RULES = (
    "received", "dkim-", "arc-", "authentication-", "x-ms-exchange", "x-google-", "x-microsoft-", "domainkey",
    "x-received", "subject", "date", "mime-version", "content-", "message-id", "references", "in-reply-to",
)  # fmt: skip


def read_mail(raw: bytes, own_addresses: tuple[str, ...] = (), form_senders: tuple[str, ...] = ()) -> ParsedMessage:
    """What the mail says. `own_addresses` are the mailbox's; `form_senders` write for others, who are in the Reply-To.

    Raises `NotUnderstood` for what is no mail, or a bomb.
    """
    message, left = parse(raw)
    bodies = read_bodies(message)
    ids = list(message_ids_of(message, "message-id"))[:1]
    replied = list(message_ids_of(message, "in-reply-to"))
    references = list(message_ids_of(message, "references"))[-REFERENCES_MAX:]
    subject = text_of_header(raw_header(message, "subject"))[:SUBJECT_LENGTH_MAX]
    written = _written(message, own_addresses, form_senders)
    sender = written.name, written.address
    digest = _digest(subject, sender[1], bodies)
    own = ids[0] if ids else _made_id(digest, raw_header(message, "date"))
    verdict = automatic(message)
    return ParsedMessage(
        external_id=f"{own[:480]}#{digest[:12]}",
        thread=(references or replied or [own])[0],
        person=Person(email=sender[1] or None, name=sender[0] or None),
        text=bodies.text,
        subject=subject or None,
        html=bodies.html,
        reply_text=new_part(bodies.text, forwarded=is_forward(subject)),
        occurred_at=date_of(message),
        to=tuple(dict.fromkeys(address for _, address in addresses_of(message, "to"))),
        cc=tuple(dict.fromkeys(address for _, address in addresses_of(message, "cc"))),
        files=bodies.files,
        truncated=bodies.truncated or left,
        headers=_for_rules(message),
        automatic=verdict.automatic or ("notification" if written.loops else None),
        unanswerable=verdict.unanswerable or written.loops,
        bounced=read_report(message) if verdict.reports else None,
        reference=own,
        unnamed=not ids,
        cites=tuple(dict.fromkeys([*replied, *reversed(references)])),
    )


def _digest(subject: str, sender: str, bodies: Bodies) -> str:
    """What tells a repeat from another mail under the same id: all that was said and attached, whatever it travelled
    as."""
    content = b"".join(sha256(part).digest() for part in bodies.said)
    content += b"".join(sha256(file.content or b"").digest() for file in bodies.files)
    return digest_of(f"{subject}\x1f{sender}\x1f".encode() + content)


def _made_id(digest: str, date: str) -> str:
    """What stands for the Message-ID of a mail that has none."""
    return f"{digest_of((digest + date.strip()).encode('utf-8', 'surrogateescape'))}@no-message-id"


@dataclass(frozen=True, slots=True)
class _Written:
    """Who wrote it. `loops`: it is mail of ours that came back."""

    name: str = ""
    address: str = ""
    loops: bool = False


def _written(message: MimePart, own_addresses: tuple[str, ...], form_senders: tuple[str, ...]) -> _Written:
    """Who wrote the mail: the address in angles of From, or of Sender; of a form, its Reply-To.

    A mail from the mailbox itself is looked at for a loop first: it answers something, or a program sent it. Otherwise
    a form of ours wrote it.
    """
    own = {address.lower() for address in own_addresses}
    senders = mailboxes_of(message, "from") or mailboxes_of(message, "sender")
    if not senders:
        return _Written()
    sender = next((one for one in senders if one.in_angles), senders[0])
    of_form = _listed(sender.address, form_senders)
    if sender.address in own and not of_form and _came_back(message):
        return _Written(sender.name, sender.address, loops=True)
    if of_form or sender.address in own:
        others = [one for one in mailboxes_of(message, "reply-to") if one.address not in own]
        sender = next((one for one in others if not _listed(one.address, form_senders)), sender)
    return _Written(sender.name, sender.address)


def _listed(address: str, listed: tuple[str, ...]) -> bool:
    """Whether an address is one of these, or of one of these domains (`@example.com`)."""
    return any(one.lower() in (address, f"@{address.rpartition('@')[2]}") for one in listed)


def _came_back(message: MimePart) -> bool:
    """Whether a mail from ourselves bears the mark of an answer or of a program."""
    return any(
        raw_header(message, name).strip().lower() not in ("", "no")
        for name in ("auto-submitted", "x-loop", "x-auto-response-suppress", "in-reply-to", "references")
    )


def _for_rules(message: MimePart) -> dict[str, str]:
    """The headers that a workspace's rules may look at."""
    kept: dict[str, str] = {}
    for name in dict.fromkeys(name for name, _ in message.raw_items()):
        lower = name.lower()
        if lower in kept or lower.startswith(_NOT_FOR_RULES) or not lower.isascii() or len(lower) > 100:
            continue
        kept[lower] = text_of_header(raw_header(message, lower)[: 4 * RULE_HEADER_LENGTH_MAX])[:RULE_HEADER_LENGTH_MAX]
        if len(kept) >= RULE_HEADERS_MAX:
            break
    return kept


__all__ = ["Bodies", "read_mail"]
