"""One raw mail to what was said: `read_mail`. Pure and total: it raises only `NotUnderstood`.

Limits come first (size of the headers, number and depth of parts), then the stdlib parser with its compat32 policy,
whose values stay raw until our own bounded decoding looks at them.
"""

import re
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from pointsman.core.ids import digest_of
from pointsman_intake.mail.automatic import automatic
from pointsman_intake.mail.bodies import Bodies, read_bodies
from pointsman_intake.mail.headers import (
    addresses_of,
    date_of,
    message_ids_of,
    raw_header,
    text_of_header,
)
from pointsman_intake.mail.quotes import new_part
from pointsman_intake.model import Person
from pointsman_intake.said import NotUnderstood, Said

HEADER_BYTES_MAX = 2_097_152
SUBJECT_LENGTH_MAX = 998
REFERENCES_MAX = 50
MULTIPARTS_MAX = 100
"""The parser's time grows with the square of the depth; mail that people write has a handful of such parts."""
RULE_HEADERS_MAX = 40
RULE_HEADER_LENGTH_MAX = 500

_NOT_FOR_RULES = (
    "received", "dkim-", "arc-", "authentication-", "x-ms-exchange", "x-google-", "x-microsoft-", "domainkey",
    "x-received", "subject", "date", "mime-version", "content-", "message-id", "references", "in-reply-to",
)  # fmt: skip

_MULTIPART = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)


def read_mail(raw: bytes, own_addresses: tuple[str, ...] = ()) -> Said:
    """What the mail says. `own_addresses` are the mailbox's: a mail from itself is of its Reply-To (a web form).

    Raises `NotUnderstood` for what is no mail, or a bomb.
    """
    message = _parse(raw)
    try:
        bodies = read_bodies(message)
    except RecursionError as error:
        raise NotUnderstood("nested-too-deep", "its parts are nested too deep") from error
    ids = list(message_ids_of(message, "message-id"))[:1]
    replied = list(message_ids_of(message, "in-reply-to"))
    references = list(message_ids_of(message, "references"))[-REFERENCES_MAX:]
    subject = text_of_header(raw_header(message, "subject"))[:SUBJECT_LENGTH_MAX]
    sender = _sender(message, own_addresses)
    digest = digest_of(
        "\x1f".join([subject, sender[1], bodies.text, bodies.html or ""]).encode("utf-8", "replace")
        + b"".join(digest_of(file.content or b"").encode() for file in bodies.files)
    )
    own = ids[0] if ids else f"{digest}@no-message-id"
    marked = automatic(message)
    return Said(
        external_id=f"{own[:480]}#{digest[:12]}",
        thread=(references or replied or [own])[0],
        person=Person(email=sender[1] or None, name=sender[0] or None),
        text=bodies.text,
        subject=subject or None,
        html=bodies.html,
        reply_text=new_part(bodies.text),
        occurred_at=date_of(message),
        to=tuple(dict.fromkeys(address for _, address in addresses_of(message, "to"))),
        cc=tuple(dict.fromkeys(address for _, address in addresses_of(message, "cc"))),
        files=bodies.files,
        headers=_for_rules(message),
        automatic=marked.kind if marked else None,
        reference=own,
        cites=tuple(dict.fromkeys([*replied, *reversed(references)])),
    )


def _parse(raw: bytes) -> Message:
    head = raw[: HEADER_BYTES_MAX + 4].replace(b"\r\n", b"\n")
    if b"\n\n" not in head and len(raw) > HEADER_BYTES_MAX:
        raise NotUnderstood("headers-too-large", f"its headers take more than {HEADER_BYTES_MAX} bytes")
    if len(_MULTIPART.findall(raw)) > MULTIPARTS_MAX:
        raise NotUnderstood("nested-too-deep", f"it has more than {MULTIPARTS_MAX} parts of parts")
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
    except RecursionError as error:
        raise NotUnderstood("nested-too-deep", "its parts are nested too deep") from error
    except (MessageError, ValueError, LookupError, AssertionError, IndexError, TypeError) as error:
        raise NotUnderstood("not-a-mail", f"it cannot be parsed: {error}") from error
    if not message.keys():
        raise NotUnderstood("not-a-mail", "it has no headers")
    return message


def _sender(message: Message, own_addresses: tuple[str, ...]) -> tuple[str, str]:
    """(name, address) of who wrote it."""
    own = {address.lower() for address in own_addresses}
    senders = addresses_of(message, "from") or addresses_of(message, "sender")
    if senders and senders[0][1] in own:
        senders = [one for one in addresses_of(message, "reply-to") if one[1] not in own] or senders
    return senders[0] if senders else ("", "")


def _for_rules(message: Message) -> dict[str, str]:
    """The headers that a workspace's rules may look at."""
    kept: dict[str, str] = {}
    for name in dict.fromkeys(name for name, _ in message.raw_items()):
        lower = name.lower()
        if lower in kept or lower.startswith(_NOT_FOR_RULES) or not lower.isascii() or len(lower) > 100:
            continue
        kept[lower] = text_of_header(raw_header(message, lower))[:RULE_HEADER_LENGTH_MAX]
        if len(kept) >= RULE_HEADERS_MAX:
            break
    return kept


__all__ = ["Bodies", "read_mail"]
