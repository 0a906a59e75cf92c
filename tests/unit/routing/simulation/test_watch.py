"""The checks of a simulation can fail: wrong traces and a broken desk are noticed."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.contracts.document import Document
from pointsman.contracts.document.reading import Written
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state.desk import Choice, Desk
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.simulation.planning import plan_of
from pointsman_routing.simulation.run import replicate
from pointsman_routing.simulation.watch import Watch
from tests.unit.routing.simulation.scenarios import a_class, a_plan, a_scenario


def a_watch(*classes: dict[str, Any], **fields: Any) -> Watch:
    plan = a_plan(*classes, **fields)
    watch = Watch(Document.model_validate(plan.document), plan.kinds)
    for slug in plan.agents:
        watch.present(slug, True)
    return watch


ANNA = "agent-00001"


def test_a_true_trace_breaks_nothing() -> None:
    watch = a_watch()
    watch.arrived("one", 0, 0)
    assert watch.assigned("one", ANNA, 0, 0) == 0
    watch.settled(0, 0)
    watch.passed(10)
    watch.arrived("two", 0, 10)
    watch.settled(1, 10)
    watch.passed(30)
    watch.freed("one", 0)
    assert watch.assigned("two", ANNA, 0, 30) == 20
    watch.settled(0, 30)
    watch.ended(50)
    assert watch.broken == {}


def test_waiting_beside_an_idle_agent_is_noticed() -> None:
    watch = a_watch()
    watch.arrived("one", 0, 0)
    watch.settled(1, 0)
    assert "work_conservation" in watch.broken


def test_room_of_an_agent_without_the_skill_or_of_too_few_units_is_none() -> None:
    agents = [{"capacity": 2, "skills": {"a": 2}}]
    watch = a_watch(
        a_class("higher", requires={"a": 3}), a_class("wider", weight=3), a_class("fits"), agents=agents, skills=["a"]
    )
    watch.arrived("one", 0, 0)
    watch.arrived("two", 1, 0)
    watch.settled(2, 0)
    assert watch.broken == {}
    watch.arrived("three", 2, 0)
    watch.settled(3, 0)
    assert "fits" in watch.broken["work_conservation"]


def test_room_behind_caps_and_reserves_is_known() -> None:
    agents = [{"capacity": 3, "caps": {"email": 1}, "reserve": {"chat": 1}}]
    watch = a_watch(a_class("mail"), a_class("wide", channel="social", weight=3), agents=agents)
    watch.arrived("one", 0, 0)
    watch.assigned("one", ANNA, 0, 0)
    watch.arrived("two", 0, 0)
    watch.arrived("three", 1, 0)
    watch.settled(2, 0)
    assert watch.broken == {}
    watch.freed("one", 0)
    watch.settled(2, 0)
    assert "mail" in watch.broken["work_conservation"]


def test_two_tickets_on_one_unit_are_noticed() -> None:
    watch = a_watch()
    for ticket in ("one", "two"):
        watch.arrived(ticket, 0, 0)
        watch.assigned(ticket, ANNA, 0, 0)
    assert "carries 2 units of 1" in watch.broken["capacity"]


def test_two_holders_of_one_ticket_are_noticed() -> None:
    watch = a_watch(agents=[{"count": 2, "capacity": 1}])
    watch.arrived("one", 0, 0)
    watch.assigned("one", ANNA, 0, 0)
    watch.assigned("one", "agent-00002", 0, 5)
    assert ANNA in watch.broken["capacity"]


def test_a_ticket_that_the_desk_forgot_breaks_littles_law() -> None:
    watch = a_watch()
    watch.arrived("one", 0, 0)
    watch.assigned("one", ANNA, 0, 0)
    watch.arrived("two", 0, 0)
    watch.settled(0, 0)
    watch.ended(10)
    assert "littles_law" in watch.broken


class Lazy(IndexedMatcher):
    """A desk that sometimes forgets to ask what waits when an agent gets room."""

    def __init__(self) -> None:
        self.asked = 0

    def ticket_for(self, desk: Desk, agent: Agent) -> Ticket | None:
        self.asked += 1
        return None if self.asked % 50 == 0 else super().ticket_for(desk, agent)


class Generous(IndexedMatcher):
    """A desk that gives tickets to whoever is there, full or not."""

    def agent_for(self, desk: Desk, ticket: Ticket) -> Choice | None:
        found = super().agent_for(desk, ticket)
        return found or Choice(next(iter(desk.agents.values())), (0, 0), ())


@pytest.mark.parametrize(("matcher", "check"), [(Lazy(), "work_conservation"), (Generous(), "capacity")])
def test_a_broken_desk_is_noticed(matcher: Any, check: str) -> None:
    plan = a_plan(a_class(rate=1.5), agents=[{"count": 2, "capacity": 1}], horizon=150)
    assert replicate(plan, 0).broken == {}
    assert check in replicate(plan, 0, matcher=matcher).broken


ALIKE: list[dict[str, Any]] = [{"count": 3, "capacity": 1}]
APART: list[dict[str, Any]] = [{"count": 2, "capacity": 1, "queues": ["main"]}, {"capacity": 1, "queues": ["other"]}]
X, Y = a_class("x", 1.5, queue="main"), a_class("y", 0.6, queue="other")
MONDAY = {"tz": "UTC", "week": {"mon": [["00:30", "01:30"]]}}

DESKS: dict[str, dict[str, Any]] = {
    "skills relax": {
        "skills": ["a"],
        "queues": {"main": {"relax": [{"after_seconds": 60, "drop": ["a"]}]}},
        "agents": [{"count": 2, "capacity": 1}, {"capacity": 1, "skills": {"a": 5}}],
        "classes": [a_class("x", 1.2, requires={"a": 3}), a_class("y", 0.8)],
    },
    "a queue overflows": {
        "queues": {"main": {"overflow": [{"after_seconds": 60, "to": "other"}]}, "other": {}},
        "agents": APART,
        "classes": [X, Y],
    },
    "ranks open later": {
        "queues": {"main": {}, "other": {}},
        "agents": [*APART, {"capacity": 1, "queues": {"main": 1, "other": {"rank": 2, "after_seconds": 60}}}],
        "classes": [X, Y],
    },
    "caps and reserves": {
        "queues": {"main": {}},
        "agents": [{"count": 2, "capacity": 4, "caps": {"chat": 1}, "reserve": {"email": 1}}],
        "classes": [a_class("x", 1.5, channel="chat"), a_class("y", 2), a_class("z", 0.3, weight=3, channel="social")],
    },
    "after-work": {
        "queues": {"main": {"order": "accumulating"}},
        "agents": ALIKE,
        "wrap_up_seconds": {"chat": 30},
        "classes": [a_class("x", 1, channel="chat", slope=2), a_class("y", 0.5)],
    },
    "a full queue resolves": {
        "queues": {"main": {"max_waiting": 3, "full": {"then": "resolve"}}},
        "agents": ALIKE,
        "classes": [a_class("x", 4)],
    },
    "a full queue sends on": {
        "queues": {"main": {"max_waiting": 3, "full": {"then": {"to": "other"}}}, "other": {"order": "strict"}},
        "agents": APART,
        "classes": [a_class("x", 3, queue="main", priority=5), Y],
    },
    "hours": {
        "queues": {"main": {"hours": "office"}},
        "agents": ALIKE,
        "calendars": {"office": MONDAY},
        "classes": [a_class("x", 2)],
    },
    "weightless tickets": {
        "queues": {"main": {}},
        "agents": ALIKE,
        "classes": [a_class("x", 2, weight=0), a_class("y", 2)],
    },
    "a promise": {
        "queues": {"main": {"order": "urgency"}},
        "agents": ALIKE,
        "sla": {"policies": [{"name": "p", "targets": {"first_response": {"urgent": 60, "default": 600}}}]},
        "classes": [a_class("x", 1.5, priority="urgent"), a_class("y", 1.2, priority="low")],
    },
    "nobody who could": {
        "queues": {"main": {}},
        "agents": ALIKE,
        "classes": [a_class("x", 1, weight=2, balk=True), a_class("y", 0.5, weight=2)],
    },
}


@pytest.mark.parametrize("rule", DESKS)
def test_no_rule_of_the_desk_is_mistaken_for_a_broken_one(rule: str) -> None:
    desk = dict(DESKS[rule])
    classes = desk.pop("classes")
    given = {**a_scenario(sla=True, warmup=5, horizon=130), "desk": desk, "classes": classes}
    found = replicate(plan_of(Written(given, None), Path()), 0)
    assert found.broken == {}
    assert sum(counts["arrived"] for counts, _, _ in found.classes.values()) > 50
