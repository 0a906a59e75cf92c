"""Tickets that agents start: theirs, charged, delivered; the customer becomes known."""

from pointsman.contracts.requests import CustomerSeen, MessageDelivered
from pointsman.contracts.shapes import Recipient
from pointsman.core.ids import derived_id
from tests.unit.routing.playing import BOSS, Play, a_workspace


def test_it_is_theirs_at_once_and_charged() -> None:
    play = Play(a_workspace(["anna"]))
    play.start(subject="Your order")
    assert play.types == ["ticket.opened", "ticket.classified", "ticket.assigned", "ticket.replied"]
    assert (play.answer["state"], play.answer["agent"], play.answer["subject"]) == ("assigned", "anna", "Your order")
    assert play.agent("anna").load == 1
    ticket = play.ticket(play.answer["id"])
    assert (ticket.started_by, ticket.waiting_since, ticket.unanswered_since) == ("agent", None, None)


def test_what_they_write_is_delivered_to_whom_they_name() -> None:
    play = Play(a_workspace(["anna"]))
    play.start(text="Hello Ada.")
    opened, replied = play.fact("ticket.opened"), play.fact("ticket.replied")
    assert (opened.started_by, opened.message_id) == ("agent", replied.message_id)
    assert opened.recipient == Recipient(email="Ada@Example.com", name="Ada")
    assert (replied.text, replied.deliver, replied.connector) == ("Hello Ada.", True, "support-mail")
    assert replied.thread == opened.thread == opened.ticket_id


def test_a_note_is_not_delivered() -> None:
    play = Play(a_workspace(["anna"]))
    play.start(public=False)
    assert play.types == ["ticket.opened", "ticket.classified", "ticket.assigned", "ticket.noted"]


def test_a_new_customer_has_the_id_that_intake_gives_them() -> None:
    play = Play(a_workspace(["anna"]))
    play.start()
    expected = derived_id("cus", play.now, "acme", "", "email", "ada@example.com")
    assert play.answer["customer"] == {"id": expected, "name": "Ada", "tier": None}
    play.start(customer=Recipient(id="cus_known"))
    assert play.answer["customer"]["id"] == "cus_known"


def test_who_the_customer_is_is_learnt_from_the_delivery() -> None:
    play = Play(a_workspace(["anna"]))
    play.start()
    ticket, message = play.answer["id"], play.fact("ticket.replied").message_id
    seen = CustomerSeen(id="cus_ada", name="Ada Byron")
    play.hear(MessageDelivered(message_id=message, ticket_id=ticket, connector="support-mail", customer=seen))
    assert (play.ticket(ticket).customer_id, play.ticket(ticket).customer_name) == ("cus_ada", "Ada Byron")


def test_the_customers_answer_is_an_ordinary_message_and_starts_the_waiting() -> None:
    play = Play(a_workspace(["anna"]))
    play.start()
    ticket = play.answer["id"]
    play.advance(60)
    play.say(ticket, customer={"id": "cus_ada", "name": "Ada Byron"})
    assert play.types == ["message.received"]
    assert (play.ticket(ticket).agent, play.ticket(ticket).unanswered_since) == ("anna", play.now)
    assert play.ticket(ticket).customer_id == "cus_ada"


def test_it_is_classified_by_what_they_write() -> None:
    document = a_workspace(["anna"], {"general": {}, "billing": {}})
    play = Play(document)
    play.start(text="raise")
    assert play.fact("ticket.classified").marked == "ValueError: this text cannot be classified"
    assert play.answer["state"] == "assigned"


def test_without_room_it_is_refused() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.start()
    assert (play.answer.status, play.answer.code) == (409, "no-room")
    assert list(play.desk.tickets) == ["tkt_1"]


def test_an_unknown_connector_or_customer_is_refused_with_its_place() -> None:
    play = Play(a_workspace(["anna"]))
    play.start(connector="fax")
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/connector")
    play.start(customer=Recipient(name="Ada"))
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/customer")


def test_only_agents_start_tickets() -> None:
    play = Play(a_workspace({"anna": {}, "helper": {"kind": "bot"}}))
    for who in ("nobody", "helper"):
        play.start(who)
        assert (play.answer.status, play.answer.code) == (403, "not-eligible")


def test_rerouted_it_is_queued_for_the_first_time() -> None:
    play = Play(a_workspace(["anna"]))
    play.start()
    ticket = next(iter(play.desk.tickets))
    play.say(ticket)
    since = play.ticket(ticket).waiting_since
    play.advance(60)
    play.away("anna")
    play.label(ticket, category="other", priority="high", reroute=True)
    assert (play.ticket(ticket).waiting_since, play.ticket(ticket).queued_at) == (since, play.now)
    play.reply(ticket, actor=BOSS)
    assert play.ticket(ticket).waiting_since == play.now
