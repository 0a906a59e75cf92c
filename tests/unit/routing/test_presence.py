"""Rule 12: presence is a lease; away rescinds; a lapse requeues after the grace time; a supervisor's hold stands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pointsman.contracts.commands import PresenceEnd, PresenceHold, PresenceRenew, SessionRenewal
from pointsman.contracts.shapes import SYSTEM
from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def hold(play: Play, agent: str, state: str, **fields: object) -> None:
    command = {"agent": agent, "state": state, "hold": True, "actor": BOSS, **fields}
    play.command(PresenceHold.model_validate(command))


def test_a_new_agent_is_offline_until_a_person_chooses() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.presence("anna", None)
    play.say()
    assert (play.agent("anna").state, play.offered_to()) == ("offline", None)
    play.available("anna")
    assert play.offered_to() == "anna"


def test_away_rescinds_offers_and_keeps_assignments() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned("held")
    play.say("shown")
    play.away("anna", reason="lunch")
    assert [t for t in play.types if t.startswith("offer")] == ["offer.rescinded"]
    assert (play.ticket("held").agent, play.ticket("shown").state) == ("anna", "queued")
    assert (play.answer["state"], play.answer["set_by"], play.answer["in_hand"]) == ("away", "agent", {"email": 1})


def test_a_rescinded_offer_is_no_decline() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.away("anna")
    play.available("anna")
    assert play.offered_to() == "anna"


def test_any_living_session_keeps_the_agent_present() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", session="desk", lease_seconds=60)
    play.presence("anna", None, session="phone", lease_seconds=300)
    play.advance(299)
    assert play.agent("anna").state == "available"
    play.advance(1)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("offline", "lapse")


def test_a_lapse_after_an_expiry_comes_back_away() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=60)
    play.say()
    play.advance(200)
    assert play.agent("anna").set_by == "lapse"
    play.presence("anna", None)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("away", "expiry")


def test_bundled_renewals_keep_leases_alive() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=60)
    play.advance(50)
    renewal = SessionRenewal(agent="anna", session="app", until=play.now + timedelta(seconds=60))
    unknown = SessionRenewal(agent="nobody", session="app", until=play.now + timedelta(seconds=60))
    play.command(PresenceRenew(actor=SYSTEM, agents=(renewal, unknown)))
    play.advance(59)
    assert play.agent("anna").state == "available"
    play.advance(1)
    assert play.agent("anna").state == "offline"


@pytest.mark.parametrize("others", [[], ["tablet"]])
def test_a_bundled_renewal_that_the_end_overtook_brings_no_session_back(others: list[str]) -> None:
    """It came with a living lease for an app that was closed: its agent stayed available, and was offered work."""
    play = Play(a_workspace(["anna"]))
    for session in others:
        play.presence("anna", None, session=session)
    play.command(PresenceEnd(actor=as_agent("anna"), agent="anna", session="app"))
    renewal = SessionRenewal(agent="anna", session="app", until=play.now + timedelta(seconds=60))
    play.command(PresenceRenew(actor=SYSTEM, agents=(renewal,)))
    assert sorted(play.agent("anna").sessions) == others
    play.available("anna", session="desk")
    play.command(PresenceEnd(actor=as_agent("anna"), agent="anna", session="desk"))
    assert play.agent("anna").state == ("available" if others else "offline")


def test_a_bundled_renewal_that_a_lapse_overtook_brings_the_agent_back() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=30)
    play.advance(31)
    assert play.agent("anna").state == "offline"
    renewal = SessionRenewal(agent="anna", session="app", until=play.now + timedelta(seconds=60))
    play.command(PresenceRenew(actor=SYSTEM, agents=(renewal,)))
    assert play.agent("anna").state == "available"


def test_the_last_session_to_end_makes_offline() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", session="desk")
    play.presence("anna", None, session="phone")
    end = {"agent": "anna", "actor": as_agent("anna")}
    play.command(PresenceEnd.model_validate(end | {"session": "desk"}))
    assert play.agent("anna").state == "available"
    play.command(PresenceEnd.model_validate(end | {"session": "phone"}))
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("offline", "agent")
    play.presence("anna", None)
    assert play.agent("anna").state == "offline", "signing out was a choice; signing in is not one"


def test_what_a_supervisor_holds_stands_until_released() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away", reason="coaching")
    play.available("anna")
    assert (play.answer.status, play.answer.code) == (409, "presence-held")
    play.presence("anna", None)
    assert play.agent("anna").state == "away"
    hold(play, "anna", "away", hold=False)
    play.available("anna")
    assert play.agent("anna").state == "available"


def test_a_hold_with_an_end_is_released_by_time() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away", until=play.now + timedelta(seconds=60))
    play.advance(60)
    play.available("anna")
    assert play.agent("anna").state == "available"


def test_a_supervisor_cannot_make_a_ghost() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    hold(play, "anna", "available")
    assert (play.answer.status, play.answer.code) == (409, "agent-absent")


def test_a_channel_switched_off_gets_no_offers() -> None:
    play = Play(a_workspace(["anna"]))
    play.available("anna", channels=("chat",))
    play.say("mail")
    play.say("chat", channel="chat")
    assert (play.offered_to("mail"), play.offered_to("chat")) == (None, "anna")
    play.available("anna", channels=("email",))
    assert (play.offered_to("mail"), play.offered_to("chat")) == ("anna", None)


def test_a_lease_of_a_year_is_refused() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=31_536_000)
    assert play.answer.status == 422
    assert not play.agent("anna").sessions


def test_a_session_that_ends_leaves_the_others() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", session="desk")
    play.presence("anna", None, session="phone")
    play.command(PresenceEnd(agent="anna", session="desk", actor=as_agent("anna")))
    assert (play.agent("anna").state, list(play.agent("anna").sessions)) == ("available", ["phone"])
    play.command(PresenceEnd(agent="anna", session="desk", actor=as_agent("anna")))
    assert play.answer.status == 404


def test_the_sessions_of_an_agent_share_one_state() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", session="desk")
    play.say()
    play.away("anna", session="phone", reason="lunch")
    assert (play.agent("anna").state, play.ticket().state) == ("away", "queued")
    play.presence("anna", None, session="desk")
    assert (play.agent("anna").state, play.agent("anna").reason) == ("away", "lunch")


def test_with_one_session_too_many_the_oldest_lease_ends() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    for number in range(20):
        play.available("anna", session=f"tab-{number}", lease_seconds=100 + number)
    play.presence("anna", None, session="one-more", lease_seconds=600)
    assert len(play.agent("anna").sessions) == 20
    assert "tab-0" not in play.agent("anna").sessions


def test_a_hold_outlives_a_lapse_and_a_new_version() -> None:
    document = a_workspace(["anna"])
    play = Play(document, present=[])
    play.available("anna", lease_seconds=60)
    hold(play, "anna", "away", reason="training")
    play.advance(61)
    play.configure(document)
    play.presence("anna", None)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("away", "supervisor")
    play.available("anna")
    assert play.answer.code == "presence-held"


def test_without_a_hold_the_agent_may_choose_again() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away", hold=False)
    assert play.agent("anna").state == "away"
    play.available("anna")
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("available", "agent")


def test_a_supervisor_releases_their_hold() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away")
    hold(play, "anna", "away", hold=False)
    play.available("anna")
    assert play.agent("anna").state == "available"


def test_what_a_supervisor_set_comes_back_after_a_lapse() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=60)
    hold(play, "anna", "away", hold=False)
    play.advance(61)
    assert play.agent("anna").state == "offline"
    play.presence("anna", None)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("away", "supervisor")


def test_a_hold_until_the_past_is_refused() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away", until=play.now)
    assert (play.answer.status, play.agent("anna").state) == (422, "available")


def sign_out(play: Play, session: str = "app") -> None:
    play.command(PresenceEnd(agent="anna", session=session, actor=as_agent("anna")))


def let_lapse(play: Play) -> None:
    play.advance(play.desk.timers.earliest()["lease"].timestamp() - play.now.timestamp() + 1)


@pytest.mark.parametrize("leave", [sign_out, let_lapse])
@pytest.mark.parametrize("chosen", [None, "available"])
def test_a_held_agent_whose_app_closed_is_not_locked_out(leave: Callable[[Play], None], chosen: str | None) -> None:
    """A supervisor's hold of `available` answered 409 with `offline` to whoever came back."""
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "available", reason="all hands")
    leave(play)
    assert (play.agent("anna").state, play.agent("anna").held) == ("offline", True), "nobody is a ghost"
    play.say()
    assert play.offered_to() is None
    play.presence("anna", chosen, session="again")
    answer: Any = play.answer
    shown = [answer[name] for name in ("state", "set_by", "reason")]
    assert shown == ["available", "supervisor", "all hands"]
    assert play.offered_to() == "anna"
    play.away("anna", session="again")
    refused: Any = play.answer
    assert (refused.status, refused.code, refused.extra["state"]) == (409, "presence-held", "available")


@pytest.mark.parametrize("leave", [sign_out, let_lapse])
def test_a_held_absence_stands_however_the_last_session_ends(leave: Callable[[Play], None]) -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "away", reason="training")
    leave(play)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("away", "supervisor")
    play.presence("anna", None)
    assert (play.agent("anna").state, play.agent("anna").reason) == ("away", "training")


def test_a_hold_that_ended_meanwhile_does_not_sign_anybody_in() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "available", until=play.now + timedelta(seconds=60))
    sign_out(play)
    play.advance(61)
    play.presence("anna", None)
    assert play.agent("anna").state == "offline"
    play.available("anna")
    assert play.agent("anna").state == "available"


def test_a_hold_of_who_is_gone_can_be_changed_and_released() -> None:
    play = Play(a_workspace(["anna"]))
    hold(play, "anna", "available")
    sign_out(play)
    hold(play, "anna", "away")
    play.presence("anna", None)
    assert play.agent("anna").state == "away"
    hold(play, "anna", "away", hold=False)
    play.available("anna")
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("available", "agent")


def test_a_reason_that_is_not_configured_is_refused_where_reasons_are_given() -> None:
    play = Play(a_workspace(["anna"], presence={"reasons": ["lunch", "training"]}))
    play.away("anna", reason="coffee")
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/reason")
    assert play.agent("anna").state == "available"
    play.away("anna", reason="lunch")
    assert (play.agent("anna").state, play.agent("anna").reason) == ("away", "lunch")
    play.presence("anna", None, reason="coffee")
    assert play.answer["reason"] == "lunch", "a heartbeat gives no reason"
    play.away("anna")
    assert play.agent("anna").reason is None, "none need be given"


def test_without_reasons_in_the_document_any_is_taken() -> None:
    play = Play(a_workspace(["anna"], presence={"grace_seconds": 60}))
    play.away("anna", reason="coffee")
    assert play.agent("anna").reason == "coffee"


def test_a_supervisors_reason_is_their_own() -> None:
    play = Play(a_workspace(["anna"], presence={"reasons": ["lunch"]}))
    hold(play, "anna", "away", reason="coaching")
    assert play.agent("anna").reason == "coaching"


def test_a_reason_that_a_later_version_drops_stands_until_another_is_chosen() -> None:
    document = a_workspace(["anna"], presence={"reasons": ["lunch"]})
    play = Play(document)
    play.away("anna", reason="lunch")
    play.configure({**document, "presence": {"reasons": ["training"]}})
    assert play.agent("anna").reason == "lunch"
    play.away("anna", reason="lunch")
    assert play.answer.status == 422
