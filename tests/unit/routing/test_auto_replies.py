"""Automatic replies: whom they answer, in which language, and how often."""

from typing import Any

from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.office_hours import REPLIES, with_office_hours


def _chat() -> dict[str, Any]:
    return {"channel": "chat", "kind": "json", "auto_reply": "received"}


def test_the_reply_is_in_the_customers_language_and_a_bots() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    driver.say()
    reply = driver.fact("ticket.replied")
    assert (reply.text, reply.author.kind, reply.deliver) == ("We are closed.", "bot", True)
    assert driver.ticket().unanswered_since is not None, "nobody has answered yet"
    driver.desk.edit(driver.ticket())
    driver.ticket().labels = driver.ticket().labels._replace(language="it")
    assert driver.desk.policy.document.reply_text("closed", "it") == "Siamo chiusi."
    assert driver.desk.policy.document.reply_text("closed", "de") == "We are closed.", "the workspace's first language"


def test_automatic_mail_is_never_answered() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    driver.say(automatic="out_of_office")
    assert "ticket.replied" not in driver.types
    assert driver.ticket().held == "hours"


def test_what_came_through_a_list_opens_and_is_never_answered_automatically() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    driver.say(unanswerable=True)
    assert "ticket.replied" not in driver.types
    assert (driver.ticket().held, driver.ticket().unanswered_since) == ("hours", driver.now)


def test_a_connector_answers_what_opens_once() -> None:
    driver = DeskDriver(a_workspace(["anna"], connectors={"site-chat": _chat()}, replies=REPLIES))
    driver.say(channel="chat")
    assert driver.fact("ticket.replied").text == "We have it."
    driver.say(channel="chat")
    assert "ticket.replied" not in driver.types
    driver.say("tkt_2", channel="chat", automatic="auto_reply")
    assert "ticket.replied" not in driver.types


def test_the_reply_of_a_shut_queue_takes_its_place() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    driver.say(channel="chat")
    assert driver.fact("ticket.replied").text == "We are closed."
    driver.configure(with_office_hours())
    driver.say("tkt_2", channel="chat")
    assert driver.fact("ticket.replied").text == "We have it."
