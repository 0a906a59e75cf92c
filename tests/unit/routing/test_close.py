"""Closing: when a ticket becomes history, and what comes just before."""

from tests.unit.routing.playing import Play, a_workspace


def test_it_closes_after_its_time_and_leaves_the_desk() -> None:
    play = Play(a_workspace(["anna"], tickets={"close_after_seconds": 600}))
    play.assigned()
    play.resolve()
    play.advance(599)
    assert "tkt_1" in play.desk.tickets
    play.advance(1)
    assert play.types == ["ticket.closed"]
    assert "tkt_1" not in play.desk.tickets


def test_a_message_that_was_threaded_just_before_the_close_reopens() -> None:
    play = Play(a_workspace(["anna"], tickets={"reopen_seconds": 100, "close_after_seconds": 100}))
    play.assigned()
    play.resolve()
    play.advance(100)
    assert play.types == ["ticket.closed"]
    assert "tkt_1" not in play.desk.tickets
    play.say(seconds_ago=1)
    assert play.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert (play.ticket().state, play.ticket().closed_at) == ("assigned", None)
