"""Rules 5 to 8: what is served first, and what a ticket's age counts from."""

import pytest

from pointsman.contracts.desk import OfferMade
from pointsman.contracts.shapes import Priority
from pointsman.contracts.sla import ClockMet, ClockRestated, ClockStarted
from pointsman.core.cause import RecordCause
from pointsman.core.instant import after
from pointsman.testing.customers import a_message
from pointsman_routing.desk.decide import decide
from tests.unit.routing.playing import Play, a_workspace


def served(play: Play, count: int) -> list[str]:
    """The next tickets that the only agent, who takes one at a time, is offered."""
    order = []
    for _ in range(count):
        (id,) = [ticket.id for ticket in play.desk.tickets.values() if ticket.offer]
        order.append(id)
        play.accept(id)
        play.resolve(id)
    return order


def one_busy_agent(order: str = "fifo", **queue: object) -> Play:
    """A desk whose only agent holds a ticket, so that all others wait."""
    play = Play(a_workspace({"anna": {"capacity": 1}}, {"general": {"order": order, **queue}}))
    play.assigned("busy")
    return play


def waits(play: Play, ticket: str, priority: Priority = "normal", minutes_later: float = 1) -> None:
    play.say(ticket, priority=priority)
    play.advance(minutes_later * 60)
    play.presence("anna", None)


def test_fifo_serves_the_oldest_whatever_its_priority() -> None:
    play = one_busy_agent()
    waits(play, "old", "low")
    waits(play, "young", "urgent")
    play.resolve("busy")
    assert served(play, 2) == ["old", "young"]


def test_a_priority_is_a_head_start_in_minutes() -> None:
    play = one_busy_agent("priority", head_start_minutes={"high": 20})
    waits(play, "normal", "normal", minutes_later=19)
    waits(play, "high", "high")
    play.resolve("busy")
    assert served(play, 2) == ["high", "normal"]


def test_nothing_starves_behind_a_higher_priority() -> None:
    play = one_busy_agent("priority", head_start_minutes={"high": 20})
    waits(play, "normal", "normal", minutes_later=21)
    waits(play, "high", "high")
    play.resolve("busy")
    assert served(play, 2) == ["normal", "high"]


def test_strict_classes_go_before_age() -> None:
    play = one_busy_agent("strict")
    waits(play, "normal", "normal", minutes_later=300)
    waits(play, "urgent", "urgent")
    play.resolve("busy")
    assert served(play, 2) == ["urgent", "normal"]


def test_accumulating_urgency_lets_the_steeper_overtake_with_time() -> None:
    """Slope 3 against 1: who came 30 minutes later is more urgent from 15 minutes of its own waiting on."""
    slopes = {"high": 3, "normal": 1}
    for minutes, first in ((14, "normal"), (16, "high")):
        play = one_busy_agent("accumulating", slopes=slopes)
        waits(play, "normal", "normal", minutes_later=30)
        waits(play, "high", "high", minutes_later=minutes)
        play.resolve("busy")
        assert served(play, 2)[0] == first, f"after {minutes} minutes"


def test_within_a_slope_the_older_goes_first() -> None:
    play = one_busy_agent("accumulating", slopes={"high": 2, "normal": 1})
    for number in range(3):
        waits(play, f"high {number}", "high")
    play.resolve("busy")
    assert served(play, 3) == ["high 0", "high 1", "high 2"]


def test_a_ticket_without_an_eligible_agent_is_passed_over() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"skills": {"billing": 3}}}), present=["anna"])
    play.assigned("busy")
    play.say("hard", requires={"billing": 3})
    play.advance(60)
    play.say("easy")
    play.resolve("busy")
    assert play.offered_to("easy") == "anna"
    assert play.offered_to("hard") is None


def test_a_heavy_ticket_does_not_block_a_light_one() -> None:
    categories = {"language_skill": None, "categories": {"heavy": {"weight": 3}, "light": {"weight": 1}}}
    play = Play(a_workspace({"anna": {"capacity": 3}}, classify=categories))
    play.assigned("busy", category="light")
    play.say("heavy", category="heavy")
    play.say("light", category="light")
    assert (play.offered_to("heavy"), play.offered_to("light")) == (None, "anna")


def test_rejecting_keeps_the_place_in_the_queue() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}))
    play.assigned("busy")
    old = play.say("old")
    since = old.waiting_since
    play.advance(5)
    play.say("young")
    play.reject("old")
    assert old.waiting_since == since
    play.resolve("busy")
    assert play.offered_to("old") is not None


def test_a_public_reply_ends_the_waiting_and_the_next_message_begins_it_anew() -> None:
    play = Play(a_workspace(["anna"]))
    opened_at = play.assigned().opened_at
    play.advance(60)
    play.reply(public=False)
    assert play.ticket().waiting_since == opened_at, "a note answers nobody"
    play.reply()
    assert play.ticket().waiting_since is None
    play.advance(60)
    play.say()
    assert play.ticket().waiting_since == play.now
    play.advance(1)
    play.say()
    assert play.ticket().waiting_since == after(play.now, -1), "the oldest unanswered message counts"
    assert play.ticket().opened_at == opened_at


def test_urgency_serves_the_clock_that_breaches_first() -> None:
    play = one_busy_agent("urgency", wait_target_seconds=3600)
    waits(play, "old")
    waits(play, "promised")
    common = {"clock_id": "c", "ticket_id": "promised", "metric": "first_response", "cycle": 1, "policy": "vip"}
    due = after(play.now, 60)
    starts = {"calendar": "always", "config_version": 1, "target_seconds": 60, "started_at": play.now}
    play.hear(ClockStarted.model_validate(common | starts | {"due_at": due, "breach_at": due}), topic="sla")
    play.resolve("busy")
    assert play.offered_to("promised") == "anna"
    met = {"met_at": play.now, "due_at": due, "elapsed_business_seconds": 1, "elapsed_calendar_seconds": 1}
    play.hear(ClockMet.model_validate(common | met), topic="sla")
    assert play.ticket("promised").first_breach_at is None


def test_urgency_goes_by_what_a_recompute_promises() -> None:
    play = one_busy_agent("urgency", wait_target_seconds=3600)
    waits(play, "promised")
    common = {"clock_id": "c", "ticket_id": "promised", "metric": "first_response", "cycle": 1, "policy": "vip"}
    common |= {"calendar": "always", "target_seconds": 60}
    due, later = after(play.now, 60), after(play.now, 600)
    was = {"policy": "vip", "calendar": "always", "config_version": 1, "target_seconds": 60}
    restated = {"job_id": "job_1", "config_version": 2, "due_at": later, "breach_at": later, "state": "running"}
    restated |= {"elapsed_business_seconds": 1, "elapsed_calendar_seconds": 1, "restated_at": play.now}
    restated |= {"was": was | {"due_at": due, "breach_at": due}}
    started = {"config_version": 1, "started_at": play.now, "due_at": due, "breach_at": due}
    play.hear(ClockStarted.model_validate(common | started), topic="sla")
    play.hear(ClockRestated.model_validate(common | restated | {"breach_stands": True}), topic="sla")
    assert play.ticket("promised").first_breach_at == due, "an announced breach stays"
    play.hear(ClockRestated.model_validate(common | restated), topic="sla")
    assert play.ticket("promised").first_breach_at == later
    play.hear(ClockRestated.model_validate(common | restated | {"state": "paused"}), topic="sla")
    assert play.ticket("promised").first_breach_at is None


def test_between_queues_the_lower_rank_goes_first_and_equal_ranks_by_slack() -> None:
    queues = {"billing": {"wait_target_seconds": 600}, "general": {"wait_target_seconds": 3600}, "vip": {}}
    agents = {"anna": {"capacity": 1, "queues": {"vip": 1, "billing": 2, "general": 2}}}
    play = Play(a_workspace(agents, queues))
    play.assigned("busy", queue="general")
    play.say("general", queue="general")
    play.advance(60)
    play.say("billing", queue="billing")
    play.say("vip", queue="vip")
    play.resolve("busy")
    assert served(play, 3) == ["vip", "billing", "general"]


def test_a_message_read_late_counts_from_when_intake_took_it() -> None:
    play = Play(a_workspace(["anna"]))
    ticket = play.say(seconds_ago=30)
    assert ticket.opened_at == ticket.waiting_since == after(play.now, -30)
    made = play.fact("offer.made")
    assert made.offered_at == play.now, "the agent saw it only now"
    assert made.expires_at == after(play.now, 30)


def test_the_clock_of_a_ticket_never_goes_back() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    earlier = after(play.now, -100)
    cause = RecordCause("late", "requests", "acme", "tkt_1", earlier, (a_message(number=2, at=earlier),))
    (emission,) = decide(play.desk, cause, play.now).emissions
    assert emission.at == play.now


@pytest.mark.parametrize("order", ["fifo", "priority", "strict", "urgency", "accumulating"])
def test_who_waits_equally_long_is_served_in_the_order_of_arrival(order: str) -> None:
    """Messages of one batch were served in the random order of their ids."""
    play = one_busy_agent(order)
    arrived = ["tkt_7", "tkt_3", "tkt_9", "tkt_1", "tkt_5"]
    for ticket in arrived:
        play.say(ticket)
    assert [entry[3].id for group in play.desk.waiting.groups.values() for entry in group.entries()] == arrived
    play.resolve("busy")
    assert served(play, 5) == arrived


def test_agents_who_come_together_take_the_tickets_in_the_order_of_arrival() -> None:
    play = Play(a_workspace(["anna", "boris"], {"general": {}, "other": {}}), present=[])
    for ticket in ("tkt_9", "tkt_1"):
        play.say(ticket, queue="general")
    play.available("anna", channels=("email",))
    made = [(fact.ticket_id, fact.offer_id) for fact in play.facts if isinstance(fact, OfferMade)]
    assert [ticket for ticket, _ in made] == ["tkt_9", "tkt_1"]
    assert sorted(id for _, id in made) == [id for _, id in made], "ids of one decision ascend"


def test_what_was_held_or_requeued_together_keeps_the_order_of_arrival() -> None:
    play = one_busy_agent()
    play.close_queue()
    arrived = ["tkt_8", "tkt_2", "tkt_6"]
    for ticket in arrived:
        play.say(ticket)
    play.open_queue()
    play.resolve("busy")
    assert served(play, 3) == arrived
