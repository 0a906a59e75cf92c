"""CloudEvents 1.0 in Kafka's binary mode: attributes are `ce_*` headers, the value is JSON.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2. Extension attributes: `ce_workspace`, `ce_number`,
`ce_cause`. Beside them the plain headers `facts` and `agents` (comma-separated), `traceparent`, and for commands
`reply_to`. Readers may skip a record by its headers without parsing it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from pointsman.contracts.base import Contract
from pointsman.contracts.commands import Command
from pointsman.contracts.registry import REGISTRY
from pointsman.core.decision import Emission
from pointsman.core.envelope import Arrived, Decoded, Envelope, Numbered
from pointsman.core.instant import Instant, parse_rfc3339, rfc3339

Headers = list[tuple[str, bytes]]


class Undecodable(ValueError):
    """The record is no event of ours: what is wrong, in one line. Becomes a dead letter."""


def dump(value: Any) -> bytes:
    """JSON with instants in UTC and `Z`."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def encode_facts(emission: Emission) -> bytes:
    """The JSON value of a record of facts: the same bytes as those of `wire`, written at once."""
    return b'{"facts":[%b]}' % b",".join([fact.wire_json() for fact in emission.facts])


def fact_headers(envelope: Envelope) -> Headers:
    """The headers of a numbered record of facts."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", f"pointsman.{envelope.topic}.decided.v1".encode()),
        ("ce_time", rfc3339(envelope.at).encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_workspace", envelope.workspace.encode()),
        ("ce_number", str(envelope.number).encode()),
        ("ce_cause", envelope.cause.encode()),
        ("content-type", b"application/json"),
        ("facts", ",".join(envelope.types).encode()),
    ]
    if envelope.agents:
        headers.append(("agents", ",".join(envelope.agents).encode()))
    if envelope.traceparent:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers


def encode_command(
    command: Command, *, id: str, workspace: str, subject: str, at: Instant, source: str, traceparent: str | None = None
) -> tuple[bytes, bytes, Headers]:
    """(key, value, headers) of a command's record."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", command.type.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("ce_subject", subject.encode()),
        ("ce_workspace", workspace.encode()),
        ("content-type", b"application/json"),
    ]
    if command.reply_to:
        headers.append(("reply_to", command.reply_to.encode()))
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return workspace.encode(), dump(command.wire()), headers


def all_but(topic: str, heard: Iterable[type[Contract]]) -> frozenset[str]:
    """The types of a topic's facts that there are beside these."""
    return frozenset(REGISTRY[topic]) - {contract.type for contract in heard}


def decode(topic: str, record: Arrived, ignored: frozenset[str] = frozenset()) -> Decoded:
    """The record's known bodies, without those of `ignored` types. Raises `Undecodable`, naming the header or the place
    in the JSON."""
    headers = dict(reversed(record.headers))
    workspace, id = _needed(headers, "ce_workspace"), _needed(headers, "ce_id")
    subject, time = _needed(headers, "ce_subject"), _needed(headers, "ce_time")
    try:
        at = parse_rfc3339(time)
    except ValueError as error:
        raise Undecodable(f"header ce_time: {error}") from error
    try:
        value = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"the value is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Undecodable("the value is not a JSON object")
    items = [value] if topic == "commands" else value.get("facts")
    if not isinstance(items, list):
        raise Undecodable('the value has no list "facts"')
    bodies, unknown = [], []
    for place, item in enumerate(items):
        if ignored and isinstance(item, dict) and item.get("type") in ignored:
            continue
        body = _decode_one(topic, item, place)
        if body is None:
            unknown.append(f"{item.get('type')} v{item.get('version', 1)}")
        else:
            bodies.append(body)
    return Decoded(
        id=id,
        workspace=workspace,
        subject=subject,
        at=at,
        numbered=_numbered(headers),
        bodies=tuple(bodies),
        unknown_types=tuple(unknown),
        traceparent=_text(headers, "traceparent"),
    )


def _decode_one(topic: str, item: Any, place: int) -> Contract | None:
    """The body, or None when this reader does not know its type or version."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise Undecodable(f"/facts/{place}: not an object with a type")
    model = REGISTRY[topic].get(item["type"])
    if model is None or item.get("version", 1) > model.version:
        return None
    del item["type"]
    item.pop("version", None)
    try:
        return model.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        raise Undecodable(f"/facts/{place}/{where}: {first['msg']} ({model.type})") from error


def _numbered(headers: Mapping[str, bytes]) -> Numbered | None:
    number = _text(headers, "ce_number")
    if number is None:
        return None
    if not number.isdigit():
        raise Undecodable(f"header ce_number: {number!r} is not a number")
    return Numbered(_needed(headers, "ce_source"), int(number))


def _needed(headers: Mapping[str, bytes], name: str) -> str:
    value = _text(headers, name)
    if not value:
        raise Undecodable(f"header {name} is missing")
    return value


def _text(headers: Mapping[str, bytes], name: str) -> str | None:
    """A header as `Arrived.header` gives it."""
    value = headers.get(name)
    return None if value is None else value.decode("utf-8", "replace")
