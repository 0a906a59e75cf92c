"""Rule 12: presence is a lease; away rescinds; a lapse requeues after the grace time; a supervisor's hold stands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pointsman.contracts.commands import PresenceEnd, PresenceHold, PresenceRenew, SessionRenewal
from pointsman.contracts.shapes import SYSTEM
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent


def hold(driver: DeskDriver, agent: str, state: str, **fields: object) -> None:
    command = {"agent": agent, "state": state, "hold": True, "actor": BOSS, **fields}
    driver.command(PresenceHold.model_validate(command))


def test_a_new_agent_is_offline_until_a_person_chooses() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.presence("anna", None)
    driver.say()
    assert (driver.agent("anna").state, driver.offered_to()) == ("offline", None)
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_away_rescinds_offers_and_keeps_assignments() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned("held")
    driver.say("shown")
    driver.away("anna", reason="lunch")
    assert [t for t in driver.types if t.startswith("offer")] == ["offer.rescinded"]
    assert (driver.ticket("held").agent, driver.ticket("shown").state) == ("anna", "queued")
    assert (driver.answer["state"], driver.answer["set_by"], driver.answer["in_hand"]) == (
        "away",
        "agent",
        {"email": 1},
    )


def test_a_rescinded_offer_is_no_decline() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.away("anna")
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_any_living_session_keeps_the_agent_present() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", session="desk", lease_seconds=60)
    driver.presence("anna", None, session="phone", lease_seconds=300)
    driver.advance(299)
    assert driver.agent("anna").state == "available"
    driver.advance(1)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("offline", "lapse")


def test_a_lapse_after_an_expiry_comes_back_away() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=60)
    driver.say()
    driver.advance(200)
    assert driver.agent("anna").set_by == "lapse"
    driver.presence("anna", None)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("away", "expiry")


def test_bundled_renewals_keep_leases_alive() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=60)
    driver.advance(50)
    renewal = SessionRenewal(agent="anna", session="app", until=driver.now + timedelta(seconds=60))
    unknown = SessionRenewal(agent="nobody", session="app", until=driver.now + timedelta(seconds=60))
    driver.command(PresenceRenew(actor=SYSTEM, agents=(renewal, unknown)))
    driver.advance(59)
    assert driver.agent("anna").state == "available"
    driver.advance(1)
    assert driver.agent("anna").state == "offline"


@pytest.mark.parametrize("others", [[], ["tablet"]])
def test_a_bundled_renewal_that_the_end_overtook_brings_no_session_back(others: list[str]) -> None:
    """It came with a living lease for an app that was closed: its agent stayed available, and was offered work."""
    driver = DeskDriver(a_workspace(["anna"]))
    for session in others:
        driver.presence("anna", None, session=session)
    driver.command(PresenceEnd(actor=as_agent("anna"), agent="anna", session="app"))
    renewal = SessionRenewal(agent="anna", session="app", until=driver.now + timedelta(seconds=60))
    driver.command(PresenceRenew(actor=SYSTEM, agents=(renewal,)))
    assert sorted(driver.agent("anna").sessions) == others
    driver.available("anna", session="desk")
    driver.command(PresenceEnd(actor=as_agent("anna"), agent="anna", session="desk"))
    assert driver.agent("anna").state == ("available" if others else "offline")


def test_a_bundled_renewal_that_a_lapse_overtook_brings_the_agent_back() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=30)
    driver.advance(31)
    assert driver.agent("anna").state == "offline"
    renewal = SessionRenewal(agent="anna", session="app", until=driver.now + timedelta(seconds=60))
    driver.command(PresenceRenew(actor=SYSTEM, agents=(renewal,)))
    assert driver.agent("anna").state == "available"


def test_the_last_session_to_end_makes_offline() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", session="desk")
    driver.presence("anna", None, session="phone")
    end = {"agent": "anna", "actor": as_agent("anna")}
    driver.command(PresenceEnd.model_validate(end | {"session": "desk"}))
    assert driver.agent("anna").state == "available"
    driver.command(PresenceEnd.model_validate(end | {"session": "phone"}))
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("offline", "agent")
    driver.presence("anna", None)
    assert driver.agent("anna").state == "offline", "signing out was a choice; signing in is not one"


def test_what_a_supervisor_holds_stands_until_released() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away", reason="coaching")
    driver.available("anna")
    assert (driver.answer.status, driver.answer.code) == (409, "presence-held")
    driver.presence("anna", None)
    assert driver.agent("anna").state == "away"
    hold(driver, "anna", "away", hold=False)
    driver.available("anna")
    assert driver.agent("anna").state == "available"


def test_a_hold_with_an_end_is_released_by_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away", until=driver.now + timedelta(seconds=60))
    driver.advance(60)
    driver.available("anna")
    assert driver.agent("anna").state == "available"


def test_a_supervisor_cannot_make_a_ghost() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    hold(driver, "anna", "available")
    assert (driver.answer.status, driver.answer.code) == (409, "agent-absent")


def test_a_channel_switched_off_gets_no_offers() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.available("anna", channels=("chat",))
    driver.say("mail")
    driver.say("chat", channel="chat")
    assert (driver.offered_to("mail"), driver.offered_to("chat")) == (None, "anna")
    driver.available("anna", channels=("email",))
    assert (driver.offered_to("mail"), driver.offered_to("chat")) == ("anna", None)


def test_a_lease_of_a_year_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=31_536_000)
    assert driver.answer.status == 422
    assert not driver.agent("anna").sessions


def test_a_session_that_ends_leaves_the_others() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", session="desk")
    driver.presence("anna", None, session="phone")
    driver.command(PresenceEnd(agent="anna", session="desk", actor=as_agent("anna")))
    assert (driver.agent("anna").state, list(driver.agent("anna").sessions)) == ("available", ["phone"])
    driver.command(PresenceEnd(agent="anna", session="desk", actor=as_agent("anna")))
    assert driver.answer.status == 404


def test_the_sessions_of_an_agent_share_one_state() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", session="desk")
    driver.say()
    driver.away("anna", session="phone", reason="lunch")
    assert (driver.agent("anna").state, driver.ticket().state) == ("away", "queued")
    driver.presence("anna", None, session="desk")
    assert (driver.agent("anna").state, driver.agent("anna").reason) == ("away", "lunch")


def test_with_one_session_too_many_the_oldest_lease_ends() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    for number in range(20):
        driver.available("anna", session=f"tab-{number}", lease_seconds=100 + number)
    driver.presence("anna", None, session="one-more", lease_seconds=600)
    assert len(driver.agent("anna").sessions) == 20
    assert "tab-0" not in driver.agent("anna").sessions


def test_a_hold_outlives_a_lapse_and_a_new_version() -> None:
    document = a_workspace(["anna"])
    driver = DeskDriver(document, present=[])
    driver.available("anna", lease_seconds=60)
    hold(driver, "anna", "away", reason="training")
    driver.advance(61)
    driver.configure(document)
    driver.presence("anna", None)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("away", "supervisor")
    driver.available("anna")
    assert driver.answer.code == "presence-held"


def test_without_a_hold_the_agent_may_choose_again() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away", hold=False)
    assert driver.agent("anna").state == "away"
    driver.available("anna")
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("available", "agent")


def test_a_supervisor_releases_their_hold() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away")
    hold(driver, "anna", "away", hold=False)
    driver.available("anna")
    assert driver.agent("anna").state == "available"


def test_what_a_supervisor_set_comes_back_after_a_lapse() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=60)
    hold(driver, "anna", "away", hold=False)
    driver.advance(61)
    assert driver.agent("anna").state == "offline"
    driver.presence("anna", None)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("away", "supervisor")


def test_a_hold_until_the_past_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away", until=driver.now)
    assert (driver.answer.status, driver.agent("anna").state) == (422, "available")


def sign_out(driver: DeskDriver, session: str = "app") -> None:
    driver.command(PresenceEnd(agent="anna", session=session, actor=as_agent("anna")))


def let_lapse(driver: DeskDriver) -> None:
    driver.advance(driver.desk.timers.earliest()["lease"].timestamp() - driver.now.timestamp() + 1)


@pytest.mark.parametrize("leave", [sign_out, let_lapse])
@pytest.mark.parametrize("chosen", [None, "available"])
def test_a_held_agent_whose_app_closed_is_not_locked_out(
    leave: Callable[[DeskDriver], None], chosen: str | None
) -> None:
    """A supervisor's hold of `available` answered 409 with `offline` to whoever came back."""
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "available", reason="all hands")
    leave(driver)
    assert (driver.agent("anna").state, driver.agent("anna").held) == ("offline", True), "nobody is a ghost"
    driver.say()
    assert driver.offered_to() is None
    driver.presence("anna", chosen, session="again")
    answer: Any = driver.answer
    shown = [answer[name] for name in ("state", "set_by", "reason")]
    assert shown == ["available", "supervisor", "all hands"]
    assert driver.offered_to() == "anna"
    driver.away("anna", session="again")
    refused: Any = driver.answer
    assert (refused.status, refused.code, refused.extra["state"]) == (409, "presence-held", "available")


@pytest.mark.parametrize("leave", [sign_out, let_lapse])
def test_a_held_absence_stands_however_the_last_session_ends(leave: Callable[[DeskDriver], None]) -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "away", reason="training")
    leave(driver)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("away", "supervisor")
    driver.presence("anna", None)
    assert (driver.agent("anna").state, driver.agent("anna").reason) == ("away", "training")


def test_a_hold_that_ended_meanwhile_does_not_sign_anybody_in() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "available", until=driver.now + timedelta(seconds=60))
    sign_out(driver)
    driver.advance(61)
    driver.presence("anna", None)
    assert driver.agent("anna").state == "offline"
    driver.available("anna")
    assert driver.agent("anna").state == "available"


def test_a_hold_of_who_is_gone_can_be_changed_and_released() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    hold(driver, "anna", "available")
    sign_out(driver)
    hold(driver, "anna", "away")
    driver.presence("anna", None)
    assert driver.agent("anna").state == "away"
    hold(driver, "anna", "away", hold=False)
    driver.available("anna")
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("available", "agent")


def test_a_reason_that_is_not_configured_is_refused_where_reasons_are_given() -> None:
    driver = DeskDriver(a_workspace(["anna"], presence={"reasons": ["lunch", "training"]}))
    driver.away("anna", reason="coffee")
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/reason")
    assert driver.agent("anna").state == "available"
    driver.away("anna", reason="lunch")
    assert (driver.agent("anna").state, driver.agent("anna").reason) == ("away", "lunch")
    driver.presence("anna", None, reason="coffee")
    assert driver.answer["reason"] == "lunch", "a heartbeat gives no reason"
    driver.away("anna")
    assert driver.agent("anna").reason is None, "none need be given"


def test_without_reasons_in_the_document_any_is_taken() -> None:
    driver = DeskDriver(a_workspace(["anna"], presence={"grace_seconds": 60}))
    driver.away("anna", reason="coffee")
    assert driver.agent("anna").reason == "coffee"


def test_a_supervisors_reason_is_their_own() -> None:
    driver = DeskDriver(a_workspace(["anna"], presence={"reasons": ["lunch"]}))
    hold(driver, "anna", "away", reason="coaching")
    assert driver.agent("anna").reason == "coaching"


def test_a_reason_that_a_later_version_drops_stands_until_another_is_chosen() -> None:
    document = a_workspace(["anna"], presence={"reasons": ["lunch"]})
    driver = DeskDriver(document)
    driver.away("anna", reason="lunch")
    driver.configure({**document, "presence": {"reasons": ["training"]}})
    assert driver.agent("anna").reason == "lunch"
    driver.away("anna", reason="lunch")
    assert driver.answer.status == 422
