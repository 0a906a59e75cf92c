"""Files as messages name them: a name that any system can keep, and one to be fetched by its address."""

import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pointsman.core.storable import mended
from pointsman_intake.model import NewFile

NAME_LENGTH_MAX = 255
ENDING_LENGTH_MAX = 20
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
"""Control characters, and those that turn the direction of writing: `invoice<U+202E>fdp.exe` reads as a PDF."""
_FOLDERS = re.compile(r"[/\\]+")


def file_name(given: str | None) -> str | None:
    """The name without what no file's name may have or hide, at most 255 characters with its ending; None when nothing
    is left of it."""
    if given is None:
        return None
    name = _FOLDERS.sub("_", _UNSEEN.sub("", mended(given[: 4 * NAME_LENGTH_MAX]))).strip().lstrip(".").strip()
    if len(given) > 4 * NAME_LENGTH_MAX or len(name) > NAME_LENGTH_MAX:
        ending = _ending(given[-ENDING_LENGTH_MAX:])
        name = name[: NAME_LENGTH_MAX - len(ending)] + ending
    return name or None


def _ending(text: str) -> str:
    _, dot, ending = text.rpartition(".")
    return dot + ending if ending.isascii() and ending.isalnum() else ""


def named_by(url: str) -> str | None:
    """The name that an address has for its file: the last part of its path. None for an address that is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return file_name(unquote(path.rpartition("/")[2], errors="replace"))


def disposition(name: str | None) -> str:
    """The header Content-Disposition of a download (RFC 6266): the name in ASCII for old readers, and as it is."""
    kept = file_name(name)
    if kept is None:
        return "attachment"
    plain = re.sub(r"[^ !#-$&-\[\]-~]", "_", kept)
    if plain == kept:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"


def to_fetch(id: str, reference: dict[str, Any]) -> NewFile:
    """The file that a reference names by its `url`; the reference says from now on that it is fetched, under which id
    and name."""
    url = reference["url"]
    reference |= {"attachment_id": id, "state": "fetching"}
    name = file_name(reference.get("name")) or named_by(url)
    if name is not None:
        reference["name"] = name
    return NewFile(id, name, reference.get("content_type"), url=url)
