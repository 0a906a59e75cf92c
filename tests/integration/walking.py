"""Every call that an OpenAPI document describes, with one of its parts replaced by something that nobody should send.

The documents are generated from the routes, so that a new route is walked by itself. `Spot` is one replaceable part:
of the path, the query, the headers or the body; `calls_of` gives each spot of an operation with each bad value.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import quote

LEVELS_MAX = 6
HUGE = "x" * 1_000_000
NESTED: Any = "x"
for _ in range(300):
    NESTED = [NESTED]

TEXTS = ("a\0b", "x\udfff", HUGE, "")
UNKEEPABLE = ("a\0b", "x\udfff")
NUMBERS = (2**31, 2**63, 10**400, -1, float("nan"))
INSTANTS = (
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "²",
    "2030-01-01T02:00:00+02:00",
)
ANYTHING = ("\0", "\ud800", {"a\0": 1}, {"a": ["\udc00"]}, NESTED, 2**64, float("nan"), [HUGE], None)
HEADERS = ("²", "%00", '"99999999999999999999"', "x" * 8_000)
SAMPLES = ("a", "2026-01-01", "09:00-17:00", "https://hooks.example/", "available", "Ab1-")
NAMED: dict[str, Any] = {"connector": "site-chat", "source": "site-chat", "specversion": "1.0", "agent": "anna"}
Path = tuple[str | int, ...]
Make = Callable[[Any], Any]


@dataclass(frozen=True)
class Call:
    """One call. `pointer`: what a refusal of it has to point at; None when it may as well be taken."""

    method: str
    url: str
    headers: dict[str, bytes] = field(default_factory=dict)
    body: bytes | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.url[:150]} {self.headers} {(self.body or b'')[:300]!r}"


class Walk:
    """The calls of one service. `known` gives real values for the names in paths, `bodies` whole bodies by path."""

    def __init__(self, prefix: str, document: dict[str, Any], known: dict[str, str], bodies: dict[str, Any]) -> None:
        self._prefix, self._document, self._known, self._bodies = prefix, document, known, bodies

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(method, path, operation)."""
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def calls_of(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[Call]:
        parameters = operation.get("parameters", [])
        bodies = list(self._bodies_of(path, operation))
        headers, body = next(((headers, body) for _, headers, body in bodies), ({}, None))
        needed = {one["name"]: b"*" for one in parameters if one["in"] == "header" and one.get("required")}
        needed |= {"If-Match": b"*"} if method in ("PUT", "PATCH") else {}
        base = Call(method, self._url(path), {**needed, **headers}, body)
        for name in [part.split("}")[0] for part in path.split("{")[1:]]:
            for text in ("a\0b", "x\udfff", HUGE):
                bad = Call(method, self._url(path, {name: _quoted(text)}), base.headers, base.body, None)
                yield _pointing(bad, f"path:{name}", text)
        for one in parameters:
            if one["in"] == "query":
                yield from self._queries(base, one)
        streams = {"Last-Event-ID"} if path.endswith("/stream") else set()
        for name in sorted({one["name"] for one in parameters if one["in"] == "header"} | streams):
            for text in HEADERS:
                yield Call(method, base.url, {**base.headers, name: text.encode("latin-1")}, base.body)
        for kind, given, written in bodies:
            if kind is None:
                yield Call(method, base.url, {**needed, **given}, written)
        for media_type, pointer, instance, unkeepable in self._instances(path, operation):
            content = {**needed, "Content-Type": media_type.encode()}
            yield Call(method, base.url, content, _json(instance), pointer if unkeepable else None)

    def _queries(self, base: Call, one: dict[str, Any]) -> Iterator[Call]:
        name, (_, kind, _) = one["name"], next(self._spots(one["schema"]), ((), "text", None))
        values = {"number": NUMBERS, "instant": (*INSTANTS, "a\0b")}.get(kind, ("a\0b", "²", HUGE, INSTANTS[0]))
        for value in map(str, values):
            yield _pointing(
                Call(base.method, f"{base.url}?{quote(name)}={_quoted(value[:60_000])}", base.headers, base.body),
                f"?{name}",
                value,
            )
        if name in ("cursor", "after"):
            for cursor in _cursors():
                yield Call(base.method, f"{base.url}?{name}={cursor}", base.headers, base.body)

    def _url(self, path: str, changed: dict[str, str] | None = None) -> str:
        for name, value in ({n: quote(v, safe="") for n, v in self._known.items()} | (changed or {})).items():
            path = path.replace(f"{{{name}}}", value)
        return self._prefix + path

    def _bodies_of(self, path: str, operation: dict[str, Any]) -> Iterator[tuple[str | None, dict[str, bytes], bytes]]:
        """(media type if it is JSON, headers, body): what a call has when something else of it is bad."""
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            named = {"Content-Type": media_type.replace("*/*", "text/plain").encode()}
            if media_type.endswith("json"):
                yield media_type, named, _json(self._bodies.get(path, self.sample(content.get("schema", {}))))
            elif "yaml" in media_type:
                for text in (b'a: "\\0"', b"a: \0", b'"\\x00": 1', b'a: "\\ud800"', b"a: \xed\xa0\x80", b"a: 1e999"):
                    yield None, named, text
            else:
                for text in (b"\0", b"\xff\xfe\xed\xa0\x80", HUGE.encode(), b"comment=%00", b'{"comment": "\\ud800"}'):
                    yield None, named, text

    def _instances(self, path: str, operation: dict[str, Any]) -> Iterator[tuple[str, str, Any, bool]]:
        """(media type, pointer, body, whether it cannot be kept) for each part of each JSON body."""
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if not media_type.endswith("json"):
                continue
            known = self._bodies.get(path)
            for place, kind, make in self._spots(content.get("schema", {})):
                for value in {"text": TEXTS, "key": TEXTS, "number": NUMBERS, "instant": INSTANTS}.get(kind, ANYTHING):
                    made = make(value)
                    if isinstance(known, dict) and isinstance(made, dict):
                        made = {**known, place[0]: made[place[0]]} if place and place[0] in made else {**known, **made}
                    yield media_type, pointer_of(place, kind, value), made, _unkeepable(value)
            for place, make in leaves(known):
                yield media_type, pointer_of(place, "text", UNKEEPABLE[0]), make(UNKEEPABLE[0]), True

    def sample(self, schema: dict[str, Any]) -> Any:
        """The smallest value of a schema, as far as it says what that is."""
        schema = self._resolved(schema)
        for name in ("const", "default"):
            if name in schema:
                return schema[name]
        if "enum" in schema:
            return schema["enum"][0]
        for name in ("anyOf", "oneOf", "allOf"):
            if name in schema:
                return self.sample(schema[name][0])
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                return {name: NAMED.get(name, self.sample(fields[name])) for name in schema.get("required", [])}
            case "array":
                items = schema.get("prefixItems") or [schema.get("items", {})] * schema.get("minItems", 0)
                return [self.sample(item) for item in items]
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case "string":
                return _text(schema)
        return {}

    def _spots(self, schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[Path, str, Make]]:
        """(path, kind, make a value with this part replaced) for each part of a schema."""
        schema = self._resolved(schema)
        if depth > LEVELS_MAX:
            return
        for name in ("anyOf", "oneOf", "allOf"):
            for branch in schema.get(name, ()):
                if branch.get("type") != "null":
                    yield from self._spots(branch, depth)
            if name in schema:
                return
        match schema.get("type"):
            case "string":
                yield (), "instant" if schema.get("format") == "date-time" else "text", _same
            case "integer" | "number":
                yield (), "number", _same
            case "array":
                for place, item in enumerate(schema.get("prefixItems") or [schema.get("items", {})]):
                    before = self.sample(schema)[:place] if place else []
                    for path, kind, make in self._spots(item, depth + 1):
                        yield (place, *path), kind, _listed(make, before)
            case "object":
                yield from self._spots_of_object(schema, depth)
            case None:
                yield (), "anything", _same

    def _spots_of_object(self, schema: dict[str, Any], depth: int) -> Iterator[tuple[Path, str, Make]]:
        fields, others = schema.get("properties", {}), schema.get("additionalProperties", not schema.get("properties"))
        base = self.sample(schema)
        named = {**fields, "k": others if isinstance(others, dict) else {}} if others else fields
        for name, inner in named.items():
            for path, kind, make in self._spots(inner, depth + 1):
                yield (name, *path), kind, _fielded(make, base, name)
        if others:
            yield (), "key", lambda value: {**base, value: self.sample(named["k"])}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def leaves(value: Any) -> Iterator[tuple[Path, Make]]:
    """(path, make the value with this text replaced) for each text in a JSON value."""
    if isinstance(value, str):
        yield (), _same
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inside:
        for path, make in leaves(below):
            yield (step, *path), _replaced(make, value, step)


def pointer_of(path: Path, kind: str, value: Any) -> str:
    """What a refusal of this value at this place points at: U+FFFD for half a character, nothing for NUL."""
    steps = [*path]
    if kind == "key":
        steps.append(str(value))
    elif isinstance(value, dict):
        steps += [*value] if value != {"a": ["\udc00"]} else ["a", 0]
    text = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _cursors() -> Iterator[str]:
    """Cursors of every shape that we give out, with the most extreme parts; and what follows a feed."""
    big, text, instant = 2**63 - 1, "z", INSTANTS[4]
    shapes = (
        *((one,) for one in (big, 2**64, "a\0", text)),
        *product((big, text), (big, text)),
        *product(("-opened_at", text), (INSTANTS[0], instant), (text,)),
        *product((instant,), (1, big), (big,), (1,)),
    )
    for parts in shapes:
        yield urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    yield from ("x.1", ".", f"x.{2**63 - 1}.{2**63 - 1}.{2**63 - 1}", "x.-1.-1.-1", "x.²", "²", "x" * 512)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()  # half characters as `\ud800`, numbers as Python writes them


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "2030-01-01T00:00:00Z"
    found = [text for text in SAMPLES if re.search(schema.get("pattern", ""), text)] or ["a"]
    return found[0].ljust(schema.get("minLength", 0), "a")


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass")[:60_000], safe="")


def _pointing(call: Call, pointer: str, text: str) -> Call:
    wanted = pointer if text in UNKEEPABLE else None
    return Call(call.method, call.url, call.headers, call.body, wanted)


def _unkeepable(value: Any) -> bool:
    return isinstance(value, str | dict) and (value in UNKEEPABLE or isinstance(value, dict))


def _same(value: Any) -> Any:
    return value


def _listed(make: Make, before: list[Any]) -> Make:
    return lambda value: [*before, make(value)]


def _fielded(make: Make, base: dict[str, Any], name: str) -> Make:
    return lambda value: {**base, name: make(value)}


def _replaced(make: Make, whole: Any, step: str | int) -> Make:
    return lambda value: _with(whole, step, make(value))


def _with(value: Any, step: str | int, new: Any) -> Any:
    if isinstance(value, dict):
        return {**value, step: new}
    return [*value[: int(step)], new, *value[int(step) + 1 :]]
