"""`multipart/form-data` (RFC 7578) as browsers and `curl -F` send a file: one file, and perhaps a name for it.

Of a part nothing is read but the two headers that say what it is.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from pointsman.runtime.http.problems import Problem, invalid
from pointsman_intake.file_names import file_name
from pointsman_intake.mail.parameters import Parameters, parameters_of

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MEDIA_TYPE = "multipart/form-data"
PARTS_MAX = 10
HEAD_BYTES_MAX = 16_384
BOUNDARY_LENGTH_MAX = 70
_NAME_FIELD = "name"

# What is wrong with a form is answered to who sent it.
logging.getLogger("python_multipart.multipart").setLevel(logging.ERROR)


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
    parts = _parts(content_type, body)
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


class _Form:
    """The parts, as the parser comes to them."""

    def __init__(self) -> None:
        self._headers: dict[str, str] = {}
        self._name = self._value = b""
        self._content: list[bytes] = []
        self.parts: list[_Part] = []
        self.whole = False

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._more,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        if len(self.parts) == PARTS_MAX:
            raise _broken(f"it has more than {PARTS_MAX} parts")
        self._headers, self._content = {}, []

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name, value = self._name.decode("utf-8", "replace"), self._value.decode("utf-8", "replace")
        self._headers[name.strip().lower()] = value.strip()
        self._name = self._value = b""

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def _end(self) -> None:
        disposition = parameters_of(self._headers.get("content-disposition", ""))
        if disposition.value != "form-data" or "name" not in disposition.named:
            raise _broken("a part has no name")
        said = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        self.parts.append(_Part(disposition, said or None, b"".join(self._content)))

    def _all(self) -> None:
        self.whole = True


def _parts(content_type: str, body: bytes) -> list[_Part]:
    boundary = parameters_of(content_type).named.get("boundary", "")
    if not 0 < len(boundary) <= BOUNDARY_LENGTH_MAX or not boundary.isascii():
        raise _broken("its Content-Type names no boundary")
    reading = _Form()
    parser = MultipartParser(boundary, reading.callbacks(), max_header_size=HEAD_BYTES_MAX)
    try:
        parser.write(body)
    except MultipartParseError as error:
        raise _broken(str(error)) from error
    if not reading.whole:
        raise _broken("its closing boundary is missing")
    return reading.parts


def _field(part: _Part) -> str:
    return part.disposition.named["name"]


def _broken(why: str) -> Problem:
    return Problem(400, "bad-request", f"the body is no {MEDIA_TYPE}: {why}")


def _refused(pointer: str, detail: str) -> Problem:
    return invalid([{"pointer": pointer, "detail": detail}])
