"""Resolution, wrap-up, closing, reopening."""

from typing import Any

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


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


def test_a_supervisor_resolves_a_waiting_ticket() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.resolve(actor=BOSS, outcome="spam")
    assert play.types[0] == "offer.rescinded"
    assert (play.ticket().outcome, play.agent("anna").load) == ("spam", 0)


def test_it_closes_after_its_time_and_leaves_the_desk() -> None:
    play = Play(a_workspace(["anna"], tickets={"close_after_seconds": 600}))
    play.assigned()
    play.resolve()
    play.advance(599)
    assert "tkt_1" in play.desk.tickets
    play.advance(1)
    assert play.types == ["ticket.closed"]
    assert "tkt_1" not in play.desk.tickets


def test_a_person_reopens_it() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.resolve()
    play.reopen(actor=as_agent("anna"), reason="forgot something")
    assert play.types == ["ticket.reopened", "ticket.assigned"]
    assert play.fact("ticket.reopened").reason == "forgot something"
    play.reopen(actor=as_agent("anna"))
    assert play.answer.code == "wrong-state"


def test_a_category_given_at_the_end_is_kept() -> None:
    categories: dict[str, Any] = {"language_skill": None, "categories": {"refund": {}, "bug": {}}}
    play = Play(a_workspace(["anna"], classify=categories))
    play.assigned(category="refund")
    play.resolve(category="bug")
    assert (play.ticket().labels.category, play.fact("ticket.resolved").category) == ("bug", "bug")
    assert play.ticket().labels.by_person == ("category",)


def test_an_unknown_category_is_refused() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.resolve(category="nonsense")
    assert play.answer.status == 422
