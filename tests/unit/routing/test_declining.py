"""Rule 4, declining: who is skipped and until when, and what becomes of a ticket that nobody takes."""

from datetime import timedelta

from tests.unit.routing.playing import Play, a_workspace

QUEUES = {"general": {"offer": {"offers_max": 3, "retry_seconds": 30}}}


def test_who_declined_is_skipped_while_somebody_else_may_take_it() -> None:
    play = Play(a_workspace({"anna": {}, "boris": {"capacity": 1}}, QUEUES))
    play.assigned("tkt_0")
    play.assigned("tkt_00")
    full = play.ticket("tkt_0").agent, play.ticket("tkt_00").agent
    assert set(full) == {"anna", "boris"}
    play.say()
    assert play.offered_to() == "anna"
    play.reject()
    play.advance(3000)
    assert play.offered_to() is None, "boris is full but eligible, and has not declined"
    held = [ticket for ticket in ("tkt_0", "tkt_00") if play.ticket(ticket).agent == "boris"]
    play.resolve(held[0])
    assert play.offered_to() == "boris"


def test_when_everybody_declined_they_are_asked_again_after_retry_seconds() -> None:
    play = Play(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    play.say()
    first = play.offered_to()
    play.reject()
    play.advance(10)
    play.reject()
    assert play.offered_to() is None
    play.advance(19)
    assert play.offered_to() is None
    play.advance(1)
    assert play.offered_to() == first


def test_after_offers_max_the_ticket_escalates_and_stays_queued() -> None:
    play = Play(a_workspace(["anna", "boris", "carla"], QUEUES))
    ticket = play.say()
    waits_since = ticket.waiting_since
    play.reject()
    play.reject()
    assert play.ticket().escalated_at is None
    play.reject()
    assert "ticket.escalated" in play.types
    assert play.fact("ticket.escalated").offers == 3
    assert play.ticket().escalated_at == play.now
    assert play.offered_to() is not None, "decliners are eligible again, and one has room"
    assert play.ticket().waiting_since == waits_since


def test_an_escalated_ticket_is_shown_to_the_agents_of_a_further_queue() -> None:
    """`then: {to}` widens whom is asked; the ticket stays in its queue."""
    queues = {"billing": {"offer": {"offers_max": 1, "retry_seconds": 600, "then": {"to": "general"}}}, "general": {}}
    play = Play(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    play.say(queue="billing")
    play.advance(1)
    play.reject()
    assert play.offered_to() == "boris"
    assert play.ticket().queue == "billing"


def test_it_escalates_once_for_each_time_it_enters_the_queue() -> None:
    play = Play(a_workspace(["anna"], {"general": {"offer": {"offers_max": 1, "retry_seconds": 5}}}))
    play.say()
    play.reject()
    assert play.types.count("ticket.escalated") == 1
    play.reject()
    assert "ticket.escalated" not in play.types
    play.advance(5)
    assert play.offered_to() == "anna", "never dropped"


def test_a_decliner_who_comes_back_alone_is_asked_again() -> None:
    play = Play(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    play.away("boris")
    play.say()
    play.reject()
    play.advance(29)
    assert play.offered_to() is None
    play.advance(1)
    assert play.offered_to() == "anna", "of those available everybody has declined"


def test_an_absent_agent_does_not_count_among_those_who_may_take_it() -> None:
    play = Play(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    play.away("boris")
    play.say()
    play.reject()
    play.advance(10)
    play.available("boris")
    assert play.offered_to() == "boris", "the one who has not declined is asked first"
    play.reject()
    assert play.ticket().retry_at == play.now + timedelta(seconds=20)
