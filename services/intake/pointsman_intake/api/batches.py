"""A batch's bytes as its items: counted before they are parsed, parsed beside the loop when they are many bytes.

Up to `WHOLE_BYTES_MAX` a JSON array is parsed at once. A larger one is read item by item and left at the first item too
many; NDJSON is counted by its lines. Work beside the loop is one batch's at a time, so that batches never take more
than their share of the interpreter from the calls.
"""

import json
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson

from pointsman.contracts.document.inactive import escaped
from pointsman.runtime.http.problems import ERRORS_MAX, Problem, invalid
from pointsman.runtime.http.storable import may_be_unstorable

T = TypeVar("T")

CLOUDEVENTS = "application/cloudevents-batch+json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
WHOLE_BYTES_MAX = 65_536
"""Parsing so much takes less than a millisecond."""

MEMBERS_MAX = 200
"""Of one object of a message: some twenty are known, and as many skills as a workspace has."""

_LINE = re.compile(rb"[^\s][^\n]*")
_BLANKS = re.compile(r"[ \t\r\n]*")


def split(kind: str, body: bytes, count_max: int) -> list[Any]:
    """The items of a batch; an item that is no JSON by itself is the `Problem` that refuses it. Raises `Problem` 400,
    413 when there are too many, 415, 422."""
    if kind in NDJSON:
        lines = [found.group() for found in islice(_LINE.finditer(body), count_max + 1)]
        _count(len(lines), count_max)
        return [_loads_or_problem(line) for line in lines]
    if kind not in ("application/json", CLOUDEVENTS):
        raise unsupported(kind, ("application/json", NDJSON[0], CLOUDEVENTS))
    items = loads(body) if len(body) <= WHOLE_BYTES_MAX else _one_by_one(body, count_max)
    if not isinstance(items, list):
        raise _no_array()
    _count(len(items), count_max)
    return items


def loads(body: bytes, what: str = "body") -> Any:
    """The value of a JSON text, with its half characters when it has some: orjson would call it no JSON."""
    try:
        return json.loads(body) if may_be_unstorable(body) else orjson.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "not-json", f"the {what} is not JSON: {error}") from error


def unsupported(kind: str, known: tuple[str, ...]) -> Problem:
    return Problem(415, "unsupported-media-type", f"{kind} is not read here; one of {', '.join(known)} is")


def refused_items(read: Callable[[Any], T], items: Sequence[Any]) -> tuple[list[T], list[int], list[dict[str, Any]]]:
    """(what was read, its places, an answer for each item: empty where it was read). Of all errors of a batch the first
    `ERRORS_MAX` are told; what is refused after them is refused without."""
    done: list[T] = []
    places: list[int] = []
    answers: list[dict[str, Any]] = []
    told = 0
    for index, item in enumerate(items):
        try:
            if isinstance(item, Problem):
                raise item
            done.append(read(item))
        except Problem as problem:
            answers.append(refused_item(index, problem, ERRORS_MAX - told))
            told += len(answers[-1]["error"].get("errors", ()))
        else:
            places.append(index)
            answers.append({})
    return done, places, answers


def refused_item(index: int, problem: Problem, errors_max: int = ERRORS_MAX) -> dict[str, Any]:
    """The answer for an item that is refused."""
    error: dict[str, Any] = {"code": problem.code, "detail": problem.detail}
    if problem.errors and errors_max:
        error["errors"] = list(problem.errors)[:errors_max]
    return {"index": index, "status": problem.status, "error": error}


def refuse_many_members(message: Any) -> None:
    """Raises `Problem` 422 with the first errors of a message that has far more members than are known: they are not
    looked at one by one."""
    if not isinstance(message, dict):
        return
    parts = [("", message)]
    for name, value in message.items():
        if name != "metadata":
            listed = value if isinstance(value, list) else [value]
            parts += [(f"/{name}", part) for part in listed[:MEMBERS_MAX] if isinstance(part, dict)]
    for pointer, part in parts:
        if len(part) > MEMBERS_MAX:
            errors = [{"pointer": f"{pointer}/{escaped(str(name))}", "detail": "too many members"} for name in part]
            raise invalid(errors[:ERRORS_MAX])


def _one_by_one(body: bytes, count_max: int) -> list[Any]:
    """The items of a large array, read until it ends or there are too many."""
    try:
        text = body.decode()
        at = _after_blanks(text, 0)
        if text[at : at + 1] != "[":
            json.loads(text)  # says what is wrong with it, if it is no JSON at all
            raise _no_array()
        return _items(text, _after_blanks(text, at + 1), count_max)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error


def _items(text: str, at: int, count_max: int) -> list[Any]:
    read = json.JSONDecoder(parse_constant=_no_constant).raw_decode
    items: list[Any] = []
    if text[at : at + 1] != "]":
        while True:
            item, at = read(text, at)
            items.append(item)
            at = _after_blanks(text, at)
            if len(items) > count_max:
                _count(len(items), count_max)
            if text[at : at + 1] != ",":
                break
            at = _after_blanks(text, at + 1)
    if text[at : at + 1] != "]" or _after_blanks(text, at + 1) != len(text):
        raise ValueError(f"the array does not end well: character {at}")
    return items


def _count(count: int, count_max: int) -> None:
    if count > count_max:
        raise Problem(413, "too-many-messages", f"a batch has at most {count_max} messages, this one has more")


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _no_array() -> Problem:
    return Problem(422, "invalid-request", "the body is not an array", [{"pointer": "", "detail": "no array"}])


def _loads_or_problem(line: bytes) -> Any:
    try:
        return loads(line, "line")
    except Problem as problem:
        return problem
