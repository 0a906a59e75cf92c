"""Rule 14, leaving: an agent hands tickets back, a supervisor requeues them."""

from typing import Any

from tests.unit.routing.playing import Play, a_workspace

QUEUES: dict[str, Any] = {"general": {}, "late": {}}


def three_held(queues: object = None) -> Play:
    """Anna holds a mail, a chat and a pending mail; boris comes later."""
    play = Play(a_workspace(["anna", "boris"], queues or QUEUES), present=["anna"])
    play.assigned("tkt_mail")
    play.assigned("tkt_chat", channel="chat")
    play.assigned("tkt_pending")
    play.pend("tkt_pending")
    return play


def test_everything_goes_back_to_its_queue_and_to_others() -> None:
    play = three_held()
    play.available("boris")
    play.handover("anna")
    assert [play.offered_to("tkt_mail"), play.offered_to("tkt_chat")] == ["boris", "boris"]
    assert play.agent("anna").load == 0
    said = [fact for fact in play.facts if fact.type == "ticket.transferred"]
    assert {(fact.from_agent, fact.reason) for fact in said} == {("anna", "I go home")}
    assert [item["ticket_id"] for item in play.answer["items"]] == ["tkt_chat", "tkt_mail", "tkt_pending"]


def test_what_waits_on_the_customer_goes_on_doing_so_and_comes_back_to_the_queue() -> None:
    play = three_held()
    play.available("boris")
    play.handover("anna")
    assert (play.ticket("tkt_pending").state, play.ticket("tkt_pending").agent) == ("pending", None)
    play.say("tkt_pending")
    assert play.types == ["message.received", "ticket.woken", "ticket.queued", "offer.made"]


def test_only_those_named() -> None:
    play = three_held()
    play.handover("anna", ticket_ids=("tkt_chat",))
    assert (play.ticket("tkt_chat").state, play.ticket("tkt_mail").agent) == ("queued", "anna")


def test_what_they_do_not_hold_refuses_the_whole() -> None:
    play = three_held()
    play.handover("anna", ticket_ids=("tkt_chat", "tkt_other"))
    assert (play.answer.status, play.answer.code) == (409, "not-holder")
    assert play.answer.extra["errors"][0]["pointer"] == "/ticket_ids/1"
    assert play.ticket("tkt_chat").agent == "anna"


def test_it_does_not_come_straight_back() -> None:
    play = three_held()
    play.handover("anna", ticket_ids=("tkt_mail",))
    assert play.offered_to("tkt_mail") is None


def test_it_keeps_its_place_in_time() -> None:
    play = Play(a_workspace(["anna"]))
    asked = play.assigned().waiting_since
    play.advance(100)
    play.handover("anna")
    assert play.ticket().waiting_since == asked


def test_after_work_stays_with_who_does_it() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.resolve(wrap_up_seconds=60)
    play.handover("anna")
    assert (play.answer["items"], play.ticket().agent) == ([], "anna")


def test_a_supervisor_requeues_some_channels_into_another_queue() -> None:
    play = three_held()
    play.requeue("anna", channels=("chat",), to_queue="late")
    assert (play.ticket("tkt_chat").queue, play.ticket("tkt_mail").agent) == ("late", "anna")
    play.requeue("anna", to_queue="late")
    assert (play.ticket("tkt_mail").queue, play.ticket("tkt_pending").queue) == ("late", "late")


def test_an_unknown_queue_is_refused() -> None:
    play = three_held()
    play.requeue("anna", to_queue="nowhere")
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/to")


def test_an_unknown_agent_is_not_found() -> None:
    play = three_held()
    play.requeue("nobody")
    assert play.answer.status == 404
