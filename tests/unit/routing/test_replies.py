"""Rule 5, replies: where they go, and that they end the waiting."""

from pointsman.contracts.shapes import Author
from pointsman.core.instant import after
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def test_a_reply_says_where_it_goes() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    ticket = driver.assigned(channel="chat")
    driver.reply(text="Grazie!")
    replied = driver.fact("ticket.replied")
    assert (replied.text, replied.connector, replied.thread) == ("Grazie!", ticket.connector, ticket.thread)
    assert replied.deliver
    assert (driver.answer["direction"], driver.answer["delivery"]) == ("out", "queued")


def test_what_a_reply_answers_is_a_message_of_the_ticket() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}))
    own = driver.assigned().last_message_id
    other = driver.assigned("tkt_2").last_message_id
    for name in (other, "msg_none", ""):
        for public in (True, False):
            driver.reply(public=public, reply_to_message=name)
            assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/reply_to_message")
            assert driver.facts == []
    driver.reply(reply_to_message=own)
    assert driver.fact("ticket.replied").reply_to_message == own


def test_a_public_reply_ends_the_waiting_and_the_next_message_begins_it_anew() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    opened_at = driver.assigned().opened_at
    driver.advance(60)
    driver.reply(public=False)
    assert driver.ticket().waiting_since == opened_at, "a note answers nobody"
    driver.reply()
    assert driver.ticket().waiting_since is None
    driver.advance(60)
    driver.say()
    assert driver.ticket().waiting_since == driver.now
    driver.advance(1)
    driver.say()
    assert driver.ticket().waiting_since == after(driver.now, -1), "the oldest unanswered message counts"
    assert driver.ticket().opened_at == opened_at


def test_a_message_that_an_agent_wrote_in_the_providers_app_is_a_reply_not_delivered_again() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.say(author=Author(kind="agent", id="anna"))
    replied = driver.fact("ticket.replied")
    assert driver.types == ["ticket.replied"]
    assert (replied.deliver, replied.author.id) == (False, "anna")
    assert driver.ticket().waiting_since is None
