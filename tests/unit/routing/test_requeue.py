"""Rule 14, leaving: an agent hands tickets back, a supervisor requeues them."""

from typing import Any

from tests.unit.routing.desk_driver import DeskDriver, a_workspace

QUEUES: dict[str, Any] = {"general": {}, "late": {}}


def three_held(queues: object = None) -> DeskDriver:
    """Anna holds a mail, a chat and a pending mail; boris comes later."""
    driver = DeskDriver(a_workspace(["anna", "boris"], queues or QUEUES), present=["anna"])
    driver.assigned("tkt_mail")
    driver.assigned("tkt_chat", channel="chat")
    driver.assigned("tkt_pending")
    driver.pend("tkt_pending")
    return driver


def test_everything_goes_back_to_its_queue_and_to_others() -> None:
    driver = three_held()
    driver.available("boris")
    driver.handover("anna")
    assert [driver.offered_to("tkt_mail"), driver.offered_to("tkt_chat")] == ["boris", "boris"]
    assert driver.agent("anna").load == 0
    said = [fact for fact in driver.facts if fact.type == "ticket.transferred"]
    assert {(fact.from_agent, fact.reason) for fact in said} == {("anna", "I go home")}
    assert [item["ticket_id"] for item in driver.answer["items"]] == ["tkt_chat", "tkt_mail", "tkt_pending"]


def test_what_waits_on_the_customer_goes_on_doing_so_and_comes_back_to_the_queue() -> None:
    driver = three_held()
    driver.available("boris")
    driver.handover("anna")
    assert (driver.ticket("tkt_pending").state, driver.ticket("tkt_pending").agent) == ("pending", None)
    driver.say("tkt_pending")
    assert driver.types == ["message.received", "ticket.woken", "ticket.queued", "offer.made"]


def test_only_those_named() -> None:
    driver = three_held()
    driver.handover("anna", ticket_ids=("tkt_chat",))
    assert (driver.ticket("tkt_chat").state, driver.ticket("tkt_mail").agent) == ("queued", "anna")


def test_what_they_do_not_hold_refuses_the_whole() -> None:
    driver = three_held()
    driver.handover("anna", ticket_ids=("tkt_chat", "tkt_other"))
    assert (driver.answer.status, driver.answer.code) == (409, "not-holder")
    assert driver.answer.extra["errors"][0]["pointer"] == "/ticket_ids/1"
    assert driver.ticket("tkt_chat").agent == "anna"


def test_it_does_not_come_straight_back() -> None:
    driver = three_held()
    driver.handover("anna", ticket_ids=("tkt_mail",))
    assert driver.offered_to("tkt_mail") is None


def test_it_keeps_its_place_in_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    asked = driver.assigned().waiting_since
    driver.advance(100)
    driver.handover("anna")
    assert driver.ticket().waiting_since == asked


def test_after_work_stays_with_who_does_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.resolve(wrap_up_seconds=60)
    driver.handover("anna")
    assert (driver.answer["items"], driver.ticket().agent) == ([], "anna")


def test_a_supervisor_requeues_some_channels_into_another_queue() -> None:
    driver = three_held()
    driver.requeue("anna", channels=("chat",), to_queue="late")
    assert (driver.ticket("tkt_chat").queue, driver.ticket("tkt_mail").agent) == ("late", "anna")
    driver.requeue("anna", to_queue="late")
    assert (driver.ticket("tkt_mail").queue, driver.ticket("tkt_pending").queue) == ("late", "late")


def test_an_unknown_queue_is_refused() -> None:
    driver = three_held()
    driver.requeue("anna", to_queue="nowhere")
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/to")


def test_an_unknown_agent_is_not_found() -> None:
    driver = three_held()
    driver.requeue("nobody")
    assert driver.answer.status == 404
