"""Headers of a mail as text and addresses, whatever is in them.

The stdlib's structured headers are quadratic on thousands of encoded words and recurse on nested comments, so headers
are cut first and decoded here: RFC 2047 words, joined when they stand side by side in one charset (a character may be
split between two of them).
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from pointsman.core.instant import Instant
from pointsman_intake.mail.charsets import decode

HEADER_LENGTH_MAX = 8_192
ADDRESSES_MAX = 100

_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]{1,128}@[^\s<>()\[\],;:\"@]{1,255}")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def raw_header(message: Message, name: str) -> str:
    """The first header of this name as it stands in the mail, cut; empty when there is none."""
    return next(_raw_headers(message, name), "")


def _raw_headers(message: Message, name: str) -> Iterator[str]:
    for known, value in message.raw_items():
        if known.lower() == name:
            yield _FOLD.sub("", str(value)[:HEADER_LENGTH_MAX])


def text_of_header(value: str) -> str:
    """A header's text in one line: encoded words decoded, raw 8-bit read as text."""
    parts: list[str] = []
    pending, charset = b"", ""
    end = 0
    for found in _WORD.finditer(value):
        between = value[end : found.start()]
        name = found[1].partition("*")[0].lower()
        if pending and (between.strip() or name != charset):
            parts.append(decode(pending, charset))
            pending = b""
        if between.strip() or (not parts and not pending and between):
            parts.append(_eight_bit(between))
        pending, charset = pending + _word_bytes(found[2], found[3]), name
        end = found.end()
    if pending:
        parts.append(decode(pending, charset))
    parts.append(_eight_bit(value[end:]))
    return _CONTROL.sub(" ", "".join(parts)).strip()


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        return b""


def _eight_bit(text: str) -> str:
    """Text whose bytes beyond ASCII the parser kept as surrogates."""
    if text.isascii():
        return text
    return decode(text.encode("utf-8", "surrogateescape"), None)


def addresses_of(message: Message, name: str) -> list[tuple[str, str]]:
    """(display name, address in lower case) of every mailbox in the headers of this name."""
    values = list(islice(_raw_headers(message, name), 10))
    try:
        found = getaddresses([value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for value in values])
    except (RecursionError, ValueError, IndexError, TypeError):
        found = []
    mailboxes = [(text_of_header(shown), address.strip().lower()) for shown, address in found if "@" in address]
    if not mailboxes:
        mailboxes = [("", address.lower()) for value in values for address in _ADDRESS.findall(text_of_header(value))]
    return [(shown[:512], address[:320]) for shown, address in mailboxes[:ADDRESSES_MAX] if address.isprintable()]


def message_ids_of(message: Message, name: str) -> Iterator[str]:
    """The ids in a header, in order; a bare word counts as one where there are no angles."""
    value = _eight_bit(raw_header(message, name))
    found = _MESSAGE_ID.findall(value)
    if not found and (bare := value.split()) and len(bare) == 1 and "@" in bare[0]:
        found = [bare[0].strip("<>")]
    yield from (id for id in dict.fromkeys(found) if id.isprintable())


def date_of(message: Message) -> Instant | None:
    """When the sender says that it was written."""
    try:
        at = parsedate_to_datetime(raw_header(message, "date"))
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        at = at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at >= datetime(1980, 1, 1, tzinfo=UTC) else None
