"""Raw mail to parts, in time that grows with its bytes alone: `parse`.

The stdlib's parser reads line by line, and its time grows with the square of the depth and of some headers. Here a
part is a stretch of the mail's bytes, found by its boundaries and decoded when somebody asks. What it makes are the
stdlib's messages all the same (policy compat32: values stay as they came), which others know how to walk.

Source: RFC 5322, RFC 2045 and 2046.
"""

import binascii
import quopri
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32
from typing import Any

from pointsman_intake.mail.parameters import Parameters, parameters_of
from pointsman_intake.parsed import NotUnderstood

HEADER_BYTES_MAX = 2_097_152
PART_HEADER_BYTES_MAX = 65_536
HEADER_VALUE_LENGTH_MAX = 65_536
HEADER_LINES_MAX = 5_000
PARTS_MAX = 500
"""Of one mail, those of mails inside it included. What lies beyond is left to the raw bytes."""
DEPTH_MAX = 30
"""Parts inside parts; mail that people write has a handful."""
BOUNDARY_LENGTH_MAX = 250

LINE_END_MAX = 100
MARKS_MAX = 10_000
"""Lines that begin like a boundary."""

_NAME = frozenset(range(33, 127)) - {ord(":")}


class MimePart(Message):
    """One part of a mail: its headers, and its bytes or the parts in it."""

    def __init__(self, default_type: str = "text/plain") -> None:
        super().__init__(policy=compat32)
        self.set_default_type(default_type)
        self.encoded = b""
        self.inner: list[MimePart] | None = None
        self._type: Parameters | None = None
        self._disposition: Parameters | None = None

    @property
    def type(self) -> Parameters:
        """Content-Type; where it is missing or none that of what the part stands in."""
        if self._type is None:
            found = parameters_of(str(self.get("content-type", "")))
            kind = found.value if found.value.isascii() and found.value.count("/") == 1 else self.get_default_type()
            self._type = Parameters(kind, found.named)
        return self._type

    @property
    def disposition(self) -> Parameters:
        """Content-Disposition."""
        if self._disposition is None:
            self._disposition = parameters_of(str(self.get("content-disposition", "")))
        return self._disposition

    def parts(self) -> list["MimePart"]:
        """The parts in it: of a multipart, or the mail that it carries."""
        return self.inner or []

    def content(self) -> bytes:
        """Its bytes, decoded from what they travelled as. Never raises."""
        coding = str(self.get("content-transfer-encoding", ""))[:100].strip().lower()
        if coding == "base64":
            return _from_base64(self.encoded)
        if coding == "quoted-printable":
            return quopri.decodestring(self.encoded)
        if coding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            return _from_uuencode(self.encoded)
        return self.encoded

    def is_multipart(self) -> bool:
        """As the stdlib's: whether there are parts in it."""
        return self.inner is not None

    def get_payload(self, i: int | None = None, decode: bool = False) -> Any:
        """As the stdlib's: the parts, else the text with bytes as surrogates, or with `decode` the content."""
        if self.inner is not None:
            return None if decode else self.inner if i is None else self.inner[i]
        return self.content() if decode else self.encoded.decode("ascii", "surrogateescape")


@dataclass(slots=True)
class _Count:
    """How many parts were made, and whether more were left."""

    parts: int = 0
    left: bool = False


def parse(raw: bytes) -> tuple[MimePart, bool]:
    """The mail, and whether it has more parts than we look at. Raises `NotUnderstood` for no mail, or a bomb."""
    if b"\n" not in raw[:PART_HEADER_BYTES_MAX]:
        raw = raw.replace(b"\r", b"\n")
    if _end_of_headers(raw, 0, min(len(raw), HEADER_BYTES_MAX + 4)) is None and len(raw) > HEADER_BYTES_MAX:
        raise NotUnderstood("headers-too-large", f"its headers take more than {HEADER_BYTES_MAX} bytes")
    count = _Count()
    mail = _part(raw, 0, len(raw), 0, count, HEADER_BYTES_MAX)
    if not mail.keys():
        raise NotUnderstood("not-a-mail", "it has no headers")
    return mail, count.left


def _part(
    raw: bytes,
    start: int,
    end: int,
    depth: int,
    count: _Count,
    header_bytes_max: int = PART_HEADER_BYTES_MAX,
    default_type: str = "text/plain",
) -> MimePart:
    if depth > DEPTH_MAX:
        raise NotUnderstood("nested-too-deep", f"its parts are nested more than {DEPTH_MAX} deep")
    count.parts += 1
    part = MimePart(default_type)
    body = _read_headers(part, raw, start, end, header_bytes_max)
    kind = part.type.value
    if kind.startswith("multipart/"):
        spans = _spans(part, raw, body, end, count)
        if spans is not None:
            inside = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            part.inner = [_part(raw, *span, depth + 1, count, default_type=inside) for span in spans]
            return part
    part.encoded = raw[body:end]
    if kind.startswith("message/"):
        _open_message(part, kind, raw, body, end, depth, count)
    return part


def _open_message(part: MimePart, kind: str, raw: bytes, start: int, end: int, depth: int, count: _Count) -> None:
    """A mail in a mail; of a delivery report, its blocks of headers."""
    if count.parts >= PARTS_MAX:
        count.left = True
        return
    inner = part.content()
    if inner is not part.encoded:
        raw, start, end = inner, 0, len(inner)
    if kind == "message/delivery-status":
        part.inner = _blocks(raw, start, end, depth, count)
    else:
        part.inner = [_part(raw, start, end, depth + 1, count)]


def _blocks(raw: bytes, start: int, end: int, depth: int, count: _Count) -> list[MimePart]:
    blocks = []
    while start < end and count.parts < PARTS_MAX:
        while start < end and raw[start] in b"\r\n":
            start += 1
        found = _end_of_headers(raw, start, min(end, start + PART_HEADER_BYTES_MAX))
        stop = end if found is None else found[1]
        if start < stop:
            blocks.append(_part(raw, start, stop, depth + 1, count))
        start = stop
    return blocks


# -- headers -----------------------------------------------------------------------------------------------------------


def _end_of_headers(raw: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(end of the last header's line, start of the body): at the first empty line."""
    for empty in (b"\r\n", b"\n"):
        if raw.startswith(empty, start, end):
            return start, start + len(empty)
    found = None
    for mark in (b"\n\n", b"\n\r\n"):
        place = raw.find(mark, start, end if found is None else found[0] + 2)
        if place != -1:
            found = place + 1, place + len(mark)
    return found


def _read_headers(part: MimePart, raw: bytes, start: int, end: int, bytes_max: int) -> int:
    """Sets the headers; returns where the body begins: after an empty line, or at the first line that is no header."""
    found = _end_of_headers(raw, start, min(end, start + bytes_max + 4))
    stop, body = found if found is not None else (min(end, start + bytes_max), end)
    position, name, value, lines = start, "", bytearray(), 0
    while position < stop and lines < HEADER_LINES_MAX:
        next_line = raw.find(b"\n", position, stop) + 1 or stop
        line = raw[position:next_line]
        lines += 1
        if line[0] in b" \t":
            if name and len(value) < HEADER_VALUE_LENGTH_MAX:
                value += line[:HEADER_VALUE_LENGTH_MAX]
        else:
            head, colon, rest = line[: HEADER_VALUE_LENGTH_MAX + 1_000].partition(b":")
            head = head.rstrip(b" \t")
            if colon and head and _NAME.issuperset(head):
                _set(part, name, value)
                name, value = head.decode("ascii"), bytearray(rest)
            elif not (position == start and line.startswith(b"From ")):
                body = position
                break
        position = next_line
    _set(part, name, value)
    return body


def _set(part: MimePart, name: str, value: bytearray) -> None:
    if name:
        text = value[:HEADER_VALUE_LENGTH_MAX].decode("ascii", "surrogateescape").lstrip(" \t").rstrip("\r\n")
        part.set_raw(name, text)


# -- boundaries --------------------------------------------------------------------------------------------------------


def _spans(part: MimePart, raw: bytes, start: int, end: int, count: _Count) -> list[tuple[int, int]] | None:
    """Where the parts of a multipart are; None when nothing parts it, so that it is one text."""
    named = part.type.named.get("boundary", "").rstrip()
    boundary = named.encode("utf-8", "surrogateescape")
    found: list[tuple[int, int]] = []
    if boundary and len(boundary) <= BOUNDARY_LENGTH_MAX:
        found = _parted(raw, start, end, boundary, count)
    if not found and (guessed := _guessed_boundary(raw, start, end)) is not None:
        found = _parted(raw, start, end, guessed, count)
    return found or None


def _guessed_boundary(raw: bytes, start: int, end: int) -> bytes | None:
    """Of a multipart that names none, or another: the first line, if it looks like a boundary and headers follow."""
    while start < end and raw[start] in b"\r\n":
        start += 1
    stop = raw.find(b"\n", start, min(end, start + BOUNDARY_LENGTH_MAX))
    if stop == -1 or not raw.startswith(b"--", start, end):
        return None
    if not raw[stop + 1 : stop + 9].lower().startswith(b"content-"):
        return None
    return raw[start + 2 : stop].rstrip() or None


def _parted(raw: bytes, start: int, end: int, boundary: bytes, count: _Count) -> list[tuple[int, int]]:
    """(start, end) of each part between lines that are `--boundary`, up to `--boundary--` or the end."""
    dashes = b"--" + boundary
    spans: list[tuple[int, int]] = []
    began: int | None = None
    for place, at in enumerate(_marks(raw, start, end, dashes)):
        after = at + len(dashes)
        stop = raw.find(b"\n", after, min(end, after + LINE_END_MAX))
        rest = raw[after : stop if stop != -1 else min(end, after + LINE_END_MAX)].strip()
        if place >= MARKS_MAX:
            count.left = True
            return spans
        if rest not in (b"", b"--"):
            continue
        if began is not None:
            line_end = 2 if raw[at - 2 : at] == b"\r\n" else 1
            spans.append((began, max(began, at - line_end)))
        began = stop + 1 if stop != -1 else end
        if rest:
            return spans
        if count.parts + len(spans) >= PARTS_MAX:
            count.left = True
            return spans
    if began is not None and began < end:
        spans.append((began, end))
    return spans


def _marks(raw: bytes, start: int, end: int, dashes: bytes) -> Iterator[int]:
    """Where the lines are that begin so."""
    if raw.startswith(dashes, start, end):
        yield start
    at = raw.find(b"\n" + dashes, start, end)
    while at != -1:
        yield at + 1
        at = raw.find(b"\n" + dashes, at + 1, end)


# -- transfer encodings ------------------------------------------------------------------------------------------------


def _from_base64(encoded: bytes) -> bytes:
    try:
        return binascii.a2b_base64(encoded)
    except binascii.Error:
        letters = encoded.translate(None, _NOT_BASE64)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def _from_uuencode(encoded: bytes) -> bytes:
    """The lines between `begin` and `end`; what is no such line is passed over."""
    decoded = []
    for line in encoded.splitlines():
        if not line or line.startswith((b"begin ", b"end")):
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(decoded)
