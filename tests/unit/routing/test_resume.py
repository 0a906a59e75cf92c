"""Rule 17, back to a holder: only one who is present, still eligible and with room; whom a supervisor named is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent

SKILLED: dict[str, Any] = {"skills": {"billing": 3}, "queues": ["money"], "capacity": 2}
LOSSES: dict[str, dict[str, Any]] = {
    "the skill": {**SKILLED, "skills": {}},
    "the level": {**SKILLED, "skills": {"billing": 1}},
    "the queue": {**SKILLED, "queues": ["general"]},
    "being human": {"kind": "bot"},
}


def a_document(anna: dict[str, Any], boris: dict[str, Any] | None = None) -> dict[str, Any]:
    return a_workspace(
        {"anna": anna, "boris": boris or SKILLED}, {"general": {}, "money": {}}, skills=["billing", "other"]
    )


def set_aside(driver: DeskDriver) -> None:
    driver.pend()


def snoozed(driver: DeskDriver) -> None:
    driver.snooze(until=driver.now + timedelta(seconds=60))


def resolved(driver: DeskDriver) -> None:
    driver.resolve()


def it_goes_on(driver: DeskDriver) -> None:
    driver.say()


ENDS = [set_aside, snoozed, resolved]


def annas(end: Callable[[DeskDriver], None], *, assign: bool = False, **anna: Any) -> DeskDriver:
    """anna held a ticket that requires billing, until this happened to it."""
    driver = DeskDriver(a_document({**SKILLED, **anna}), present=["anna"])
    driver.say(queue="money", requires={"billing": 2})
    if assign:
        driver.assign("anna")
    else:
        driver.accept()
    end(driver)
    return driver


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("lost", LOSSES)
def test_who_may_not_take_it_any_more_does_not_get_it_back(end: Callable[[DeskDriver], None], lost: str) -> None:
    driver = annas(end)
    driver.configure(a_document(LOSSES[lost]), moves={"agents": {"anna": "requeue"}})
    it_goes_on(driver)
    assert (driver.ticket().state, driver.ticket().agent) == ("queued", None)
    driver.available("boris")
    assert driver.offered_to() == "boris"


@pytest.mark.parametrize("end", ENDS)
def test_who_still_may_gets_it_back(end: Callable[[DeskDriver], None]) -> None:
    driver = annas(end)
    driver.configure(a_document({**SKILLED, "skills": {"billing": 2, "other": 5}}))
    it_goes_on(driver)
    assert driver.ticket().agent == "anna"


@pytest.mark.parametrize("end", [set_aside, snoozed])
def test_it_wakes_by_itself_or_by_a_hand_like_by_a_message(end: Callable[[DeskDriver], None]) -> None:
    wakes: list[Callable[[DeskDriver], Any]] = [
        lambda driver: driver.advance(61),
        lambda driver: driver.reopen(actor=BOSS),
    ]
    for wake in wakes:
        driver = annas(end)
        if end is set_aside:
            driver.pend(until=driver.now + timedelta(seconds=60), then="return")
        driver.configure(a_document(LOSSES["the skill"]))
        wake(driver)
        assert (driver.ticket().state, driver.ticket().agent) == ("queued", None)


def test_a_charge_that_was_kept_is_freed_when_the_holder_may_not_take_it_any_more() -> None:
    driver = DeskDriver({**a_document(SKILLED), "channels": {"email": {"pending_holds": True}}}, present=["anna"])
    driver.say(queue="money", requires={"billing": 2})
    driver.accept()
    driver.pend()
    assert driver.agent("anna").load == 1
    driver.configure({**a_document(LOSSES["the skill"]), "channels": {"email": {"pending_holds": True}}})
    driver.say()
    assert (driver.ticket().agent, driver.agent("anna").load) == (None, 0)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("lost", [None, "the skill", "the level", "the queue"])
def test_whom_a_supervisor_named_gets_it_back_whatever_they_may_take(
    end: Callable[[DeskDriver], None], lost: str | None
) -> None:
    driver = annas(end, assign=True, **({} if lost is not None else {"skills": {}, "queues": ["general"]}))
    if lost is not None:
        driver.configure(a_document(LOSSES[lost]))
    it_goes_on(driver)
    assert driver.ticket().agent == "anna"
    driver.pend()
    it_goes_on(driver)
    assert driver.ticket().agent == "anna", "until the ticket ends"


def test_a_named_agent_who_became_a_bot_gets_nothing_back() -> None:
    driver = annas(resolved, assign=True)
    driver.configure(a_document(LOSSES["being human"]))
    it_goes_on(driver)
    assert driver.ticket().agent is None


def test_a_named_agent_has_to_be_there_with_room() -> None:
    driver = annas(set_aside, assign=True, capacity=1, skills={"billing": 3})
    driver.assigned("tkt_2", queue="money")
    it_goes_on(driver)
    assert driver.ticket().agent is None


def test_the_name_is_forgotten_when_the_ticket_ends() -> None:
    driver = annas(resolved, assign=True)
    driver.advance(259_201)
    assert driver.closed["tkt_1"].entrusted_to is None


def test_a_supervisors_transfer_by_name_counts_and_a_colleagues_does_not() -> None:
    for actor, holder in ((BOSS, "boris"), (as_agent("anna"), None)):
        driver = DeskDriver(a_document(SKILLED, {"queues": ["general"]}))
        driver.say(queue="money", requires={"billing": 2})
        driver.accept()
        driver.transfer(to_agent="boris", actor=actor)
        assert driver.ticket().agent == "boris"
        driver.away("anna")
        driver.pend()
        it_goes_on(driver)
        assert driver.ticket().agent == holder


def test_what_came_by_overflow_goes_back_to_who_had_it() -> None:
    """Still eligible is who may take it on the terms on which it was given out."""
    agents = {"anna": {"queues": ["general"]}, "boris": {"queues": ["money"]}}
    overflow = [{"after_seconds": 30, "to": "general"}]
    driver = DeskDriver(a_workspace(agents, {"general": {}, "money": {"overflow": overflow}}), present=["anna"])
    driver.say(queue="money")
    driver.advance(31)
    driver.accept()
    driver.reply()
    driver.pend()
    driver.advance(600)
    it_goes_on(driver)
    assert driver.ticket().agent == "anna"
