"""Automatic replies: whom they answer, in which language, and how often."""

from typing import Any

from tests.unit.routing.playing import Play, a_workspace

REPLIES = {"closed": {"en": "We are closed.", "it": "Siamo chiusi."}, "received": {"en": "We have it."}}


def a_shop(closed: Any = None, **queue: Any) -> dict[str, Any]:
    """`general` opens half an hour from now and shuts at ten in the evening, on weekdays."""
    document = a_workspace(
        {"anna": {"capacity": 5}},
        {"general": {"hours": "office", "closed": closed or {}, **queue}, "night": {}},
        calendars={"office": {"tz": "UTC", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _span())}},
        replies=REPLIES,
        languages=["en", "it"],
    )
    document["connectors"]["site-chat"]["auto_reply"] = "received"
    return document


def _span() -> list[list[str]]:
    return [["12:30", "22:00"]]


def _chat() -> dict[str, Any]:
    return {"channel": "chat", "kind": "json", "auto_reply": "received"}


def test_the_reply_is_in_the_customers_language_and_a_bots() -> None:
    play = Play(a_shop({"reply": "closed"}))
    play.say()
    reply = play.fact("ticket.replied")
    assert (reply.text, reply.author.kind, reply.deliver) == ("We are closed.", "bot", True)
    assert play.ticket().unanswered_since is not None, "nobody has answered yet"
    play.desk.edit(play.ticket())
    play.ticket().labels = play.ticket().labels._replace(language="it")
    assert play.desk.policy.document.reply_text("closed", "it") == "Siamo chiusi."
    assert play.desk.policy.document.reply_text("closed", "de") == "We are closed.", "the workspace's first language"


def test_automatic_mail_is_never_answered() -> None:
    play = Play(a_shop({"reply": "closed"}))
    play.say(automatic="out_of_office")
    assert "ticket.replied" not in play.types
    assert play.ticket().held == "hours"


def test_what_came_through_a_list_opens_and_is_never_answered_automatically() -> None:
    play = Play(a_shop({"reply": "closed"}))
    play.say(unanswerable=True)
    assert "ticket.replied" not in play.types
    assert (play.ticket().held, play.ticket().unanswered_since) == ("hours", play.now)


def test_a_connector_answers_what_opens_once() -> None:
    play = Play(a_workspace(["anna"], connectors={"site-chat": _chat()}, replies=REPLIES))
    play.say(channel="chat")
    assert play.fact("ticket.replied").text == "We have it."
    play.say(channel="chat")
    assert "ticket.replied" not in play.types
    play.say("tkt_2", channel="chat", automatic="auto_reply")
    assert "ticket.replied" not in play.types


def test_the_reply_of_a_shut_queue_takes_its_place() -> None:
    play = Play(a_shop({"reply": "closed"}))
    play.say(channel="chat")
    assert play.fact("ticket.replied").text == "We are closed."
    play.configure(a_shop())
    play.say("tkt_2", channel="chat")
    assert play.fact("ticket.replied").text == "We have it."
