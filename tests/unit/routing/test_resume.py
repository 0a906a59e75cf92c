"""Rule 17, back to a holder: only one who is present, still eligible and with room; whom a supervisor named is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent

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


def set_aside(play: Play) -> None:
    play.pend()


def snoozed(play: Play) -> None:
    play.snooze(until=play.now + timedelta(seconds=60))


def resolved(play: Play) -> None:
    play.resolve()


def it_goes_on(play: Play) -> None:
    play.say()


ENDS = [set_aside, snoozed, resolved]


def annas(end: Callable[[Play], None], *, assign: bool = False, **anna: Any) -> Play:
    """anna held a ticket that requires billing, until this happened to it."""
    play = Play(a_document({**SKILLED, **anna}), present=["anna"])
    play.say(queue="money", requires={"billing": 2})
    if assign:
        play.assign("anna")
    else:
        play.accept()
    end(play)
    return play


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("lost", LOSSES)
def test_who_may_not_take_it_any_more_does_not_get_it_back(end: Callable[[Play], None], lost: str) -> None:
    play = annas(end)
    play.configure(a_document(LOSSES[lost]), moves={"agents": {"anna": "requeue"}})
    it_goes_on(play)
    assert (play.ticket().state, play.ticket().agent) == ("queued", None)
    play.available("boris")
    assert play.offered_to() == "boris"


@pytest.mark.parametrize("end", ENDS)
def test_who_still_may_gets_it_back(end: Callable[[Play], None]) -> None:
    play = annas(end)
    play.configure(a_document({**SKILLED, "skills": {"billing": 2, "other": 5}}))
    it_goes_on(play)
    assert play.ticket().agent == "anna"


@pytest.mark.parametrize("end", [set_aside, snoozed])
def test_it_wakes_by_itself_or_by_a_hand_like_by_a_message(end: Callable[[Play], None]) -> None:
    wakes: list[Callable[[Play], Any]] = [lambda play: play.advance(61), lambda play: play.reopen(actor=BOSS)]
    for wake in wakes:
        play = annas(end)
        if end is set_aside:
            play.pend(until=play.now + timedelta(seconds=60), then="return")
        play.configure(a_document(LOSSES["the skill"]))
        wake(play)
        assert (play.ticket().state, play.ticket().agent) == ("queued", None)


def test_a_charge_that_was_kept_is_freed_when_the_holder_may_not_take_it_any_more() -> None:
    play = Play({**a_document(SKILLED), "channels": {"email": {"pending_holds": True}}}, present=["anna"])
    play.say(queue="money", requires={"billing": 2})
    play.accept()
    play.pend()
    assert play.agent("anna").load == 1
    play.configure({**a_document(LOSSES["the skill"]), "channels": {"email": {"pending_holds": True}}})
    play.say()
    assert (play.ticket().agent, play.agent("anna").load) == (None, 0)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("lost", [None, "the skill", "the level", "the queue"])
def test_whom_a_supervisor_named_gets_it_back_whatever_they_may_take(
    end: Callable[[Play], None], lost: str | None
) -> None:
    play = annas(end, assign=True, **({} if lost is not None else {"skills": {}, "queues": ["general"]}))
    if lost is not None:
        play.configure(a_document(LOSSES[lost]))
    it_goes_on(play)
    assert play.ticket().agent == "anna"
    play.pend()
    it_goes_on(play)
    assert play.ticket().agent == "anna", "until the ticket ends"


def test_a_named_agent_who_became_a_bot_gets_nothing_back() -> None:
    play = annas(resolved, assign=True)
    play.configure(a_document(LOSSES["being human"]))
    it_goes_on(play)
    assert play.ticket().agent is None


def test_a_named_agent_has_to_be_there_with_room() -> None:
    play = annas(set_aside, assign=True, capacity=1, skills={"billing": 3})
    play.assigned("tkt_2", queue="money")
    it_goes_on(play)
    assert play.ticket().agent is None


def test_the_name_is_forgotten_when_the_ticket_ends() -> None:
    play = annas(resolved, assign=True)
    play.advance(259_201)
    assert play.closed["tkt_1"].entrusted_to is None


def test_a_supervisors_transfer_by_name_counts_and_a_colleagues_does_not() -> None:
    for actor, holder in ((BOSS, "boris"), (as_agent("anna"), None)):
        play = Play(a_document(SKILLED, {"queues": ["general"]}))
        play.say(queue="money", requires={"billing": 2})
        play.accept()
        play.transfer(to_agent="boris", actor=actor)
        assert play.ticket().agent == "boris"
        play.away("anna")
        play.pend()
        it_goes_on(play)
        assert play.ticket().agent == holder


def test_what_came_by_overflow_goes_back_to_who_had_it() -> None:
    """Still eligible is who may take it on the terms on which it was given out."""
    agents = {"anna": {"queues": ["general"]}, "boris": {"queues": ["money"]}}
    overflow = [{"after_seconds": 30, "to": "general"}]
    play = Play(a_workspace(agents, {"general": {}, "money": {"overflow": overflow}}), present=["anna"])
    play.say(queue="money")
    play.advance(31)
    play.accept()
    play.reply()
    play.pend()
    play.advance(600)
    it_goes_on(play)
    assert play.ticket().agent == "anna"
