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


# -- once per ticket ---------------------------------------------------------------------------------------------------


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
