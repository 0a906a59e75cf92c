"""`read_document`: text or a mapping into a checked `Document`, or every mistake with its line and key."""

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from pointsman.contracts.document.closed import unknown_names
from pointsman.contracts.document.errors import (
    ERRORS_MAX,
    DocumentError,
    DocumentErrors,
    pointer_of,
    unknown_key,
    worded,
)
from pointsman.contracts.document.lines import Marks, decoded, json_marks, read_json, read_yaml, refuse_depth
from pointsman.contracts.document.references import findings
from pointsman.contracts.document.sound import Sound, sound_part
from pointsman.contracts.document.workspace import Document
from pointsman.core.storable import unstorable

Format = Literal["yaml", "json"]


@dataclass(frozen=True)
class Written:
    """A document as it was written: its plain value (what a version keeps) and where each key stands."""

    value: Any
    marks: Marks | None
    text: str | None = None

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """The line of a key, None for a value that came without text."""
        return None if self._places is None else self._places.line_of(path)

    @cached_property
    def _places(self) -> Marks | None:
        """The marks; those of JSON are looked for when the first is asked for, since most documents have no mistake."""
        if self.marks is None and self.text is not None:
            return json_marks(self.text)[0]
        return self.marks


def read_plain(source: str | bytes, *, format: Format | None = None) -> Written:
    """The plain value of a document's text, not yet checked. Raises `DocumentErrors`.

    Without `format` a text that starts with `{` is JSON, and else YAML.
    """
    text = decoded(source)
    if format == "json" or (format is None and text.lstrip().startswith("{")):
        value = read_json(text)
        refuse_depth(value)
        written = Written(value, None, text)
    else:
        written = Written(*read_yaml(text))
    found = list(islice(unstorable(written.value), ERRORS_MAX))
    if found:
        marks = written.marks or json_marks(text)[0]
        mistakes = [DocumentError(pointer_of(path), why, marks.line_of(path)) for path, why in found]
        raise DocumentErrors(sorted(mistakes, key=_line_of))
    return written


def read_document(
    source: str | bytes | Mapping[str, Any] | Written,
    *,
    format: Format | None = None,
    standing: Mapping[str, Any] | None = None,
) -> Document:
    """The document, its defaults applied, its references checked. Raises `DocumentErrors` with every mistake found,
    from top to bottom where lines are known.

    `standing`: the version that it changes, or itself when it stands. A kind that stands there and is in no list any
    more (`closed`) is let be.
    """
    document, mistakes = examined(source, format=format, standing=standing)
    if mistakes or document is None:
        raise DocumentErrors(in_order(mistakes))
    return document


def examined(
    source: str | bytes | Mapping[str, Any] | Written,
    *,
    format: Format | None = None,
    standing: Mapping[str, Any] | None = None,
) -> tuple[Document | None, list[DocumentError]]:
    """(the document, or what is sound of it; every mistake). None when there is too little of one. Raises
    `DocumentErrors` for a text that cannot be read at all."""
    if isinstance(source, Written):
        written = source
    elif isinstance(source, Mapping):
        written = Written(dict(source), None)
        refuse_depth(written.value)
    else:
        written = read_plain(source, format=format)
    if not isinstance(written.value, dict):
        return None, [DocumentError("", "is not a mapping; a document starts with `workspace: name`", 1)]
    mistakes: list[DocumentError] = []
    sound: Sound | None
    try:
        sound = Sound(Document.model_validate(written.value))
    except ValidationError as refused:
        mistakes = shape_errors(refused, written)
        sound = sound_part(written.value)
    if sound is None:
        return None, mistakes
    for path, detail in (*findings(sound, written.value), *unknown_names(sound.document, standing)):
        place = sound.as_written(path)
        mistakes.append(DocumentError(pointer_of(place), detail, written.line_of(place)))
    return sound.document, mistakes


def in_order(mistakes: Sequence[DocumentError]) -> list[DocumentError]:
    """From top to bottom, where lines are known."""
    return sorted(mistakes, key=_line_of)


def _line_of(error: DocumentError) -> int:
    return error.line or 0


def shape_errors(refused: ValidationError, written: Written, model: type[BaseModel] = Document) -> list[DocumentError]:
    """Every mistake of pydantic's in words, with its place in what was written; `model` is what was validated."""
    by_pointer: dict[str, DocumentError] = {}
    for problem in refused.errors(include_url=False):
        path = _path_in(written.value, problem["loc"], missing=problem["type"] == "missing")
        detail = worded(problem)
        if problem["type"] == "extra_forbidden":
            detail = unknown_key(str(path[-1]), _model_at(model, path[:-1]))
        by_pointer.setdefault(pointer_of(path), DocumentError(pointer_of(path), detail, written.line_of(path)))
    return list(by_pointer.values())


def _path_in(value: Any, location: Sequence[str | int], *, missing: bool) -> tuple[str | int, ...]:
    """pydantic's location without the steps that are its own (union members, `[key]`)."""
    path: list[str | int] = []
    for place, step in enumerate(location):
        below = value.get(step, _ABSENT) if isinstance(value, dict) else _ABSENT
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            below = value[step]
        if below is _ABSENT and not (missing and place == len(location) - 1):
            continue
        value = below
        path.append(step)
    return tuple(path)


_ABSENT = object()


def _model_at(model: Any, path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that describes the value at a path of the document."""
    for step in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
            if step not in fields:
                return None
            model = _part_in(fields[str(step)])
        else:
            model = _part_in(model, inside=True)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _part_in(annotation: Any, *, inside: bool = False) -> Any:
    """What an annotation is without `Annotated` and `None`; `inside`: of a mapping's or list's items."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _part_in(typing.get_args(annotation)[0], inside=inside)
    if origin in (typing.Union, types.UnionType):
        models = [_part_in(part) for part in typing.get_args(annotation) if part is not type(None)]
        kept = [part for part in models if not isinstance(part, type) or issubclass(part, BaseModel)]
        return _part_in(kept[0], inside=inside) if kept else None
    if inside and origin is dict:
        return _part_in(typing.get_args(annotation)[1])
    if inside and origin is tuple:
        return _part_in(typing.get_args(annotation)[0])
    return None if inside else annotation
