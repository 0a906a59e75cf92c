"""Plain values from YAML or JSON text, with the line of every key.

YAML is the 1.2 core schema, read from libyaml's events: only null, booleans, numbers and text exist, so a date stays
text and `on` is a word. Duplicate keys, tags, merge keys and several documents are errors; aliases may repeat a value,
but the whole stays below `VALUES_MAX` values (no alias bombs) and `DEPTH_MAX` levels. JSON is
RFC 8259 with the same limits.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from pointsman.contracts.document.errors import DocumentError, DocumentErrors, pointer_of
from pointsman.contracts.document.parts import DOCUMENT_BYTES_MAX

VALUES_MAX = 1_000_000
DEPTH_MAX = 40

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass
class Marks:
    """The lines of a mapping's keys or a list's items, and the marks below them."""

    lines: dict[str | int, int] = field(default_factory=dict)
    below: dict[str | int, "Marks"] = field(default_factory=dict)

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """The line of the deepest part of the path that is written; None when none is."""
        line, marks = None, self
        for step in path:
            if step not in marks.lines:
                break
            line = marks.lines[step]
            if step not in marks.below:
                break
            marks = marks.below[step]
        return line


def decoded(source: str | bytes) -> str:
    """The text of a document, within the size limit. Raises `DocumentErrors`."""
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > DOCUMENT_BYTES_MAX:
        _refuse((), f"{size} bytes; a document has at most {DOCUMENT_BYTES_MAX}")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise DocumentErrors([DocumentError("", f"is not UTF-8: byte {error.start}", line)]) from error


def read_yaml(text: str) -> tuple[Any, Marks]:
    """The value and its marks. Raises `DocumentErrors`."""
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        detail = " ".join(part for part in (error.context, error.problem) if part) or "is not YAML"
        raise DocumentErrors([DocumentError("", f"is not YAML: {detail}", mark.line + 1 if mark else None)]) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise DocumentErrors([DocumentError("", f"is not YAML: {str(error).splitlines()[0]}", None)]) from error


class _Reader:
    """Events into values. One pass; an alias costs what it repeats."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Any, Marks, int]] = {}
        self._values = 0

    def document(self) -> tuple[Any, Marks]:
        next(self._events)
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return None, Marks()
        value, marks = self._node(next(self._events), ())
        next(self._events)
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            _refuse((), "several documents in one text; one is wanted", event.start_mark.line + 1)
        return value, marks

    def _node(self, event: Any, path: Path) -> tuple[Any, Marks]:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, line)
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str"):
            _refuse(path, f"the tag {event.tag} is not known here", line)
        before = self._values
        self._count(1, path, line)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.style in (None, "")
            value, marks = (_scalar(event.value, path, line) if plain else event.value), _NO_MARKS
        elif len(path) >= DEPTH_MAX:
            _refuse(path, f"more than {DEPTH_MAX} levels deep", line)
        elif isinstance(event, yaml.MappingStartEvent):
            value, marks = self._mapping(path)
        else:
            value, marks = self._list(path)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, marks, self._values - before)
        return value, marks

    def _alias(self, event: Any, path: Path, line: int) -> tuple[Any, Marks]:
        if event.anchor not in self._anchors:
            _refuse(path, f"the alias *{event.anchor} names nothing above it", line)
        value, marks, size = self._anchors[event.anchor]
        self._count(size, path, line)
        return value, marks

    def _mapping(self, path: Path) -> tuple[dict[str, Any], Marks]:
        found: dict[str, Any] = {}
        marks = Marks()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(path, "a key has to be plain text", line)
            key = event.value
            if key == "<<" and event.implicit[0]:
                _refuse(path, "merge keys (<<) are not part of YAML 1.2; write the keys out, or use an alias", line)
            if key in found:
                _refuse((*path, key), f"the key is there twice; first on line {marks.lines[key]}", line)
            marks.lines[key] = line
            found[key], below = self._node(next(self._events), (*path, key))
            if below is not _NO_MARKS:
                marks.below[key] = below
        return found, marks

    def _list(self, path: Path) -> tuple[list[Any], Marks]:
        found: list[Any] = []
        marks = Marks()
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            place = len(found)
            marks.lines[place] = event.start_mark.line + 1
            value, below = self._node(event, (*path, place))
            found.append(value)
            if below is not _NO_MARKS:
                marks.below[place] = below
        return found, marks

    def _count(self, values: int, path: Path, line: int) -> None:
        self._values += values
        if self._values > VALUES_MAX:
            _refuse(path, f"more than {VALUES_MAX} values, aliases counted as what they repeat", line)


_NO_MARKS = Marks()


def _scalar(text: str, path: Path, line: int) -> Any:
    """A plain scalar by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[:1].isalpha():
        return text
    if _INTEGER.match(text):
        return int(text)
    if text[:1].isdigit() or text[:1] in "+-.":
        if _NUMBER.match(text):
            return float(text)
        if text.lower().lstrip("+-") in (".inf", ".nan"):
            _refuse(path, f"{text} is no number here", line)
    return text


def refuse_depth(value: Any) -> None:
    """Refuses a plain value of more than `DEPTH_MAX` levels. Raises `DocumentErrors`."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return
        level = inner
    _refuse((), f"more than {DEPTH_MAX} levels deep")


def read_json(text: str) -> Any:
    """The value. Raises `DocumentErrors`; `json_marks` finds lines when some are wanted."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole)
    except _Twice as error:
        marks, path = json_marks(text, error.args[0])
        raise DocumentErrors(
            [DocumentError(pointer_of(path), "the key is there twice", marks.line_of(path))]
        ) from error
    except json.JSONDecodeError as error:
        raise DocumentErrors([DocumentError("", f"is not JSON: {error.msg.lower()}", error.lineno)]) from error
    except (RecursionError, ValueError) as error:
        detail = f"more than {DEPTH_MAX} levels deep" if isinstance(error, RecursionError) else str(error)
        raise DocumentErrors([DocumentError("", f"is not JSON for us: {detail}", None)]) from error


class _Twice(ValueError):
    """A key of an object is there twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _Twice(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > 19:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def json_marks(text: str, twice: str | None = None) -> tuple[Marks, Path]:
    """The marks of JSON text that parsed; with `twice` also the path of the first key of that name that repeats."""
    root = Marks()
    frames: list[_Frame] = []
    line, position = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        word, top = token.group(), frames[-1] if frames else None
        if top is not None and word in "]}":
            frames.pop()
        elif top is not None and word == ",":
            top.key = None if isinstance(top.key, str) else (top.key or 0) + 1
        elif top is not None and top.key is None:
            top.key = json.loads(word)
            repeats = top.key == twice and top.key in top.marks.lines
            top.marks.lines[top.key] = line
            if repeats:
                break
        elif word != ":":
            if top is not None and isinstance(top.key, int):
                top.marks.lines[top.key] = line
            if word in "[{":
                marks = root if top is None or top.key is None else top.marks.below.setdefault(top.key, Marks())
                frames.append(_Frame(marks, 0 if word == "[" else None))
    return root, tuple(frame.key for frame in frames if frame.key is not None)


@dataclass
class _Frame:
    """An open object or list while it is scanned, and the key or place it is at; None: a key comes next."""

    marks: Marks
    key: str | int | None


def _refuse(path: Path, detail: str, line: int | None = None) -> NoReturn:
    raise DocumentErrors([DocumentError(pointer_of(path), detail, line)])
