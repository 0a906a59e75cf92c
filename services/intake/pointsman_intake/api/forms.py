"""`multipart/form-data` (RFC 7578) as browsers and `curl -F` send a file: one file, and perhaps a name for it.

The parts are found by their boundary, in one pass over bytes that are there; nothing of a part is read but the two
headers that say what it is.
"""

from dataclasses import dataclass

from pointsman.runtime.http.problems import Problem
from pointsman_intake.attached import file_name
from pointsman_intake.mail.parameters import Parameters, parameters_of

MEDIA_TYPE = "multipart/form-data"
ENVELOPE_BYTES_MAX = 65_536
"""What a form may take beside its file."""
PARTS_MAX = 10
HEAD_BYTES_MAX = 16_384
BOUNDARY_LENGTH_MAX = 70
_NAME_FIELD = "name"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file with its name and the media type that was said of it, as far as there was one."""

    name: str | None
    content_type: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class _Part:
    disposition: Parameters
    content_type: str | None
    content: bytes


def upload_of(content_type: str, body: bytes) -> Upload:
    """The file of a form. Raises `Problem` 400 for what is no form, 422 for one without exactly one file."""
    parts = [_part(part) for part in _parts(content_type, body)]
    files = [part for part in parts if "filename" in part.disposition.named or _field(part) == "file"]
    others = [part for part in parts if part not in files]
    strange = [_field(part) for part in others if _field(part) != _NAME_FIELD]
    if strange:
        raise _refused(f"/{strange[0]}", "the form has fields that are unknown here: it takes `file` and `name`")
    if len(files) != 1 or len(others) > 1:
        raise _refused("/file", f"the form has {len(files)} files; one call takes one")
    named = others[0].content.decode("utf-8", "replace") if others else None
    return Upload(
        name=file_name(named) or file_name(files[0].disposition.named.get("filename")),
        content_type=files[0].content_type,
        content=files[0].content,
    )


def _parts(content_type: str, body: bytes) -> list[bytes]:
    boundary = parameters_of(content_type).named.get("boundary", "")
    if not 0 < len(boundary) <= BOUNDARY_LENGTH_MAX or not boundary.isascii():
        raise _broken("its Content-Type names no boundary")
    _before, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), PARTS_MAX + 1)
    if len(parts) > PARTS_MAX:
        raise _broken(f"it has more than {PARTS_MAX} parts")
    if not parts or not parts[-1].startswith(b"--"):
        raise _broken("its closing boundary is missing")
    return parts[:-1]


def _part(part: bytes) -> _Part:
    """After a boundary: blanks, the headers, an empty line, the content."""
    end = part.find(b"\r\n\r\n", 0, HEAD_BYTES_MAX)
    if end == -1:
        raise _broken("a part has no end of its headers")
    named = {}
    for line in part[:end].decode("utf-8", "replace").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        named[name.strip().lower()] = value.strip()
    disposition = parameters_of(named.get("content-disposition", ""))
    if disposition.value != "form-data" or "name" not in disposition.named:
        raise _broken("a part has no name")
    said = named.get("content-type", "").partition(";")[0].strip().lower()
    return _Part(disposition, said or None, part[end + 4 :])


def _field(part: _Part) -> str:
    return part.disposition.named["name"]


def _broken(why: str) -> Problem:
    return Problem(400, "bad-request", f"the body is no {MEDIA_TYPE}: {why}")


def _refused(pointer: str, detail: str) -> Problem:
    return Problem(422, "invalid-request", "the request has errors", [{"pointer": pointer, "detail": detail}])
