"""Mistakes of every kind are told in one answer: shapes, names, kinds, calendars. They came one kind after another."""

import difflib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointsman.contracts.document import DocumentErrors, read_document, read_plain
from pointsman.contracts.document.vetting import vetted
from pointsman.core.nearest import LENGTH_MAX
from tests.unit.document.documents import a_document, only_error, refused

ACME = Path(__file__).parents[3] / "deploy" / "examples" / "acme.yaml"

FIVE = """\
workspace: acme
connectors:
  slack: {channel: chat, kind: slakc}
skills: [billing]
agents:
  anna: {capcity: 3, queues: [bilings]}
queues:
  billings: {order: lifo, hours: offce}
calendars:
  office: {week: {mon: [["09:00", "25:00"]]}}
  italy: {always: true, holidays_of: {country: XX}}
webhooks:
  crm: {events: [ticket.asigned]}
"""


def told(written: str) -> list[str]:
    with pytest.raises(DocumentErrors) as refusal:
        vetted(read_plain(written), year=2026)
    return [error.pointer for error in refusal.value.errors]


def test_mistakes_of_different_kinds_are_told_in_one_answer_from_top_to_bottom() -> None:
    assert told(FIVE) == [
        "/connectors/slack/kind",
        "/agents/anna/capcity",
        "/agents/anna/queues/bilings",
        "/queues/billings/order",
        "/queues/billings/hours",
        "/calendars/office/week/mon/0/1",
        "/calendars/italy/holidays_of/country",
        "/webhooks/crm/events/0",
    ]


def _agent(document: dict[str, Any]) -> str:
    document["agents"]["giulia"]["capacity"] = "many"
    return "/agents/giulia/capacity"


def _queue(document: dict[str, Any]) -> str:
    document["queues"]["money"]["ordr"] = "fifo"
    return "/queues/money/ordr"


def _kind(document: dict[str, Any]) -> str:
    document["connectors"]["business-slack"]["kind"] = "slakc"
    return "/connectors/business-slack/kind"


def _scheme(document: dict[str, Any]) -> str:
    document["connectors"]["business-slack"]["verify"]["scheme"] = "slack-v1"
    return "/connectors/business-slack/verify/scheme"


def _rule(document: dict[str, Any]) -> str:
    document["classify"]["rules"].insert(0, {"when": {"text": "("}, "set": {"tags": ["x"]}})
    return "/classify/rules/0/when/text"


def _rule_queue(document: dict[str, Any]) -> str:
    document["classify"]["rules"].append({"set": {"queue": "nowhere"}})
    return f"/classify/rules/{len(document['classify']['rules']) - 1}/set/queue"


def _rule_priority(document: dict[str, Any]) -> str:
    document["classify"]["rules"].append({"set": {"priority": "hgih"}})
    return f"/classify/rules/{len(document['classify']['rules']) - 1}/set/priority"


def _holidays(document: dict[str, Any]) -> str:
    document["calendars"]["round-the-clock"]["holidays_of"] = {"country": "XX"}
    return "/calendars/round-the-clock/holidays_of/country"


def _ladder(document: dict[str, Any]) -> str:
    document["sla"]["last_resort"] = "nobody"
    return "/sla/last_resort"


def _secret(document: dict[str, Any]) -> str:
    document["webhooks"]["warehouse"]["secret"] = "other/hook"
    return "/webhooks/warehouse/secret"


def _template(document: dict[str, Any]) -> str:
    document["classify"]["language_skill"] = "lang-{langauge}"
    return "/classify/language_skill"


MISTAKES: tuple[Callable[[dict[str, Any]], str], ...] = (
    *(_agent, _queue, _kind, _scheme, _rule_queue, _rule_priority, _holidays, _ladder, _secret, _template),
    _rule,  # moves the other rules down: the last
)


@pytest.mark.parametrize("seed", range(40))
def test_any_mistakes_together_are_told_each_in_its_place_and_nothing_else_is(seed: int) -> None:
    """What is taken out for its shape makes nothing else look wrong, and moves no pointer."""
    document = read_plain(ACME.read_bytes()).value
    for calendar in document["calendars"].values():
        calendar.pop("ical", None)
    chance = random.Random(seed)
    made = sorted(chance.sample(MISTAKES, chance.randint(2, 6)), key=MISTAKES.index)
    pointers = [make(document) for make in made]
    if _rule in made:
        rules = [pointer.split("/") for pointer in pointers[:-1]]
        moved = ["/".join([*p[:3], str(int(p[3]) + 1), *p[4:]]) if p[2:3] == ["rules"] else "/".join(p) for p in rules]
        pointers = [*moved, pointers[-1]]
    assert sorted(told(json.dumps(document))) == sorted(pointers)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"connectors": {"c": {"channel": "chat", "kind": "slakc"}}}, "slack"),
        ({"connectors": {"c": {"channel": "chat", "kind": "Slack"}}}, "slack"),
        ({"connectors": {"c": {"channel": "chat", "kind": "slack", "verify": {"scheme": "slack-v1"}}}}, "slack-v0"),
        ({"webhooks": {"w": {"events": ["ticket.asigned"]}}}, "ticket.assigned"),
        ({"queues": {"billing": {}, "b": {"overflow": [{"after_seconds": 1, "to": "biling"}]}}}, "billing"),
        ({"skills": ["refunds"], "agents": {"a": {"skills": {"refnds": 1}}}}, "refunds"),
    ],
)
def test_a_name_that_is_near_one_that_there_is_is_suggested(given: dict[str, Any], meant: str) -> None:
    """`kind: slakc` passed silently."""
    assert f"did you mean '{meant}'?" in only_error(a_document(**given)).detail


def test_a_kind_that_is_near_none_is_told_with_all_that_there_are() -> None:
    error = only_error(a_document(connectors={"c": {"channel": "chat", "kind": "pigeon-post"}}))
    assert "whatsapp" in error.detail


def test_a_name_of_a_megabyte_is_told_briefly_and_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """To compare takes time that grows with the name: a document with many such names held its process for long."""
    compared: list[str] = []
    compare = difflib.get_close_matches

    def noted(name: str, *given: Any) -> list[str]:
        compared.append(name)
        return compare(name, *given)

    monkeypatch.setattr(difflib, "get_close_matches", noted)
    long = "a" * 1_000_000
    connector = {"channel": "chat", "kind": long, "verify": {"scheme": long}}
    errors = refused(a_document(connectors={"c": connector}, webhooks={"w": {"events": [long]}}, **{long: 1}))
    assert len(errors) == 4
    assert all(len(name) <= LENGTH_MAX for name in compared)


def test_a_kind_of_an_earlier_release_is_let_be_where_it_stands() -> None:
    old = a_document(connectors={"c": {"channel": "chat", "kind": "pigeon", "verify": {"scheme": "feather"}}})
    assert read_document(old, standing=old).connectors["c"].kind == "pigeon"
    other = a_document(connectors={"c": {"channel": "chat", "kind": "dove", "verify": {"scheme": "feather"}}})
    with pytest.raises(DocumentErrors) as refusal:
        read_document(other, standing=old)
    assert [error.pointer for error in refusal.value.errors] == ["/connectors/c/kind"]


def test_what_is_taken_out_makes_nothing_else_look_wrong() -> None:
    """An agent's wrong capacity, a calendar's wrong week and a step's wrong `on` were no reason to find more."""
    errors = refused(
        a_document(
            calendars={"office": {"week": {"mon": "always"}}},
            agents={"anna": {"capacity": "many", "reserve": {"chat": 9}, "hours": "office"}},
            sla={
                "policies": [{"name": "p", "calendar": "office", "targets": {"resolution": {"default": 60}}}],
                "ladders": {"l": [{"on": "braech", "do": [{"boost": 9}]}, {"after_seconds": 60}]},
            },
        )
    )
    assert [error.pointer for error in errors] == [
        "/agents/anna/capacity",
        "/calendars/office/week/mon",
        "/sla/ladders/l/0/on",
        "/sla/ladders/l/0/do/0/boost",
    ]
