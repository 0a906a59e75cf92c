"""After-work: the charge stays until its time, or until the agent says that it is done."""

from tests.unit.routing.playing import BOSS, Play, a_workspace


def test_wrap_up_keeps_the_charge_until_its_time() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, wrap_up_seconds={"chat": 30}))
    play.assigned(channel="chat")
    play.say("next")
    play.resolve(wrap_up_seconds=None)
    assert play.fact("ticket.resolved").wrap_up_until == play.ticket().wrap_up_until
    assert (play.ticket().state, play.ticket().agent, play.agent("anna").load) == ("resolved", "anna", 1)
    play.advance(29)
    assert play.offered_to("next") is None
    play.advance(1)
    assert "ticket.wrap_up_finished" in play.types
    assert (play.ticket().agent, play.offered_to("next")) == (None, "anna")


def test_the_agent_finishes_wrap_up_before_its_time() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.resolve(wrap_up_seconds=600)
    play.finish_wrap_up()
    assert play.agent("anna").load == 0
    play.finish_wrap_up(actor=BOSS)
    assert play.answer.code == "wrong-state"


def test_in_wrap_up_it_goes_back_to_the_holder_on_the_same_charge() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.resolve(wrap_up_seconds=30)
    play.say()
    assert play.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load) == ("anna", 1)
    play.advance(30)
    assert play.agent("anna").load == 1, "the wrap-up is over with the reopening"
