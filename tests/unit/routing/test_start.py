"""Tickets that agents start: theirs, charged, delivered; the customer becomes known."""

from pointsman.contracts.requests import CustomerSeen, MessageDelivered
from pointsman.contracts.shapes import Recipient
from pointsman.core.ids import derived_id
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace


def test_it_is_theirs_at_once_and_charged() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start(subject="Your order")
    assert driver.types == ["ticket.opened", "ticket.classified", "ticket.assigned", "ticket.replied"]
    assert (driver.answer["state"], driver.answer["agent"], driver.answer["subject"]) == (
        "assigned",
        "anna",
        "Your order",
    )
    assert driver.agent("anna").load == 1
    ticket = driver.ticket(driver.answer["id"])
    assert (ticket.started_by, ticket.waiting_since, ticket.unanswered_since) == ("agent", None, None)


def test_what_they_write_is_delivered_to_whom_they_name() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start(text="Hello Ada.")
    opened, replied = driver.fact("ticket.opened"), driver.fact("ticket.replied")
    assert (opened.started_by, opened.message_id) == ("agent", replied.message_id)
    assert opened.recipient == Recipient(email="Ada@Example.com", name="Ada")
    assert (replied.text, replied.deliver, replied.connector) == ("Hello Ada.", True, "support-mail")
    assert replied.thread == opened.thread == opened.ticket_id


def test_a_note_is_not_delivered() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start(public=False)
    assert driver.types == ["ticket.opened", "ticket.classified", "ticket.assigned", "ticket.noted"]


def test_a_new_customer_has_the_id_that_intake_gives_them() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start()
    expected = derived_id("cus", driver.now, "acme", "", "email", "ada@example.com")
    assert driver.answer["customer"] == {"id": expected, "name": "Ada", "tier": None}
    driver.start(customer=Recipient(id="cus_known"))
    assert driver.answer["customer"]["id"] == "cus_known"


def test_who_the_customer_is_is_learnt_from_the_delivery() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start()
    ticket, message = driver.answer["id"], driver.fact("ticket.replied").message_id
    seen = CustomerSeen(id="cus_ada", name="Ada Byron")
    driver.hear(MessageDelivered(message_id=message, ticket_id=ticket, connector="support-mail", customer=seen))
    assert (driver.ticket(ticket).customer_id, driver.ticket(ticket).customer_name) == ("cus_ada", "Ada Byron")


def test_the_customers_answer_is_an_ordinary_message_and_starts_the_waiting() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start()
    ticket = driver.answer["id"]
    driver.advance(60)
    driver.say(ticket, customer={"id": "cus_ada", "name": "Ada Byron"})
    assert driver.types == ["message.received"]
    assert (driver.ticket(ticket).agent, driver.ticket(ticket).unanswered_since) == ("anna", driver.now)
    assert driver.ticket(ticket).customer_id == "cus_ada"


def test_it_is_classified_by_what_they_write() -> None:
    document = a_workspace(["anna"], {"general": {}, "billing": {}})
    driver = DeskDriver(document)
    driver.start(text="raise")
    assert driver.fact("ticket.classified").marked == "ValueError: this text cannot be classified"
    assert driver.answer["state"] == "assigned"


def test_without_room_it_is_refused() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.start()
    assert (driver.answer.status, driver.answer.code) == (409, "no-room")
    assert list(driver.desk.tickets) == ["tkt_1"]


def test_an_unknown_connector_or_customer_is_refused_with_its_place() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start(connector="fax")
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/connector")
    driver.start(customer=Recipient(name="Ada"))
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/customer")


def test_only_agents_start_tickets() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "helper": {"kind": "bot"}}))
    for who in ("nobody", "helper"):
        driver.start(who)
        assert (driver.answer.status, driver.answer.code) == (403, "not-eligible")


def test_rerouted_it_is_queued_for_the_first_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.start()
    ticket = next(iter(driver.desk.tickets))
    driver.say(ticket)
    since = driver.ticket(ticket).waiting_since
    driver.advance(60)
    driver.away("anna")
    driver.label(ticket, category="other", priority="high", reroute=True)
    assert (driver.ticket(ticket).waiting_since, driver.ticket(ticket).queued_at) == (since, driver.now)
    driver.reply(ticket, actor=BOSS)
    assert driver.ticket(ticket).waiting_since == driver.now
