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
from pointsman.contracts.one_pass import NotTaken, read_command, read_facts
from pointsman.contracts.registry import REGISTRY
from pointsman.core.decision import Emission
from pointsman.core.envelope import Arrived, Decoded, Envelope
from pointsman.core.instant import Instant, rfc3339

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
    headers = record.by_name
    workspace, id = _needed(headers, "ce_workspace"), _needed(headers, "ce_id")
    subject = _needed(headers, "ce_subject")
    if not headers.get("ce_time"):
        raise Undecodable("header ce_time is missing")
    try:
        at = record.sent_at
    except ValueError as error:
        raise Undecodable(f"header ce_time: {error}") from error
    if "ce_number" in headers:
        _check_number(headers)
    value = record.value or b""
    unknown: list[str] = []
    try:
        if topic == "commands":
            bodies = read_command(record.header("ce_type"), value)
        else:
            bodies = read_facts(topic, value, ignored)
    except NotTaken:
        bodies, unknown = _read_by_item(topic, value, ignored)
    return Decoded(
        id=id,
        workspace=workspace,
        subject=subject,
        at=at,
        bodies=tuple(bodies),
        unknown_types=tuple(unknown),
        traceparent=record.header("traceparent"),
    )


def _read_by_item(topic: str, value: bytes, ignored: frozenset[str]) -> tuple[list[Contract], list[str]]:
    """The bodies, and the types that this reader does not know, of what is not taken in one pass."""
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"the value is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise Undecodable("the value is not a JSON object")
    items = [read] if topic == "commands" else read.get("facts")
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
    return bodies, unknown


def _decode_one(topic: str, item: Any, place: int) -> Contract | None:
    """The body, or None when this reader does not know its type or version."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise Undecodable(f"/facts/{place}: not an object with a type")
    model = REGISTRY[topic].get(item["type"])
    version = item.get("version", 1)
    if not isinstance(version, int):
        raise Undecodable(f"/facts/{place}/version: {version!r} is not a number ({item['type']})")
    if model is None or version > model.version:
        return None
    del item["type"]
    item.pop("version", None)
    try:
        return model.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        raise Undecodable(f"/facts/{place}/{where}: {first['msg']} ({model.type})") from error


def _check_number(headers: Mapping[str, bytes]) -> None:
    if not headers["ce_number"].isdigit():
        raise Undecodable(f"header ce_number: {_needed(headers, 'ce_number')!r} is not a number")
    if not headers.get("ce_source"):
        raise Undecodable("header ce_source is missing")


def _needed(headers: Mapping[str, bytes], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise Undecodable(f"header {name} is missing")
    return value.decode("utf-8", "replace")
