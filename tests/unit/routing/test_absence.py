"""Rule 12, what becomes of the tickets of an agent who vanished."""

from pointsman.contracts.sla import ClockWarned
from tests.unit.routing.playing import Play, a_workspace

GRACE = {"presence": {"grace_seconds": 120}}


def test_a_lapse_rescinds_at_once_and_requeues_chats_after_the_grace_time() -> None:
    """twilio-taskrouter.js#39: a laptop sleeps, and its agent stays available for ever."""
    play = Play(a_workspace(["anna"], **GRACE), present=[])
    play.available("anna", lease_seconds=60)
    play.assigned("chat", channel="chat")
    play.assigned("mail")
    play.advance(59)
    play.say("shown", channel="chat")
    play.advance(1)
    assert play.ticket("shown").state == "queued"
    play.advance(119)
    assert play.ticket("chat").agent == "anna"
    play.advance(1)
    assert (play.ticket("chat").state, play.agent("anna").load) == ("queued", 1)
    assert play.ticket("mail").agent == "anna"


def test_mail_requeues_at_the_latest_after_its_time() -> None:
    play = Play(a_workspace(["anna"], **GRACE), present=[])
    play.available("anna", lease_seconds=60)
    play.assigned("mail")
    play.advance(60 + 28_799)
    assert play.ticket("mail").agent == "anna"
    play.advance(1)
    assert play.ticket("mail").state == "queued"


def test_mail_requeues_when_a_warning_fires_while_its_holder_is_gone() -> None:
    play = Play(a_workspace(["anna"], **GRACE), present=[])
    play.available("anna", lease_seconds=60)
    play.assigned("mail")
    play.advance(60 + 200)
    warned = {"clock_id": "c", "ticket_id": "mail", "metric": "next_response", "cycle": 1, "policy": "p"}
    more = {"step": "share:0.8", "warned_at": play.now, "breach_at": play.now}
    play.hear(ClockWarned.model_validate(warned | more), topic="sla")
    play.advance(0)
    assert play.ticket("mail").state == "queued"


def test_a_return_within_the_grace_time_restores_what_was_chosen() -> None:
    play = Play(a_workspace(["anna"], **GRACE), present=[])
    play.available("anna", lease_seconds=60)
    play.assigned("chat", channel="chat")
    play.advance(100)
    play.presence("anna", None, lease_seconds=600)
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("available", "agent")
    play.advance(500)
    assert play.ticket("chat").agent == "anna"
