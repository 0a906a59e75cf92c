"""CloudEvents as messages: source is the connector, id the external id, time the instant, data the other fields.

Source: CloudEvents 1.0.2, JSON event format and HTTP protocol binding (structured, binary and batched content).
"""

from typing import Any
from urllib.parse import unquote

import orjson

from pointsman.core.storable import why_unstorable
from pointsman.runtime.http.problems import Problem, invalid
from pointsman_intake.shapes import MESSAGE, MessageIn

_ATTRIBUTES = {"source": "connector", "id": "external_id", "time": "occurred_at"}


def from_structured(event: Any) -> MessageIn:
    """The message in a structured event. Raises `Problem` 422, or pydantic's `ValidationError` for the data."""
    if not isinstance(event, dict):
        raise _bad("", "a CloudEvent is a JSON object")
    if event.get("specversion") != "1.0":
        raise _bad("/specversion", 'only "1.0" is read here')
    if not isinstance(event.get("type"), str) or not event["type"]:
        raise _bad("/type", "is missing")
    data = event.get("data", {})
    if not isinstance(data, dict):
        raise _bad("/data", "is not an object: the message's other fields")
    return _message({name: event[name] for name in _ATTRIBUTES if name in event}, data)


def from_binary(headers: Any, body: bytes) -> MessageIn:
    """The message in a binary event: attributes are `ce-` headers, percent-encoded; the body is the data."""
    if headers.get("ce-specversion") != "1.0":
        raise _bad("header:ce-specversion", 'only "1.0" is read here')
    if not headers.get("ce-type"):
        raise _bad("header:ce-type", "is missing")
    try:
        data = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise _bad("", "the data is not an object: the message's other fields")
    given = {name: unquote(headers[f"ce-{name}"]) for name in _ATTRIBUTES if f"ce-{name}" in headers}
    for name, value in given.items():
        if (why := why_unstorable(value)) is not None:
            raise _bad(f"header:ce-{name}", why)
    return _message(given, data)


def _message(attributes: dict[str, Any], data: dict[str, Any]) -> MessageIn:
    for attribute, field in _ATTRIBUTES.items():
        if field in data:
            raise _bad(f"/data/{field}", f"is the attribute {attribute} of the event")
    return MESSAGE.validate_python({_ATTRIBUTES[name]: value for name, value in attributes.items()} | data)


def _bad(pointer: str, detail: str) -> Problem:
    return invalid([{"pointer": pointer, "detail": detail}])
