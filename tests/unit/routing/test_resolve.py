"""Resolution, wrap-up, closing, reopening."""

from typing import Any

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent


def test_a_supervisor_resolves_a_waiting_ticket() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.resolve(actor=BOSS, outcome="spam")
    assert driver.types[0] == "offer.rescinded"
    assert (driver.ticket().outcome, driver.agent("anna").load) == ("spam", 0)


def test_a_person_reopens_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.resolve()
    driver.reopen(actor=as_agent("anna"), reason="forgot something")
    assert driver.types == ["ticket.reopened", "ticket.assigned"]
    assert driver.fact("ticket.reopened").reason == "forgot something"
    driver.reopen(actor=as_agent("anna"))
    assert driver.answer.code == "wrong-state"


def test_a_category_given_at_the_end_is_kept() -> None:
    categories: dict[str, Any] = {"language_skill": None, "categories": {"refund": {}, "bug": {}}}
    driver = DeskDriver(a_workspace(["anna"], classify=categories))
    driver.assigned(category="refund")
    driver.resolve(category="bug")
    assert (driver.ticket().labels.category, driver.fact("ticket.resolved").category) == ("bug", "bug")
    assert driver.ticket().labels.by_person == ("category",)


def test_an_unknown_category_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.resolve(category="nonsense")
    assert driver.answer.status == 422
