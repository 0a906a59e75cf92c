"""Pending: what it frees, and how it ends."""

from datetime import timedelta

from tests.unit.routing.playing import BOSS, Play, a_workspace


def test_it_frees_the_charge_and_the_agent_gets_the_next() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.say("tkt_2")
    play.pend()
    assert play.types == ["ticket.pended", "offer.made"]
    assert (play.ticket().state, play.ticket().agent, play.offered_to("tkt_2")) == ("pending", "anna", "anna")


def test_a_channel_that_holds_keeps_the_charge() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, channels={"chat": {"weight": 1, "pending_holds": True}}))
    play.assigned(channel="chat")
    play.pend()
    assert (play.fact("ticket.pended").frees, play.agent("anna").load) == (False, 1)
    play.say(channel="chat")
    assert (play.ticket().state, play.agent("anna").load) == ("assigned", 1)


def test_it_returns_at_its_time() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.pend(until=play.now + timedelta(hours=1), then="return", waiting_on="third_party")
    play.presence("anna", None)
    play.advance(3599)
    assert play.ticket().state == "pending"
    play.presence("anna", None)
    play.advance(1)
    assert play.types == ["ticket.woken", "ticket.assigned"]
    assert play.ticket().agent == "anna"


def test_it_resolves_at_its_time() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.pend(until=play.now + timedelta(hours=1), then="resolve")
    play.advance(3600)
    assert (play.ticket().state, play.ticket().outcome) == ("resolved", "solved")


def test_without_a_time_it_resolves_by_itself_in_the_end() -> None:
    play = Play(a_workspace(["anna"], tickets={"pending_resolves_after_seconds": 600}))
    play.assigned()
    play.pend()
    play.advance(599)
    assert play.ticket().state == "pending"
    play.advance(1)
    assert (play.ticket().state, play.ticket().outcome) == ("resolved", "solved")


def test_the_past_is_refused() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.pend(until=play.now)
    assert play.answer.status == 422
    assert play.ticket().state == "assigned"


def test_only_an_assigned_ticket_can_be_pended() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.pend(actor=BOSS)
    assert play.answer.code == "wrong-state"


def test_a_person_wakes_it() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.pend()
    play.reopen()
    assert (play.types, play.ticket().state) == (["ticket.woken", "ticket.assigned"], "assigned")
