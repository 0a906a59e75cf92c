"""What the auditor says of a desk: nothing while it is played by the rules, and each thing that was broken by hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pointsman_routing.desk.questions import invariants
from pointsman_routing.desk.questions.invariants import Violation
from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

DOCUMENT = a_workspace(
    {"anna": {"capacity": 2, "caps": {"chat": 1}}, "boris": {"capacity": 3, "reserve": {"chat": 1}}, "carla": {}}
)


@pytest.fixture
def driver() -> DeskDriver:
    """tkt_1 offered, tkt_2 assigned, tkt_3 pending; tkt_4 waits for a skill that nobody has."""
    driver = DeskDriver(DOCUMENT | {"skills": ["rare"]})
    for number in (1, 2, 3):
        driver.say(f"tkt_{number}")
    driver.accept("tkt_2")
    driver.accept("tkt_3")
    driver.pend("tkt_3")
    driver.say("tkt_4", requires={"rare": 5})
    assert findings(driver) == []
    return driver


def findings(driver: DeskDriver) -> list[Violation]:
    desk = driver.desk
    of_tickets = [found for ticket in desk.tickets.values() for found in invariants.of_ticket(desk, ticket)]
    return of_tickets + [found for agent in desk.agents.values() for found in invariants.of_agent(desk, agent)]


def holder(driver: DeskDriver, ticket: str) -> str:
    return invariants.owner_of(driver.ticket(ticket)) or ""


def in_two_hands(driver: DeskDriver) -> None:
    other = next(agent for agent in driver.desk.agents.values() if agent.slug != holder(driver, "tkt_2"))
    other.hand["tkt_2"] = None


def owned_without_a_hand(driver: DeskDriver) -> None:
    del driver.desk.agents[holder(driver, "tkt_2")].hand["tkt_2"]


def held_while_it_waits(driver: DeskDriver) -> None:
    driver.ticket("tkt_4").charged = True


def charged_twice(driver: DeskDriver) -> None:
    driver.desk.agents[holder(driver, "tkt_2")].load += 1


def more_than_it_can_carry(driver: DeskDriver) -> None:
    agent = driver.desk.agents["anna"]
    agent.load = agent.profile.capacity + 1


def able_and_not_offered(driver: DeskDriver) -> None:
    ticket = driver.ticket("tkt_4")
    driver.desk.waiting.leave(ticket)
    ticket.labels = ticket.labels._replace(requires=frozenset())
    driver.desk.waiting.enter(ticket, 0)


def lost_from_the_index(driver: DeskDriver) -> None:
    driver.ticket("tkt_4").place = None


def held_for_ever(driver: DeskDriver) -> None:
    driver.close_queue(until=driver.now + timedelta(hours=1))
    assert driver.ticket("tkt_4").held == "closed"
    assert findings(driver) == []
    driver.desk.arm(kinds.OPENING, "general", None)


def without_its_timer(driver: DeskDriver) -> None:
    offer = driver.ticket("tkt_1").offer
    assert offer is not None
    driver.desk.arm(kinds.OFFER, offer.id, None)


def with_another_lease(driver: DeskDriver) -> None:
    driver.desk.agents["boris"].sessions["app"] += timedelta(seconds=60)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (in_two_hands, "double-owner"),
        (owned_without_a_hand, "double-owner"),
        (held_while_it_waits, "wrong-charge"),
        (charged_twice, "wrong-charge"),
        (more_than_it_can_carry, "over-capacity"),
        (able_and_not_offered, "limbo"),
        (lost_from_the_index, "state"),
        (held_for_ever, "limbo"),
        (without_its_timer, "timer"),
        (with_another_lease, "timer"),
    ],
)
def test_what_is_broken_is_found(driver: DeskDriver, broken: Callable[[DeskDriver], None], kind: str) -> None:
    broken(driver)
    assert kind in {finding.kind for finding in findings(driver)}


def test_a_timer_that_did_not_fire_is_overdue(driver: DeskDriver) -> None:
    offer = driver.ticket("tkt_1").offer
    assert offer is not None
    late = offer.expires_at + timedelta(seconds=90)
    (found,) = invariants.overdue(driver.desk, late, timedelta(seconds=60), 20)
    assert (found.kind, found.since) == ("timer", offer.expires_at)
    assert list(invariants.overdue(driver.desk, offer.expires_at, timedelta(seconds=60), 20)) == []


def test_the_caps_and_what_others_keep_count_as_capacity(driver: DeskDriver) -> None:
    anna, boris = driver.desk.agents["anna"], driver.desk.agents["boris"]
    anna.counts = {"chat": 2}
    boris.units, boris.load = {"email": 3}, 3
    (anna_has,), (boris_has,) = (list(invariants.excesses(each, each.profile)) for each in (anna, boris))
    assert (anna_has.limit, anna_has.channel) == ("caps", "chat")
    assert (boris_has.limit, boris_has.channel) == ("reserve", "email")
    assert "at most 1" in anna_has.says
    assert "kept for others" in boris_has.says


def suspected(driver: DeskDriver) -> list[str]:
    """The limits that the router itself exceeded."""
    found: list[str] = []
    for agent in driver.desk.agents.values():
        for excess, charge in invariants.suspects(driver.desk, agent):
            policy = driver.policies[charge.config_version]
            same = charge.config_version == driver.desk.policy.version
            if same or not invariants.was_within(agent, excess, policy.profiles.get(agent.slug)):
                found.append(excess.limit)
    return found


@pytest.mark.parametrize(
    ("before", "after", "channel"),
    [
        ({"capacity": 2}, {"capacity": 1}, "email"),
        ({"capacity": 4}, {"capacity": 4, "caps": {"chat": 0}}, "chat"),
        ({"capacity": 4}, {"capacity": 4, "reserve": {"chat": 3}}, "email"),
    ],
)
def test_what_a_lower_limit_found_in_hand_is_nobodys_mistake(
    before: dict[str, Any], after: dict[str, Any], channel: str
) -> None:
    """Nor when other channels are charged by the new version, or the same charge is held again."""
    document = a_workspace({"anna": before})
    driver = DeskDriver(document)
    for number in (1, 2):
        driver.assigned(f"tkt_{number}", channel=channel)
    driver.configure({**document, "agents": {"anna": after}})
    assert findings(driver), "more than the limit"
    assert suspected(driver) == []
    driver.resolve("tkt_1", wrap_up_seconds=60)
    driver.say("tkt_1", channel=channel)
    assert driver.ticket("tkt_1").state == "assigned"
    driver.say("tkt_3", channel="chat" if channel == "email" else "email")
    assert suspected(driver) == []


def test_a_charge_above_what_its_own_version_allowed_is_found_after_any_later_version() -> None:
    document = a_workspace({"anna": {"capacity": 2}})
    driver = DeskDriver(document)
    for number in (1, 2):
        driver.assigned(f"tkt_{number}")
    driver.desk.agents["anna"].load = 3
    assert suspected(driver) == ["capacity"]
    driver.desk.agents["anna"].load = 2
    driver.configure({**document, "agents": {"anna": {"capacity": 1}}})
    driver.desk.agents["anna"].load = 3
    assert suspected(driver) == ["capacity"]


def test_what_a_supervisor_put_above_a_limit_by_name_is_nobodys_mistake() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned("tkt_1")
    driver.say("tkt_2")
    driver.assign("anna", "tkt_2", override=True)
    assert [each.limit for each in invariants.excesses(driver.agent("anna"), driver.agent("anna").profile)] == [
        "capacity"
    ]
    assert suspected(driver) == []
