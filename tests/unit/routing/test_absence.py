"""Rule 12, what becomes of the tickets of an agent who vanished."""

from pointsman.contracts.sla import ClockWarned
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

GRACE = {"presence": {"grace_seconds": 120}}


def test_a_lapse_rescinds_at_once_and_requeues_chats_after_the_grace_time() -> None:
    """twilio-taskrouter.js#39: a laptop sleeps, and its agent stays available for ever."""
    driver = DeskDriver(a_workspace(["anna"], **GRACE), present=[])
    driver.available("anna", lease_seconds=60)
    driver.assigned("chat", channel="chat")
    driver.assigned("mail")
    driver.advance(59)
    driver.say("shown", channel="chat")
    driver.advance(1)
    assert driver.ticket("shown").state == "queued"
    driver.advance(119)
    assert driver.ticket("chat").agent == "anna"
    driver.advance(1)
    assert (driver.ticket("chat").state, driver.agent("anna").load) == ("queued", 1)
    assert driver.ticket("mail").agent == "anna"


def test_mail_requeues_at_the_latest_after_its_time() -> None:
    driver = DeskDriver(a_workspace(["anna"], **GRACE), present=[])
    driver.available("anna", lease_seconds=60)
    driver.assigned("mail")
    driver.advance(60 + 28_799)
    assert driver.ticket("mail").agent == "anna"
    driver.advance(1)
    assert driver.ticket("mail").state == "queued"


def test_mail_requeues_when_a_warning_fires_while_its_holder_is_gone() -> None:
    driver = DeskDriver(a_workspace(["anna"], **GRACE), present=[])
    driver.available("anna", lease_seconds=60)
    driver.assigned("mail")
    driver.advance(60 + 200)
    warned = {"clock_id": "c", "ticket_id": "mail", "metric": "next_response", "cycle": 1, "policy": "p"}
    more = {"step": "share:0.8", "warned_at": driver.now, "breach_at": driver.now}
    driver.hear(ClockWarned.model_validate(warned | more), topic="sla")
    driver.advance(0)
    assert driver.ticket("mail").state == "queued"


def test_a_return_within_the_grace_time_restores_what_was_chosen() -> None:
    driver = DeskDriver(a_workspace(["anna"], **GRACE), present=[])
    driver.available("anna", lease_seconds=60)
    driver.assigned("chat", channel="chat")
    driver.advance(100)
    driver.presence("anna", None, lease_seconds=600)
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("available", "agent")
    driver.advance(500)
    assert driver.ticket("chat").agent == "anna"
