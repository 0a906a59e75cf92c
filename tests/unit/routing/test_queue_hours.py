"""Rule 20, hours and closing: what becomes of a ticket that enters a queue which is shut, once per ticket."""

from datetime import timedelta
from typing import Any

import pytest

from pointsman.core.decision import Refusal
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import BOSS, Play, a_workspace

HOUR = 3600.0
OPENS = 1800.0
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


# -- hold --------------------------------------------------------------------------------------------------------------


def test_outside_its_hours_a_queue_holds_and_offers_when_it_opens() -> None:
    play = Play(a_shop())
    ticket = play.say()
    assert (ticket.state, ticket.held, ticket.place) == ("queued", "hours", None)
    assert play.fact("ticket.queued").held == "hours"
    play.advance(OPENS - 1)
    assert play.offered_to() is None
    play.advance(1)
    assert (ticket.held, play.offered_to()) == (None, "anna")
    assert ticket.waiting_since == ticket.opened_at, "holding costs nobody their place"


def test_the_end_of_hours_concerns_only_who_enters_later() -> None:
    play = Play(a_shop(), present=())
    play.advance(2 * HOUR)
    waits = play.say()
    play.advance(8 * HOUR)
    assert waits.held is None
    assert play.say("tkt_2").held == "hours"
    play.available("anna")
    assert (play.offered_to("tkt_1"), play.offered_to("tkt_2")) == ("anna", None)


def test_an_offer_stands_and_a_declined_one_goes_back_into_the_line() -> None:
    play = Play(a_shop(offer={"timeout_seconds": 86_400}))
    play.advance(2 * HOUR)
    ticket = play.say()
    assert play.offered_to() is None
    play.advance(7.5 * HOUR)
    play.available("anna")
    play.advance(HOUR / 2)
    assert play.queue()["state"] == "closed"
    play.reject()
    assert (ticket.state, ticket.held) == ("queued", None)


def test_a_held_ticket_is_counted_and_its_queue_says_until_when_it_is_shut() -> None:
    play = Play(a_shop())
    play.say()
    queue = play.queue()
    assert (queue["state"], queue["held"], queue["waiting"]) == ("closed", 1, 1)
    assert queue["until"] == play.now + timedelta(minutes=30)
    assert queue["reason"] == "outside office"
    play.advance(OPENS)
    assert (play.queue()["state"], play.queue()["until"]) == ("open", None)


def test_a_customer_who_writes_on_stays_held() -> None:
    play = Play(a_shop({"reply": "closed"}))
    ticket = play.say()
    play.say()
    assert ticket.held == "hours"
    assert play.types == ["message.received"]


def test_a_held_ticket_can_be_resolved_labelled_and_left() -> None:
    play = Play({**a_shop(), "classify": {"language_skill": None, "categories": {"dark": {"queue": "night"}}}})
    ticket = play.say()
    play.label(category="dark")
    assert (ticket.queue, ticket.held, play.offered_to()) == ("night", None, "anna")
    play.say("tkt_2")
    play.label("tkt_2", priority="urgent")
    assert play.ticket("tkt_2").held == "hours"
    play.resolve("tkt_2", actor=BOSS)
    assert play.ticket("tkt_2").held is None
    assert_sound(play.desk)


def test_explain_says_that_it_is_held() -> None:
    play = Play(a_shop())
    play.say()
    assert play.explain()["sentence"] == (
        "It is held: the queue general is outside its hours; it opens on 2026-11-23 at 12:30 UTC."
    )
    explained = play.explain(agent="anna")
    assert explained["able_now"] == []
    assert explained["agent"]["sentence"] == "The queue general is shut and holds it."


def test_what_is_held_may_be_given_to_somebody() -> None:
    play = Play(a_shop())
    for ticket in ("tkt_1", "tkt_2"):
        play.say(ticket)
    play.assign("anna", "tkt_1")
    assert (play.ticket("tkt_1").agent, play.ticket("tkt_1").held) == ("anna", None)
    play.transfer("tkt_2", to_queue="night", actor=BOSS)
    assert (play.ticket("tkt_2").held, play.offered_to("tkt_2")) == (None, "anna")
    assert_sound(play.desk)


# -- once per ticket ---------------------------------------------------------------------------------------------------


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


def test_who_comes_back_is_held_again_but_hears_it_once() -> None:
    play = Play(a_shop({"reply": "closed"}))
    play.say()
    play.resolve(actor=BOSS)
    play.advance(60)
    ticket = play.say()
    assert (ticket.state, ticket.held) == ("queued", "hours")
    assert "ticket.replied" not in play.types


def test_to_another_queue() -> None:
    play = Play(a_shop({"reply": "closed", "then": {"to": "night"}}))
    ticket = play.say()
    assert (ticket.queue, play.offered_to()) == ("night", "anna")
    assert play.fact("ticket.queued").reason == "closed"
    assert play.fact("ticket.replied").text == "We are closed."


def test_queues_that_send_to_one_another_end_and_the_ticket_waits() -> None:
    document = a_shop({"then": {"to": "night"}})
    document["queues"]["night"] = {"hours": "office", "closed": {"then": {"to": "general"}}}
    play = Play(document)
    assert (play.say().queue, play.ticket().held) == ("night", None)
    assert play.offered_to() == "anna"


def test_another_queue_that_holds_holds() -> None:
    document = a_shop({"then": {"to": "night"}})
    document["queues"]["night"] = {"hours": "office", "closed": {"reply": "closed"}}
    play = Play(document)
    ticket = play.say()
    assert (ticket.queue, ticket.held) == ("night", "hours")
    assert "ticket.replied" not in play.types, "one rule per ticket"
    play.advance(OPENS)
    assert play.offered_to() == "anna"


def test_resolve() -> None:
    play = Play(a_shop({"reply": "closed", "then": "resolve"}))
    ticket = play.say()
    assert (ticket.state, ticket.outcome) == ("resolved", "no_reply_needed")
    assert play.types[-3:] == ["ticket.queued", "ticket.replied", "ticket.resolved"]
    play.say()
    assert (ticket.state, play.offered_to()) == ("offered", "anna"), "the rule ran; now it just waits"


def test_what_could_not_be_classified_is_let_in() -> None:
    play = Play(a_shop({"then": "resolve"}))
    assert play.say(text="raise").marked is not None
    assert play.offered_to() == "anna"


# -- a supervisor closes and opens -------------------------------------------------------------------------------------


def an_open_shop(**queue: Any) -> dict[str, Any]:
    return a_workspace(
        {"anna": {"capacity": 5}}, {"general": {"closed": {"reply": "closed"}, **queue}, "night": {}}, replies=REPLIES
    )


def test_a_closing_holds_also_those_who_wait_and_tells_them() -> None:
    play = Play(an_open_shop(), present=())
    ticket = play.say()
    play.close_queue(until=play.now + timedelta(hours=2))
    assert (ticket.held, play.fact("queue.closed").reason) == ("closed", "a storm")
    assert play.fact("ticket.replied").text == "We are closed."
    play.available("anna")
    assert play.offered_to() is None
    assert play.explain()["sentence"] == (
        "It is held: the queue general is closed until 2026-11-23 14:00 UTC (a storm)."
    )
    play.advance(2 * HOUR)
    assert play.fact("queue.opened").by.kind == "system"
    play.available("anna")
    assert play.offered_to() == "anna"


def test_a_closing_without_an_end_lasts_until_it_is_opened() -> None:
    play = Play(an_open_shop())
    play.close_queue()
    play.say()
    play.advance(HOUR / 2)
    assert play.ticket().held == "closed"
    assert play.queue()["reason"] == "a storm"
    play.open_queue()
    assert play.offered_to() == "anna"
    assert play.fact("queue.opened").by == BOSS
    play.open_queue()
    assert play.facts == [], "it is open"


def test_a_closing_may_send_what_waits_elsewhere_or_end_it() -> None:
    play = Play(an_open_shop(), present=())
    play.say()
    play.close_queue(then={"to": "night"})
    assert (play.ticket().queue, play.ticket().held) == ("night", None)
    play.say("tkt_2")
    assert play.ticket("tkt_2").queue == "night"
    play.close_queue(then="resolve")
    play.say("tkt_3")
    assert (play.ticket("tkt_3").state, play.ticket("tkt_1").state) == ("resolved", "queued")


def test_offers_stand_but_what_they_leave_behind_is_held() -> None:
    play = Play(an_open_shop())
    play.say()
    play.close_queue()
    assert play.offered_to() == "anna"
    play.reject()
    assert play.ticket().held == "closed"


def test_a_decline_that_was_one_too_many_escalates_before_the_closed_queue_ends_the_matter() -> None:
    """And nobody else is asked meanwhile, though there is somebody."""
    document = an_open_shop(offer={"offers_max": 1}, closed={"reply": "closed"})
    document["agents"]["boris"] = {**document["agents"]["anna"]}
    play = Play(document)
    play.say()
    play.close_queue(then="resolve")
    play.reject()
    assert play.types == ["offer.rejected", "ticket.queued", "ticket.escalated", "ticket.replied", "ticket.resolved"]
    assert play.fact("ticket.escalated").offers == 1
    assert play.ticket().state == "resolved"
    assert_sound(play.desk)


def test_opened_outside_its_hours_it_is_open_until_they_begin_and_shuts_with_them() -> None:
    play = Play(a_shop())
    play.say()
    play.open_queue()
    assert play.offered_to() == "anna"
    assert play.queue()["state"] == "open"
    play.say("tkt_2")
    assert play.offered_to("tkt_2") == "anna"
    play.advance(10 * HOUR)
    assert play.queue()["state"] == "closed"
    assert play.desk.closings == {}


def test_a_closing_that_ends_outside_the_hours_leaves_it_to_the_hours() -> None:
    play = Play(a_shop())
    play.say()
    play.close_queue(until=play.now + timedelta(minutes=10))
    play.say("tkt_2")
    assert play.ticket("tkt_2").held == "closed"
    play.advance(600)
    assert (play.ticket().held, play.ticket("tkt_2").held, play.types) == ("hours", "hours", [])
    play.advance(OPENS - 600)
    assert play.offered_to() == "anna"


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"queue": "nowhere"}, 404, "there is no queue nowhere"),
        ({"until": -1}, 422, "until is in the past"),
        ({"then": {"to": "nowhere"}}, 422, "there is no queue nowhere"),
        ({"then": {"to": "general"}}, 422, "a queue cannot send its tickets to itself"),
    ],
)
def test_what_cannot_be_closed(fields: dict[str, Any], status: int, says: str) -> None:
    play = Play(an_open_shop())
    if "until" in fields:
        fields = {"until": play.now - timedelta(seconds=1)}
    play.close_queue(**fields)
    assert isinstance(play.answer, Refusal)
    assert (play.answer.status, play.answer.detail) == (status, says)
    assert play.desk.closings == {}


# -- configuration -----------------------------------------------------------------------------------------------------


def test_other_hours_release_what_they_do_not_hold() -> None:
    play = Play(a_shop())
    play.say()
    document = a_shop()
    document["queues"]["general"] = {}
    play.configure(document)
    assert (play.ticket().held, play.offered_to()) == (None, "anna")


def test_a_deleted_queue_takes_its_closing_along_and_moves_what_it_held() -> None:
    play = Play(a_shop())
    play.say()
    play.close_queue()
    document = a_shop()
    del document["queues"]["general"]
    play.configure(document, moves={"queues": {"general": "night"}})
    assert (play.ticket().queue, play.ticket().held, play.offered_to()) == ("night", None, "anna")
    assert play.desk.closings == {}


def test_a_closing_that_sends_to_a_queue_that_is_gone_sends_to_the_catch_all() -> None:
    document = an_open_shop()
    document["queues"]["dusk"] = {}
    play = Play(document)
    play.close_queue("night", then={"to": "dusk"})
    play.configure(an_open_shop())
    assert (play.say(queue="night").queue, play.offered_to()) == ("general", "anna")


# -- auto_reply --------------------------------------------------------------------------------------------------------


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


def _chat() -> dict[str, Any]:
    return {"channel": "chat", "kind": "json", "auto_reply": "received"}
