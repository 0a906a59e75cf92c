"""What is read in one pass is what reading item by item makes of it, and nothing is taken that this refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.contracts import codec
from pointsman.contracts.base import Contract
from pointsman.contracts.generate import EXAMPLES
from pointsman.contracts.one_pass import NotTaken, read_command, read_facts
from pointsman.contracts.registry import REGISTRY
from pointsman.core.envelope import Arrived

STORED = sorted(EXAMPLES.rglob("*.json"))
FACTS = [path for path in STORED if path.parent.name != "commands"]
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 3.0, 3.5, 10**15, "", "3", "no", "2026-03-02T09:15:30+01:00", "2026-03-02T09:15:30"),
    *([], ["a"], [1], {}, {"billing": 1}, {"billing": "high"}, {"id": "x"}, {"kind": "agent", "id": "ada"}),
)
NONE: frozenset[str] = frozenset()


def in_one_pass(topic: str, *items: dict[str, Any]) -> list[Contract] | None:
    """The bodies, None when they are to be read item by item."""
    try:
        if topic == "commands":
            return list(read_command(items[0]["type"], orjson.dumps(items[0])))
        return list(read_facts(topic, orjson.dumps({"facts": items}), NONE))
    except NotTaken:
        return None


def by_item(topic: str, item: dict[str, Any]) -> Contract | None:
    """The body, None when it is refused or not known."""
    model = REGISTRY[topic][item["type"]]
    fields = {name: value for name, value in item.items() if name not in ("type", "version")}
    try:
        return model.model_validate(fields)
    except ValueError:
        return None


def altered(example: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The example with each field in turn left out, and of another kind."""
    for name in example.keys() - {"type", "version"}:
        yield {key: value for key, value in example.items() if key != name}
        for odd in ODD:
            yield example | {name: odd}
    yield example | {"a_field_of_tomorrow": 1}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_both_ways_read_the_same(path: Path) -> None:
    topic, example = path.parent.name, orjson.loads(path.read_bytes())
    assert in_one_pass(topic, example) == [by_item(topic, example)]
    for other in altered(example):
        body = by_item(topic, other)
        assert in_one_pass(topic, other) == (None if body is None else [body]), other


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_what_is_ignored_is_not_read(path: Path) -> None:
    topic, example = path.parent.name, orjson.loads(path.read_bytes())
    broken = {"type": example["type"], "version": 99, "ticket_id": {}}
    others = orjson.loads(FACTS[0].read_bytes()) if topic == FACTS[0].parent.name else None
    value = orjson.dumps({"facts": [broken, *([others] if others else [])]})
    ignored = frozenset({example["type"]})
    known = [others["type"]] if others and others["type"] not in ignored else []
    assert [body.type for body in read_facts(topic, value, ignored)] == known


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"facts": {}}',
        b'{"facts": [1]}',
        b'{"facts": [{"version": 1}]}',
        b'{"facts": [{"type": "ticket.woken", "version": "1"}]}',
        b'{"facts": [{"type": "ticket.woken", "version": 1, "ticket_id": "t", "reason": "\xff"}]}',
        b'{"facts": [{"type": "ticket.woken", "version": 1, "ticket_id": "t", "reason": "\\ud800"}]}',
        b'{"facts": [{"type": "ticket.woken", "version": 1, "ticket_id": "t", "reason": "r"}]} {}',
    ],
)
def test_what_is_no_record_of_facts_is_not_taken_and_told(value: bytes) -> None:
    with pytest.raises(NotTaken):
        read_facts("desk", value, NONE)
    headers = {"ce_id": "evt_1", "ce_workspace": "acme", "ce_subject": "it", "ce_time": "2026-03-02T09:15:30Z"}
    arrived = Arrived("desk", 0, 0, 0, b"acme", value, tuple((name, text.encode()) for name, text in headers.items()))
    with pytest.raises(codec.Undecodable):
        codec.decode("desk", arrived)


def test_no_figure_is_beyond_all_figures() -> None:
    """A reader of JSON takes these words for numbers; no clock ran so long."""
    example = (EXAMPLES / "sla" / "clock.paused.v1.json").read_bytes()
    seconds = orjson.loads(example)["elapsed_business_seconds"]
    for word in (b"NaN", b"Infinity", b"-Infinity"):
        value = b'{"facts":[%b]}' % orjson.dumps(orjson.loads(example)).replace(b"%r" % seconds, word)
        assert word in value
        with pytest.raises(NotTaken):
            read_facts("sla", value, NONE)
