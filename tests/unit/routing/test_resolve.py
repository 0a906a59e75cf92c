"""Resolution, wrap-up, closing, reopening."""

from typing import Any

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def test_a_supervisor_resolves_a_waiting_ticket() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.resolve(actor=BOSS, outcome="spam")
    assert play.types[0] == "offer.rescinded"
    assert (play.ticket().outcome, play.agent("anna").load) == ("spam", 0)


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
