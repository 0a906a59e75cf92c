"""Delivery reports: which mail of ours one is about, and whether it will not arrive.

Sources: RFC 3464 (message/delivery-status), RFC 3462 (multipart/report); servers that only write prose quote the
headers of what they return, or name the recipient in X-Failed-Recipients.
"""

from collections.abc import Iterator
from email.message import Message
from itertools import islice

import re2

from pointsman_intake.mail.headers import message_ids_of, raw_header, text_of_header
from pointsman_intake.model import Bounced

PARTS_MAX = 100
PROSE_BYTES_MAX = 65_536
NAMES_MAX = 50
REASON_LENGTH_MAX = 500

_QUOTED_ID = re2.compile(r"(?im)^[ \t>]*message-id:\s*<([^<>\s]{1,500})>")
_ADDRESS = re2.compile(r"[^\s<>()\[\],;:\"@]{1,128}@[^\s<>()\[\],;:\"@]{1,255}")
_VERP = re2.compile(r"[+-]([^\s<>@+=]{1,128})=([^\s<>@=]{1,255})@")
"""`bounces+ada=example.com@acme.example`: a return path that names the recipient."""
_LATER = re2.compile(r"(?i)delay|verz[öo]ger|warning|still (being )?(tr|wait)|will (be )?retr|ritard")


def read_report(message: Message) -> Bounced:
    """What the report says. Total: of a report that says nothing, nothing is known."""
    ids: list[str] = []
    recipients: list[str] = []
    actions: list[str] = []
    reason = ""
    for part in islice(message.walk(), PARTS_MAX):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _blocks(part):
                actions += filter(None, [raw_header(block, "action").strip().lower()])
                recipients += [*_of(block, "final-recipient"), *_of(block, "original-recipient")]
                reason = reason or text_of_header(raw_header(block, "diagnostic-code"))
                reason = reason or text_of_header(raw_header(block, "status"))
        elif kind == "message/rfc822":
            for inner in _blocks(part):
                ids += message_ids_of(inner, "message-id")
        elif kind.startswith("text/"):
            ids += _QUOTED_ID.findall(_prose(part))
    recipients += _of(message, "x-failed-recipients")
    for name in ("to", "delivered-to", "x-original-to", "envelope-to"):
        recipients += [f"{who}@{where}" for who, where in _VERP.findall(raw_header(message, name))]
    for name in ("in-reply-to", "references"):
        ids += message_ids_of(message, name)
    subject = text_of_header(raw_header(message, "subject"))
    return Bounced(
        failed="failed" in actions if actions else not _LATER.search(subject),
        references=tuple(dict.fromkeys(ids))[:NAMES_MAX],
        recipients=tuple(dict.fromkeys(one.lower() for one in recipients))[:NAMES_MAX],
        reason=(reason or subject or "the mail came back")[:REASON_LENGTH_MAX],
    )


def _blocks(part: Message) -> Iterator[Message]:
    """The messages that a message/* part holds: of a delivery status, its blocks of fields."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload[:PARTS_MAX] if isinstance(one, Message))


def _of(message: Message, name: str) -> list[str]:
    return list(_ADDRESS.findall(raw_header(message, name)))


def _prose(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload[:PROSE_BYTES_MAX].decode("utf-8", "replace") if isinstance(payload, bytes) else ""
