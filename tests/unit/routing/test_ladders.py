"""Escalation ladders on the desk: what `clock.escalated` does to a ticket, once per clock, cycle and step."""

import pytest

from pointsman.contracts.commands import TransferTo
from pointsman_routing.desk.rules.reasons import why
from pointsman_routing.desk.state.desk import Choice, Desk
from tests.unit.routing.escalations import an_escalation
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import BOSS, Play, a_workspace

ORDERS = ("priority", "strict", "urgency", "accumulating")


def climbs(play: Play, ticket: str = "tkt_1", **step: object) -> None:
    """Sla carries a step out."""
    play.hear(an_escalation(ticket, **step), topic="sla")
    assert_sound(play.desk)


def first_of(play: Play) -> str:
    """Who is offered when anna is there."""
    play.available("anna")
    (offered,) = [ticket.id for ticket in play.desk.tickets.values() if ticket.offer is not None]
    return offered


@pytest.mark.parametrize("order", ORDERS)
def test_a_boost_orders_it_classes_higher_in_every_order_that_reads_priority(order: str) -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, {"general": {"order": order}}), present=())
    play.say("tkt_0", seconds_ago=60, priority="high")
    play.say("tkt_1", seconds_ago=50, priority="normal")
    climbs(play, boost=2)
    play.advance(600)
    assert first_of(play) == "tkt_1"


def test_a_boost_goes_to_urgent_at_most_and_changes_no_label_no_version_and_no_age() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.say(priority="high")
    before = play.ticket().version, play.ticket().labels, play.ticket().waiting_since
    climbs(play, boost=3)
    climbs(play, step=1, boost=3)
    assert play.ticket().boost == 3
    assert (play.ticket().version, play.ticket().labels, play.ticket().waiting_since) == before
    assert play.explain()["order"]["priority"] == "urgent"


def test_the_timeline_says_which_step_of_which_ladder_and_the_ticket_since_when() -> None:
    play = Play(a_workspace(["anna"], {"general": {}, "billing": {}}), present=())
    play.say()
    climbs(play, boost=1, relax="all", overflow=("billing",), step=2)
    said = play.fact("ticket.escalated")
    assert (said.ladder, said.step, said.metric, said.cycle) == ("page-supervisor", 2, "first_response", 1)
    assert (said.boost, said.relax, said.overflow) == (1, "all", ("billing",))
    assert said.reason == (
        "ladder page-supervisor: ordered 1 class higher, needs no skill any more, offered to agents of billing too"
    )
    assert play.ticket().escalated_at == play.now


def test_a_step_that_only_notifies_is_none_of_the_desks() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.say()
    climbs(play, notified=("pager",))
    assert play.types == []
    assert play.ticket().escalated_at is None


def test_a_step_acts_once_per_clock_and_cycle_however_often_it_is_repeated_or_told() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.say(priority="low")
    climbs(play, boost=1)
    climbs(play, boost=1, repetition=1)
    climbs(play, boost=1)
    assert play.types == []
    assert play.ticket().boost == 1
    climbs(play, boost=1, cycle=2)
    assert play.ticket().boost == 2


def test_relaxing_all_finds_an_agent_without_the_skills_at_once() -> None:
    play = Play(a_workspace({"anna": {}, "boris": {"skills": {"billing": 3}}}), present=("anna",))
    play.say(requires={"billing": 2})
    assert play.offered_to() is None
    climbs(play, relax="all")
    assert play.offered_to() == "anna"


def test_relaxing_the_language_keeps_the_other_skills() -> None:
    document = a_workspace(
        {"anna": {"skills": {"billing": 1}}, "boris": {"skills": {"italian": 1}}},
        skills=["billing", "italian"],
        languages=["it"],
        classify={"language_skill": "italian"},
    )
    play = Play(document)
    play.say(requires={"billing": 1, "italian": 1}, language="it")
    assert play.offered_to() is None
    climbs(play, relax="language")
    assert play.offered_to() == "anna"


def test_overflow_asks_the_agents_of_further_queues_and_leaves_the_queue() -> None:
    queues = {"billing": {"choice": "round_robin"}, "general": {"choice": "least_loaded"}}
    play = Play(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    play.away("anna")
    play.say(queue="billing")
    climbs(play, overflow=("general", "gone"))
    assert play.offered_to() == "boris"
    assert play.ticket().queue == "billing"


def test_a_step_waits_for_a_ticket_that_is_offered_until_the_offer_fails() -> None:
    queues: dict[str, dict[str, object]] = {"billing": {}, "general": {}}
    play = Play(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    play.say(queue="billing")
    climbs(play, overflow=("general",), boost=1)
    assert play.offered_to() == "anna", "an offer stands"
    play.reject()
    assert play.offered_to() == "boris"


def test_queued_afresh_a_ticket_keeps_the_boost_alone() -> None:
    play = Play(
        a_workspace({"anna": {"capacity": 1}, "boris": {"skills": {"billing": 1}}}, {"general": {}, "billing": {}})
    )
    play.away("boris")
    play.assigned(seconds_ago=1)
    climbs(play, boost=1, relax="all", overflow=("billing",))
    assert (play.ticket().relaxed, play.ticket().wide) == ("all", ("billing",))
    play.transfer(to_queue="general", actor=BOSS)
    assert play.ticket().boost == 1
    assert (play.ticket().relaxed, play.ticket().wide, play.ticket().escalated_at) == (None, (), None)


def test_a_ladder_does_not_use_up_the_escalation_by_offers() -> None:
    queues = {"general": {"offer": {"offers_max": 1, "then": {"notify": "leads"}}}}
    document = a_workspace(["anna"], queues, sla={"notify": {"leads": {}}})
    play = Play(document)
    play.say()
    climbs(play, boost=1)
    play.reject()
    said = play.fact("ticket.escalated")
    assert (said.ladder, said.notify, said.offers) == (None, "leads", 1)


def test_an_escalation_by_offers_keeps_what_a_ladder_widened() -> None:
    queues = {"general": {"offer": {"offers_max": 1, "then": {"to": "night"}}}, "billing": {}, "night": {}}
    play = Play(a_workspace({"anna": {"queues": ["general"]}}, queues))
    play.say()
    climbs(play, overflow=("billing",))
    play.reject()
    assert play.ticket().wide == ("billing", "night")


def test_a_resolved_ticket_is_left_alone_and_a_reopened_one_begins_without_a_boost() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    climbs(play, boost=2)
    play.resolve()
    assert play.ticket().boost == 0
    climbs(play, boost=1, step=1)
    assert play.types == []
    play.reopen()
    assert play.ticket().boost == 0


def test_a_merged_ticket_is_left_alone_and_so_is_its_target() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.say("tkt_1")
    play.say("tkt_2")
    play.merge("tkt_1", into="tkt_2")
    climbs(play, "tkt_1", boost=1)
    assert play.types == []
    assert play.ticket("tkt_2").boost == 0


def test_explain_names_the_ladder_that_boosted_and_what_it_relaxed() -> None:
    play = Play(a_workspace({"anna": {"skills": {"billing": 1}}}), present=())
    play.say(requires={"billing": 1})
    climbs(play, boost=1, relax="all")
    said = play.explain()
    assert said["order"]["boosted_by"] == ["page-supervisor"]
    assert (said["requires"], said["requires_now"], said["relaxed_by"]) == ({"billing": 1}, {}, ["page-supervisor"])
    assert "It is ordered as high, boosted by ladder page-supervisor." in said["sentence"]
    assert "No longer asked for, by ladder page-supervisor: billing." in said["sentence"]
    play.available("anna")
    stored = next(iter(offers_of(play.desk)))
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
    play = Play(a_workspace(agents, queues), present=())
    play.say(queue="billing")
    climbs(play, overflow=("general",))
    play.available("carla")
    assert play.offered_to() == "carla"
    play.available("boris")
    play.reject()
    assert play.offered_to() == "boris"


def test_a_bulk_transfer_ends_what_ladders_widened_too() -> None:
    play = Play(a_workspace(["anna"], {"general": {}, "billing": {}}), present=())
    play.say()
    climbs(play, relax="language")
    play.bulk("tkt_1", transfer=TransferTo(to_queue="billing", reason="many"))
    assert play.ticket().relaxed is None
