"""Rule 5, the place in the queue: since when a ticket waits, whatever happens to it."""

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


def test_what_was_held_or_requeued_together_keeps_the_order_of_arrival() -> None:
    play = one_busy_agent()
    play.close_queue()
    arrived = ["tkt_8", "tkt_2", "tkt_6"]
    for ticket in arrived:
        play.say(ticket)
    play.open_queue()
    play.resolve("busy")
    assert served(play, 3) == arrived
