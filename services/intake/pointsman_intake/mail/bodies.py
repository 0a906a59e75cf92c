"""The parts of a mail: which are its text, which its HTML, which are attached.

A mail is read as it is built: of alternatives one is the text, what stands side by side is read in its order. So an
HTML body beside a plain footer gives both.
"""

from dataclasses import dataclass, field
from html import escape

import re2

from pointsman_intake.mail.charsets import decode
from pointsman_intake.mail.headers import text_of_header
from pointsman_intake.mail.html import TAGS_MAX, read_html
from pointsman_intake.mail.mime import MimePart
from pointsman_intake.parsed import File

FILES_MAX = 100
NAME_LENGTH_READ_MAX = 1_024
TEXT_LENGTH_MAX = 65_537
"""More than a message keeps, so that what was cut is marked."""
TEXT_BYTES_READ_MAX = 4 * TEXT_LENGTH_MAX
HTML_BYTES_READ_MAX = 2_097_152

_TYPE = re2.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Bodies:
    """The text (of the HTML where there is no plain one), the HTML as it came, the attachments with their bytes.
    `truncated`: there is more than is read here. `said` are the bytes of the text, whatever they are read as."""

    text: str
    html: str | None
    files: tuple[File, ...]
    truncated: bool
    said: tuple[bytes, ...]


@dataclass(slots=True)
class _Room:
    """What may still be looked at: characters of text, and tags."""

    text: int = TEXT_LENGTH_MAX
    tags: int = TAGS_MAX


@dataclass(slots=True)
class _Found:
    room: _Room = field(default_factory=_Room)
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    is_html: bool = False
    truncated: bool = False


def read_bodies(mail: MimePart) -> Bodies:
    """Reads the parts that were found in the mail. Never raises."""
    found = _Found()
    _read(mail, found, alone=True)
    text = "\n".join(found.texts)
    return Bodies(
        text=text.replace("\x00", ""),
        html="\n".join(found.htmls) if found.is_html else None,
        files=tuple(found.files),
        truncated=found.truncated,
        said=tuple(found.said),
    )


def _read(part: MimePart, found: _Found, *, alone: bool) -> None:
    """`alone`: the part is the whole mail."""
    kind = part.type.value
    if kind.startswith("multipart/") and part.parts():
        if kind == "multipart/alternative":
            _read_alternatives(part.parts(), found)
            return
        for inner in part.parts():
            _read(inner, found, alone=False)
        return
    if _is_text(part, found, alone=alone):
        _read_text(part, found)
        return
    if kind == "message/delivery-status" and not found.texts:
        _read_text(part, found)
    _attach(part, found)


def _is_text(part: MimePart, found: _Found, *, alone: bool) -> bool:
    """Whether it is said, rather than attached. A name alone does not attach what else would be the only text."""
    kind = part.type.value
    if kind not in ("text/plain", "text/html") and not (kind.startswith("multipart/") and not part.parts()):
        return False
    disposition = part.disposition.value
    if alone:
        return True
    named = "name" in part.type.named or "filename" in part.disposition.named
    return disposition != "attachment" and not (named and found.texts)


def _read_alternatives(parts: list[MimePart], found: _Found) -> None:
    """The plain text is read where it says anything, and the HTML kept; whatever else is attached."""
    plain = [part for part in parts if part.type.value == "text/plain" and part.disposition.value != "attachment"]
    others = [part for part in parts if part not in plain]
    if not any(part.content().strip() for part in plain):
        for part in others:
            _read(part, found, alone=False)
        return
    rich = _Found(_Room(tags=found.room.tags))
    for part in others:
        _read(part, rich, alone=False)
    found.room.tags = rich.room.tags
    for part in plain:
        _read_text(part, found, html=not rich.is_html)
    room = FILES_MAX - len(found.files)
    found.truncated = found.truncated or rich.truncated or len(rich.files) > room
    found.files += rich.files[:room]
    found.said += rich.said
    found.htmls += rich.htmls if rich.is_html else []
    found.is_html = found.is_html or rich.is_html


def _read_text(part: MimePart, found: _Found, *, html: bool = True) -> None:
    content = part.content()
    found.said.append(content.replace(b"\r\n", b"\n"))
    if found.room.text <= 0:
        found.truncated = found.truncated or bool(content.strip())
        return
    charset = part.type.named.get("charset")
    if part.type.value == "text/html":
        shown = decode(content[:HTML_BYTES_READ_MAX], charset).replace("\x00", "")
        read = read_html(shown, found.room.tags)
        found.room.tags -= read.tags
        found.is_html = True
        found.htmls.append(shown)
        found.truncated = found.truncated or not read.whole or len(content) > HTML_BYTES_READ_MAX
        text = read.text
    else:
        text = decode(content[:TEXT_BYTES_READ_MAX], charset).replace("\r\n", "\n")
        if html:
            found.htmls.append(f'<div style="white-space: pre-wrap">{escape(text[: found.room.text])}</div>')
    if text:
        found.texts.append(text[: found.room.text])
    found.room.text -= len(text) + 1


def _attach(part: MimePart, found: _Found) -> None:
    if len(found.files) >= FILES_MAX:
        found.truncated = True
        return
    name = _filename(part)
    content = part.content()
    if not content and not name:
        return
    kind = part.type.value
    shown = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    found.files.append(File(name=name, content_type=shown, size=len(content), content=content))


def _filename(part: MimePart) -> str | None:
    name = part.disposition.named.get("filename") or part.type.named.get("name")
    if not name:
        return None
    return text_of_header(name[:NAME_LENGTH_READ_MAX]).replace("/", "_").replace("\\", "_")[:255] or None
