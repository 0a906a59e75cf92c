"""Rule 18: a customer who left."""

from typing import Any

from pointsman.contracts.requests import CustomerLeft, CustomerReturned
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

CHAT = {"chat": {"weight": 1, "abandons_after_seconds": 300}}


def happens(driver: DeskDriver, kind: Any, ticket: str = "tkt_1") -> None:
    driver.hear(kind(ticket_id=ticket, connector="site-chat", thread="t", occurred_at=driver.now))


def test_waiting_in_vain_ends_abandoned() -> None:
    driver = DeskDriver(a_workspace([], channels=CHAT))
    driver.say(channel="chat")
    happens(driver, CustomerLeft)
    assert driver.types == ["ticket.customer_left"]
    driver.advance(299)
    assert driver.ticket().state == "queued"
    driver.advance(1)
    assert (driver.ticket().state, driver.ticket().outcome) == ("resolved", "abandoned")


def test_an_offer_is_rescinded_and_its_agent_gets_the_next() -> None:
    queues = {"general": {"offer": {"timeout_seconds": 1000}}}
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, queues, channels=CHAT))
    driver.say(channel="chat")
    driver.say("tkt_2")
    happens(driver, CustomerLeft)
    driver.advance(300)
    assert "offer.rescinded" in driver.types
    assert driver.offered_to("tkt_2") == "anna"


def test_a_return_or_a_message_keeps_the_ticket() -> None:
    driver = DeskDriver(a_workspace([], channels=CHAT))
    driver.say("returns", channel="chat")
    driver.say("writes", channel="chat")
    happens(driver, CustomerLeft, "returns")
    happens(driver, CustomerLeft, "writes")
    driver.advance(100)
    happens(driver, CustomerReturned, "returns")
    assert driver.fact("ticket.customer_left").returned
    driver.say("writes", channel="chat")
    driver.advance(1000)
    assert driver.ticket("returns").state == driver.ticket("writes").state == "queued"


def test_an_assigned_agent_is_told_and_keeps_the_charge() -> None:
    driver = DeskDriver(a_workspace(["anna"], channels=CHAT))
    driver.assigned(channel="chat")
    happens(driver, CustomerLeft)
    driver.advance(1000)
    assert (driver.ticket().state, driver.agent("anna").load) == ("assigned", 1)


def test_requeued_while_the_customer_is_away_it_is_abandoned_in_the_end() -> None:
    driver = DeskDriver(a_workspace(["anna"], channels=CHAT, presence={"grace_seconds": 60}), present=[])
    driver.available("anna", lease_seconds=60)
    driver.assigned(channel="chat")
    happens(driver, CustomerLeft)
    driver.advance(120)
    assert driver.ticket().state == "queued"
    driver.advance(300)
    assert driver.ticket().outcome == "abandoned"


def test_offers_without_success_do_not_put_it_off() -> None:
    queues = {"general": {"offer": {"timeout_seconds": 200, "offers_max": 100}}}
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {}}, queues, channels=CHAT, presence={"on_expire": "keep"}))
    driver.say(channel="chat")
    happens(driver, CustomerLeft)
    driver.advance(299)
    assert driver.ticket().offers > 0
    driver.advance(1)
    assert driver.ticket().outcome == "abandoned", "counted from when they left"


def test_mail_has_no_window_to_leave() -> None:
    driver = DeskDriver(a_workspace([]))
    driver.say()
    happens(driver, CustomerLeft)
    driver.advance(10_000)
    assert driver.ticket().state == "queued"
