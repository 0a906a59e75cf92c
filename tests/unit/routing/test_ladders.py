"""Escalation ladders on the desk: what `clock.escalated` does to a ticket, once per clock, cycle and step."""

import pytest

from pointsman.contracts.commands import TransferTo
from pointsman_routing.desk.rules.reasons import why
from pointsman_routing.desk.state.desk import Choice, Desk
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace
from tests.unit.routing.escalations import an_escalation
from tests.unit.routing.invariants import assert_sound

ORDERS = ("priority", "strict", "urgency", "accumulating")


def climbs(driver: DeskDriver, ticket: str = "tkt_1", **step: object) -> None:
    """Sla carries a step out."""
    driver.hear(an_escalation(ticket, **step), topic="sla")
    assert_sound(driver.desk)


def first_of(driver: DeskDriver) -> str:
    """Who is offered when anna is there."""
    driver.available("anna")
    (offered,) = [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer is not None]
    return offered


@pytest.mark.parametrize("order", ORDERS)
def test_a_boost_orders_it_classes_higher_in_every_order_that_reads_priority(order: str) -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, {"general": {"order": order}}), present=())
    driver.say("tkt_0", seconds_ago=60, priority="high")
    driver.say("tkt_1", seconds_ago=50, priority="normal")
    climbs(driver, boost=2)
    driver.advance(600)
    assert first_of(driver) == "tkt_1"


def test_a_boost_goes_to_urgent_at_most_and_changes_no_label_no_version_and_no_age() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    driver.say(priority="high")
    before = driver.ticket().version, driver.ticket().labels, driver.ticket().waiting_since
    climbs(driver, boost=3)
    climbs(driver, step=1, boost=3)
    assert driver.ticket().boost == 3
    assert (driver.ticket().version, driver.ticket().labels, driver.ticket().waiting_since) == before
    assert driver.explain()["order"]["priority"] == "urgent"


def test_the_timeline_says_which_step_of_which_ladder_and_the_ticket_since_when() -> None:
    driver = DeskDriver(a_workspace(["anna"], {"general": {}, "billing": {}}), present=())
    driver.say()
    climbs(driver, boost=1, relax="all", overflow=("billing",), step=2)
    said = driver.fact("ticket.escalated")
    assert (said.ladder, said.step, said.metric, said.cycle) == ("page-supervisor", 2, "first_response", 1)
    assert (said.boost, said.relax, said.overflow) == (1, "all", ("billing",))
    assert said.reason == (
        "ladder page-supervisor: ordered 1 class higher, needs no skill any more, offered to agents of billing too"
    )
    assert driver.ticket().escalated_at == driver.now


def test_a_step_that_only_notifies_is_none_of_the_desks() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    driver.say()
    climbs(driver, notified=("pager",))
    assert driver.types == []
    assert driver.ticket().escalated_at is None


def test_a_step_acts_once_per_clock_and_cycle_however_often_it_is_repeated_or_told() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    driver.say(priority="low")
    climbs(driver, boost=1)
    climbs(driver, boost=1, repetition=1)
    climbs(driver, boost=1)
    assert driver.types == []
    assert driver.ticket().boost == 1
    climbs(driver, boost=1, cycle=2)
    assert driver.ticket().boost == 2


def test_relaxing_all_finds_an_agent_without_the_skills_at_once() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {"skills": {"billing": 3}}}), present=("anna",))
    driver.say(requires={"billing": 2})
    assert driver.offered_to() is None
    climbs(driver, relax="all")
    assert driver.offered_to() == "anna"


def test_relaxing_the_language_keeps_the_other_skills() -> None:
    document = a_workspace(
        {"anna": {"skills": {"billing": 1}}, "boris": {"skills": {"italian": 1}}},
        skills=["billing", "italian"],
        languages=["it"],
        classify={"language_skill": "italian"},
    )
    driver = DeskDriver(document)
    driver.say(requires={"billing": 1, "italian": 1}, language="it")
    assert driver.offered_to() is None
    climbs(driver, relax="language")
    assert driver.offered_to() == "anna"


def test_overflow_asks_the_agents_of_further_queues_and_leaves_the_queue() -> None:
    queues = {"billing": {"choice": "round_robin"}, "general": {"choice": "least_loaded"}}
    driver = DeskDriver(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    driver.away("anna")
    driver.say(queue="billing")
    climbs(driver, overflow=("general", "gone"))
    assert driver.offered_to() == "boris"
    assert driver.ticket().queue == "billing"


def test_a_step_waits_for_a_ticket_that_is_offered_until_the_offer_fails() -> None:
    queues: dict[str, dict[str, object]] = {"billing": {}, "general": {}}
    driver = DeskDriver(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    driver.say(queue="billing")
    climbs(driver, overflow=("general",), boost=1)
    assert driver.offered_to() == "anna", "an offer stands"
    driver.reject()
    assert driver.offered_to() == "boris"


def test_queued_afresh_a_ticket_keeps_the_boost_alone() -> None:
    driver = DeskDriver(
        a_workspace({"anna": {"capacity": 1}, "boris": {"skills": {"billing": 1}}}, {"general": {}, "billing": {}})
    )
    driver.away("boris")
    driver.assigned(seconds_ago=1)
    climbs(driver, boost=1, relax="all", overflow=("billing",))
    assert (driver.ticket().relaxed, driver.ticket().wide) == ("all", ("billing",))
    driver.transfer(to_queue="general", actor=BOSS)
    assert driver.ticket().boost == 1
    assert (driver.ticket().relaxed, driver.ticket().wide, driver.ticket().escalated_at) == (None, (), None)


def test_a_ladder_does_not_use_up_the_escalation_by_offers() -> None:
    queues = {"general": {"offer": {"offers_max": 1, "then": {"notify": "leads"}}}}
    document = a_workspace(["anna"], queues, sla={"notify": {"leads": {}}})
    driver = DeskDriver(document)
    driver.say()
    climbs(driver, boost=1)
    driver.reject()
    said = driver.fact("ticket.escalated")
    assert (said.ladder, said.notify, said.offers) == (None, "leads", 1)


def test_an_escalation_by_offers_keeps_what_a_ladder_widened() -> None:
    queues = {"general": {"offer": {"offers_max": 1, "then": {"to": "night"}}}, "billing": {}, "night": {}}
    driver = DeskDriver(a_workspace({"anna": {"queues": ["general"]}}, queues))
    driver.say()
    climbs(driver, overflow=("billing",))
    driver.reject()
    assert driver.ticket().wide == ("billing", "night")


def test_a_resolved_ticket_is_left_alone_and_a_reopened_one_begins_without_a_boost() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    climbs(driver, boost=2)
    driver.resolve()
    assert driver.ticket().boost == 0
    climbs(driver, boost=1, step=1)
    assert driver.types == []
    driver.reopen()
    assert driver.ticket().boost == 0


def test_a_merged_ticket_is_left_alone_and_so_is_its_target() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    driver.say("tkt_1")
    driver.say("tkt_2")
    driver.merge("tkt_1", into="tkt_2")
    climbs(driver, "tkt_1", boost=1)
    assert driver.types == []
    assert driver.ticket("tkt_2").boost == 0


def test_explain_names_the_ladder_that_boosted_and_what_it_relaxed() -> None:
    driver = DeskDriver(a_workspace({"anna": {"skills": {"billing": 1}}}), present=())
    driver.say(requires={"billing": 1})
    climbs(driver, boost=1, relax="all")
    said = driver.explain()
    assert said["order"]["boosted_by"] == ["page-supervisor"]
    assert (said["requires"], said["requires_now"], said["relaxed_by"]) == ({"billing": 1}, {}, ["page-supervisor"])
    assert "It is ordered as high, boosted by ladder page-supervisor." in said["sentence"]
    assert "No longer asked for, by ladder page-supervisor: billing." in said["sentence"]
    driver.available("anna")
    stored = next(iter(offers_of(driver.desk)))
    assert stored["boosted_by"] == ["page-supervisor"]


def offers_of(desk: Desk) -> list[dict[str, object]]:
    """What would be stored with the pending offers, made anew."""

    return [
        why(desk, desk.tickets[offer.ticket_id], Choice(desk.agents[offer.agent])) for offer in desk.offers.values()
    ]


def test_where_another_configuration_had_widened_a_ticket_it_still_finds_the_best_agent() -> None:
    """No queue that remains chooses in turn, so that nobody is kept by turns where the ticket once overflowed."""
    queues = {"billing": {"choice": "round_robin"}, "general": {"choice": "least_loaded"}}
    agents = {"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}, "carla": {"queues": ["general"]}}
    driver = DeskDriver(a_workspace(agents, queues), present=())
    driver.say(queue="billing")
    climbs(driver, overflow=("general",))
    driver.available("carla")
    assert driver.offered_to() == "carla"
    driver.available("boris")
    driver.reject()
    assert driver.offered_to() == "boris"


def test_a_bulk_transfer_ends_what_ladders_widened_too() -> None:
    driver = DeskDriver(a_workspace(["anna"], {"general": {}, "billing": {}}), present=())
    driver.say()
    climbs(driver, relax="language")
    driver.bulk("tkt_1", transfer=TransferTo(to_queue="billing", reason="many"))
    assert driver.ticket().relaxed is None
