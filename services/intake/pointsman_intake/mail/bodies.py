"""The parts of a mail: which are its text, which its HTML, which are attached."""

import re
from dataclasses import dataclass
from email.message import Message

from pointsman_intake.mail.charsets import decode
from pointsman_intake.mail.headers import text_of_header
from pointsman_intake.mail.html import text_of_html
from pointsman_intake.said import File

PARTS_MAX = 500
DEPTH_MAX = 50
FILES_MAX = 100

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Bodies:
    """The text (of the HTML where there is no plain one), the HTML as it came, the attachments with their bytes."""

    text: str
    html: str | None
    files: tuple[File, ...]


def read_bodies(message: Message) -> Bodies:
    """Walks at most `PARTS_MAX` parts down to `DEPTH_MAX`; what lies deeper or beyond is left to the raw bytes."""
    texts: list[str] = []
    htmls: list[str] = []
    files: list[File] = []
    waiting = [(message, 0)]
    seen = 0
    while waiting and seen < PARTS_MAX:
        part, depth = waiting.pop()
        seen += 1
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            children = part.get_payload()
            if depth < DEPTH_MAX and isinstance(children, list):
                waiting.extend((child, depth + 1) for child in reversed(children) if isinstance(child, Message))
            continue
        _sort(part, texts, htmls, files)
    html = "\n".join(htmls) or None
    text = "\n".join(texts)
    if html is not None and not text.strip():
        text = text_of_html(html)
    return Bodies(text.replace("\r\n", "\n").replace("\x00", ""), html, tuple(files[:FILES_MAX]))


def _sort(part: Message, texts: list[str], htmls: list[str], files: list[File]) -> None:
    kind = part.get_content_type()
    name = _filename(part)
    attached = str(part.get("content-disposition", "")).strip().lower().startswith("attachment") or bool(name)
    if not attached and kind == "text/plain":
        texts.append(_text(part))
    elif not attached and kind == "text/html":
        htmls.append(_text(part))
    else:
        content = _content(part)
        shown = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
        if content or name:
            files.append(File(name=name, content_type=shown, size=len(content), content=content))


def _content(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        try:
            return first.as_bytes() if isinstance(first, Message) else b""
        except (RecursionError, ValueError, LookupError, KeyError, TypeError, AttributeError):
            return b""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, TypeError):
        content = None
    if isinstance(content, bytes):
        return content
    left = part.get_payload()
    return left.encode("utf-8", "surrogateescape") if isinstance(left, str) else b""


def _text(part: Message) -> str:
    return decode(_content(part), _parameter(part, "charset"))


def _parameter(part: Message, name: str) -> str | None:
    """A parameter of Content-Type, RFC 2231 or not."""
    try:
        value = part.get_param(name)
    except (ValueError, LookupError, TypeError):
        return None
    if isinstance(value, tuple):
        value = value[2]
    return value if isinstance(value, str) else None


def _filename(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if not name:
        return None
    return text_of_header(name).replace("/", "_").replace("\\", "_")[:255] or None
