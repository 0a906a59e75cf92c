"""Headers of a mail as text and addresses, whatever is in them.

The stdlib's structured headers are quadratic on thousands of encoded words and recurse on nested comments, so headers
are cut first and decoded here: RFC 2047 words, joined when they stand side by side in one charset (a character may be
split between two of them).
"""

import base64
import binascii
import quopri
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import islice

import re2

from pointsman.core.instant import Instant
from pointsman_intake.mail.charsets import decode
from pointsman_intake.mail.mailboxes import Mailbox, mailboxes_in

HEADER_LENGTH_MAX = 8_192
ADDRESSES_MAX = 100
HEADERS_OF_A_NAME_MAX = 4
DATE_LENGTH_MAX = 200
WORD_LENGTH_MAX = 2_048
CHARSET_LENGTH_MAX = 64

_ENCODINGS = ("b", "B", "q", "Q")
_ADDRESS = re2.compile(r"[^\s<>()\[\],;:\"@]{1,128}@[^\s<>()\[\],;:\"@]{1,255}")
_MESSAGE_ID = re2.compile(r"<([^<>\s]{1,500})>")
_CONTROL = dict.fromkeys([*range(32), 127], "\0")


def raw_header(message: Message, name: str) -> str:
    """The first header of this name as it stands in the mail, cut; empty when there is none."""
    return next(_raw_headers(message, name), "")


def _raw_headers(message: Message, name: str) -> Iterator[str]:
    for known, value in message.raw_items():
        if known.lower() == name:
            yield _unfolded(str(value)[:HEADER_LENGTH_MAX])


def _unfolded(value: str) -> str:
    """A header goes on in the next line when that begins with a space."""
    for end in ("\r\n", "\n"):
        for blank in (" ", "\t"):
            value = value.replace(end + blank, blank)
    return value


def text_of_header(value: str) -> str:
    """A header's text in one line: encoded words decoded, raw 8-bit read as text. A run of control characters is a
    space: none of them makes a line or a header."""
    parts: list[str] = []
    pending, charset = b"", ""
    end = 0
    for start, stop, name, content in _words(value):
        between = value[end:start]
        if pending and (between.strip() or name != charset):
            parts.append(decode(pending, charset))
            pending = b""
        if between.strip() or (not parts and not pending and between):
            parts.append(_eight_bit(between))
        pending, charset = pending + content, name
        end = stop
    if pending:
        parts.append(decode(pending, charset))
    parts.append(_eight_bit(value[end:]))
    text = "".join(parts)
    if text.isprintable():
        return text.strip()
    marked = text.translate(_CONTROL)
    while "\0\0" in marked:
        marked = marked.replace("\0\0", "\0")
    return marked.replace("\0", " ").strip()


def _words(value: str) -> Iterator[tuple[int, int, str, bytes]]:
    """The encoded words `=?charset?B or Q?text?=` as (start, end, charset, bytes)."""
    start = value.find("=?")
    while start != -1:
        parts = value[start + 2 : start + 2 + WORD_LENGTH_MAX].split("?", 3)
        if len(parts) == 4 and parts[1] in _ENCODINGS and parts[3].startswith("=") and _names_charset(parts[0]):
            end = start + 2 + len(parts[0]) + len(parts[2]) + 5
            yield start, end, parts[0].partition("*")[0].lower(), _word_bytes(parts[1], parts[2])
            start = value.find("=?", end)
        else:
            start = value.find("=?", start + 2)


def _names_charset(text: str) -> bool:
    return 0 < len(text) <= CHARSET_LENGTH_MAX and not any(character.isspace() for character in text)


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
    return [(mailbox.name, mailbox.address) for mailbox in mailboxes_of(message, name)]


def mailboxes_of(message: Message, name: str) -> list[Mailbox]:
    """Every mailbox in the headers of this name, its name decoded, its address in lower case."""
    values = [_eight_bit(value) for value in islice(_raw_headers(message, name), HEADERS_OF_A_NAME_MAX)]
    found = [mailbox for value in values for mailbox in islice(mailboxes_in(value), ADDRESSES_MAX)]
    if not found:
        bare = [address for value in values for address in _ADDRESS.findall(text_of_header(value))]
        found = [Mailbox("", address, False) for address in bare]
    return [
        Mailbox(text_of_header(one.name)[:512], one.address.lower()[:320], one.in_angles)
        for one in found[:ADDRESSES_MAX]
        if one.address.isprintable()
    ]


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
        at = parsedate_to_datetime(raw_header(message, "date")[:DATE_LENGTH_MAX])
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        at = at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at >= datetime(1980, 1, 1, tzinfo=UTC) else None
