"""A workspace document in a file: read with its lines, and as it is sent."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import orjson

from pointsman.cli.errors import WrongInput
from pointsman.contracts.document import DocumentErrors, Written, read_plain
from pointsman.contracts.document.parts import DOCUMENT_BYTES_MAX


@dataclass(frozen=True)
class DocumentFile:
    """`written` has the text of iCal files in place of their names. `content` is what is sent: the file's own text
    where nothing was put into it, so that the server sees the lines too."""

    path: Path
    workspace: str
    written: Written
    content: bytes
    media_type: str

    def with_moves(self, moves: dict[str, Any]) -> "DocumentFile":
        """The same with the member `moves` beside the document's keys, in what is sent."""
        if not moves:
            return self
        content = orjson.dumps({**self.written.value, "moves": moves})
        return replace(self, content=content, media_type="application/json")

    def line_of(self, pointer: str) -> int | None:
        """The line of a JSON pointer."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        path: list[str | int] = []
        value = self.written.value
        for step in steps:
            key: str | int = int(step) if isinstance(value, list) and step.isdigit() else step
            path.append(key)
            if isinstance(value, dict):
                value = value.get(step)
            else:
                value = value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
        return self.written.line_of(path)


def read_document_file(path: Path) -> DocumentFile:
    """The file of a workspace document, YAML or JSON. Raises `WrongInput` with the line when it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}") from error
    try:
        written = read_plain(raw)
    except DocumentErrors as errors:
        refuse(path, errors)
    document = written.value
    if not isinstance(document, dict) or not isinstance(document.get("workspace"), str):
        raise WrongInput(f"{path}: a workspace document begins with `workspace: NAME`")
    json = written.marks is None
    if _carry_calendars(document, path.parent):
        content, json = orjson.dumps(document), True
    else:
        content = raw
    return DocumentFile(
        path, document["workspace"], written, content, "application/json" if json else "application/yaml"
    )


def refuse(path: Path, errors: DocumentErrors) -> NoReturn:
    """Raises `WrongInput`: every mistake with its place, in one line."""
    said = []
    for error in errors.errors:
        line = f":{error.line}" if error.line else ""
        said.append(f"{path}{line}: {f'{error.pointer}: ' if error.pointer else ''}{error.detail}")
    raise WrongInput("; ".join(said)) from errors


def _carry_calendars(document: dict[str, Any], folder: Path) -> bool:
    """Puts the text of iCal files in their place; whether there was one."""
    carried = False
    calendars = document.get("calendars")
    for name, calendar in calendars.items() if isinstance(calendars, dict) else ():
        ical = calendar.get("ical") if isinstance(calendar, dict) else None
        if isinstance(ical, dict) and isinstance(ical.get("file"), str):
            source = folder / ical["file"]
            try:
                with source.open("rb") as file:
                    raw = file.read(DOCUMENT_BYTES_MAX + 1)
                if len(raw) > DOCUMENT_BYTES_MAX:
                    raise WrongInput(f"/calendars/{name}/ical/file: {source} has more than {DOCUMENT_BYTES_MAX} bytes")
                calendar["ical"] = {"text": raw.decode("utf-8-sig")}
            except (OSError, UnicodeDecodeError) as error:
                raise WrongInput(f"/calendars/{name}/ical/file: {source} cannot be read: {error}") from error
            carried = True
    return carried
