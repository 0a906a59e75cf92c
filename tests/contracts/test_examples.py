"""A newer reader decodes every older example; what it does not know it skips alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import orjson
import pytest

from pointsman.contracts.base import Value
from pointsman.contracts.codec import decode
from pointsman.contracts.generate import EXAMPLES, SCHEMAS
from pointsman.core.envelope import Arrived

STORED = sorted(EXAMPLES.rglob("*.json"))
FACTS = [path for path in STORED if path.parent.name != "commands"]


def _arrived(topic: str, *items: dict[str, Any]) -> Arrived:
    value = items[0] if topic == "commands" else {"facts": list(items)}
    headers = {"ce_id": "evt_1", "ce_workspace": "acme", "ce_subject": "it", "ce_time": "2026-03-02T09:15:30Z"}
    return Arrived(
        topic=topic,
        partition=0,
        offset=0,
        timestamp_ms=0,
        key=b"acme",
        value=orjson.dumps(value),
        headers=tuple((name, text.encode()) for name, text in headers.items()),
    )


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_example_is_decoded(path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    decoded = decode(path.parent.name, _arrived(path.parent.name, example))
    assert decoded.unknown_types == ()
    assert [body.type for body in decoded.bodies] == [example["type"]]


def parts_of(value: type[Value]) -> Iterator[type[Value]]:
    for part in value.__subclasses__():
        yield part
        yield from parts_of(part)


def test_what_may_be_none_may_be_left_out() -> None:
    """`PUT /config` with `If-Match: *` was answered 503: the command left `expects` out, and no desk could read it."""
    required = {
        f"{part.__name__}.{name}"
        for part in parts_of(Value)
        for name, field in part.model_fields.items()
        if field.is_required() and type(None) in get_args(field.annotation)
    }
    assert not required


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_example_fits_its_schema(path: Path) -> None:
    schema = orjson.loads((SCHEMAS / path.parent.name / path.name).read_bytes())
    jsonschema.validate(orjson.loads(path.read_bytes()), schema)


@pytest.mark.parametrize("change", [{"type": "ticket.teleported"}, {"version": 99}], ids=["type", "version"])
def test_what_a_newer_producer_says_is_skipped_alone(change: dict[str, Any]) -> None:
    known = orjson.loads((EXAMPLES / "desk" / "ticket.queued.v1.json").read_bytes())
    decoded = decode("desk", _arrived("desk", {**known, **change}, known))
    assert [body.type for body in decoded.bodies] == ["ticket.queued"]
    assert len(decoded.unknown_types) == 1


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_a_newer_field_of_a_fact_is_ignored(path: Path) -> None:
    example = {**orjson.loads(path.read_bytes()), "a_field_of_tomorrow": 1}
    assert decode(path.parent.name, _arrived(path.parent.name, example)).unknown_types == ()
