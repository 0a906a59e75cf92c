"""The checks of a simulation can fail: wrong traces and a broken desk are noticed."""

from typing import Any

import pytest

from pointsman.contracts.document import Document
from pointsman_routing.desk.choice import Choice, IndexedMatcher
from pointsman_routing.desk.desk import Desk
from pointsman_routing.desk.model import Agent, Ticket
from pointsman_routing.simulation.run import replicate
from pointsman_routing.simulation.watch import Watch
from tests.unit.routing.simulation.scenarios import a_class, a_plan


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
