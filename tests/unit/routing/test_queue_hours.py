"""Rule 20, hours and closing: what becomes of a ticket that enters a queue which is shut, once per ticket."""

from datetime import timedelta
from typing import Any

import pytest

from pointsman.core.decision import Refusal
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.office_hours import HOUR, OPENS, REPLIES, with_office_hours

# -- once per ticket ---------------------------------------------------------------------------------------------------


def test_to_another_queue() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed", "then": {"to": "night"}}))
    ticket = driver.say()
    assert (ticket.queue, driver.offered_to()) == ("night", "anna")
    assert driver.fact("ticket.queued").reason == "closed"
    assert driver.fact("ticket.replied").text == "We are closed."


def test_queues_that_send_to_one_another_end_and_the_ticket_waits() -> None:
    document = with_office_hours({"then": {"to": "night"}})
    document["queues"]["night"] = {"hours": "office", "closed": {"then": {"to": "general"}}}
    driver = DeskDriver(document)
    assert (driver.say().queue, driver.ticket().held) == ("night", None)
    assert driver.offered_to() == "anna"


def test_another_queue_that_holds_holds() -> None:
    document = with_office_hours({"then": {"to": "night"}})
    document["queues"]["night"] = {"hours": "office", "closed": {"reply": "closed"}}
    driver = DeskDriver(document)
    ticket = driver.say()
    assert (ticket.queue, ticket.held) == ("night", "hours")
    assert "ticket.replied" not in driver.types, "one rule per ticket"
    driver.advance(OPENS)
    assert driver.offered_to() == "anna"


def test_resolve() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed", "then": "resolve"}))
    ticket = driver.say()
    assert (ticket.state, ticket.outcome) == ("resolved", "no_reply_needed")
    assert driver.types[-3:] == ["ticket.queued", "ticket.replied", "ticket.resolved"]
    driver.say()
    assert (ticket.state, driver.offered_to()) == ("offered", "anna"), "the rule ran; now it just waits"


def test_what_could_not_be_classified_is_let_in() -> None:
    driver = DeskDriver(with_office_hours({"then": "resolve"}))
    assert driver.say(text="raise").marked is not None
    assert driver.offered_to() == "anna"


# -- a supervisor closes and opens -------------------------------------------------------------------------------------


def an_open_shop(**queue: Any) -> dict[str, Any]:
    return a_workspace(
        {"anna": {"capacity": 5}}, {"general": {"closed": {"reply": "closed"}, **queue}, "night": {}}, replies=REPLIES
    )


def test_a_closing_holds_also_those_who_wait_and_tells_them() -> None:
    driver = DeskDriver(an_open_shop(), present=())
    ticket = driver.say()
    driver.close_queue(until=driver.now + timedelta(hours=2))
    assert (ticket.held, driver.fact("queue.closed").reason) == ("closed", "a storm")
    assert driver.fact("ticket.replied").text == "We are closed."
    driver.available("anna")
    assert driver.offered_to() is None
    assert driver.explain()["sentence"] == (
        "It is held: the queue general is closed until 2026-11-23 14:00 UTC (a storm)."
    )
    driver.advance(2 * HOUR)
    assert driver.fact("queue.opened").by.kind == "system"
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_a_closing_without_an_end_lasts_until_it_is_opened() -> None:
    driver = DeskDriver(an_open_shop())
    driver.close_queue()
    driver.say()
    driver.advance(HOUR / 2)
    assert driver.ticket().held == "closed"
    assert driver.queue()["reason"] == "a storm"
    driver.open_queue()
    assert driver.offered_to() == "anna"
    assert driver.fact("queue.opened").by == BOSS
    driver.open_queue()
    assert driver.facts == [], "it is open"


def test_a_closing_may_send_what_waits_elsewhere_or_end_it() -> None:
    driver = DeskDriver(an_open_shop(), present=())
    driver.say()
    driver.close_queue(then={"to": "night"})
    assert (driver.ticket().queue, driver.ticket().held) == ("night", None)
    driver.say("tkt_2")
    assert driver.ticket("tkt_2").queue == "night"
    driver.close_queue(then="resolve")
    driver.say("tkt_3")
    assert (driver.ticket("tkt_3").state, driver.ticket("tkt_1").state) == ("resolved", "queued")


def test_offers_stand_but_what_they_leave_behind_is_held() -> None:
    driver = DeskDriver(an_open_shop())
    driver.say()
    driver.close_queue()
    assert driver.offered_to() == "anna"
    driver.reject()
    assert driver.ticket().held == "closed"


def test_a_decline_that_was_one_too_many_escalates_before_the_closed_queue_ends_the_matter() -> None:
    """And nobody else is asked meanwhile, though there is somebody."""
    document = an_open_shop(offer={"offers_max": 1}, closed={"reply": "closed"})
    document["agents"]["boris"] = {**document["agents"]["anna"]}
    driver = DeskDriver(document)
    driver.say()
    driver.close_queue(then="resolve")
    driver.reject()
    assert driver.types == ["offer.rejected", "ticket.queued", "ticket.escalated", "ticket.replied", "ticket.resolved"]
    assert driver.fact("ticket.escalated").offers == 1
    assert driver.ticket().state == "resolved"
    assert_sound(driver.desk)


def test_opened_outside_its_hours_it_is_open_until_they_begin_and_shuts_with_them() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    driver.open_queue()
    assert driver.offered_to() == "anna"
    assert driver.queue()["state"] == "open"
    driver.say("tkt_2")
    assert driver.offered_to("tkt_2") == "anna"
    driver.advance(10 * HOUR)
    assert driver.queue()["state"] == "closed"
    assert driver.desk.closings == {}


def test_a_closing_that_ends_outside_the_hours_leaves_it_to_the_hours() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    driver.close_queue(until=driver.now + timedelta(minutes=10))
    driver.say("tkt_2")
    assert driver.ticket("tkt_2").held == "closed"
    driver.advance(600)
    assert (driver.ticket().held, driver.ticket("tkt_2").held, driver.types) == ("hours", "hours", [])
    driver.advance(OPENS - 600)
    assert driver.offered_to() == "anna"


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
    driver = DeskDriver(an_open_shop())
    if "until" in fields:
        fields = {"until": driver.now - timedelta(seconds=1)}
    driver.close_queue(**fields)
    assert isinstance(driver.answer, Refusal)
    assert (driver.answer.status, driver.answer.detail) == (status, says)
    assert driver.desk.closings == {}


# -- configuration -----------------------------------------------------------------------------------------------------


def test_other_hours_release_what_they_do_not_hold() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    document = with_office_hours()
    document["queues"]["general"] = {}
    driver.configure(document)
    assert (driver.ticket().held, driver.offered_to()) == (None, "anna")


def test_a_deleted_queue_takes_its_closing_along_and_moves_what_it_held() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    driver.close_queue()
    document = with_office_hours()
    del document["queues"]["general"]
    driver.configure(document, moves={"queues": {"general": "night"}})
    assert (driver.ticket().queue, driver.ticket().held, driver.offered_to()) == ("night", None, "anna")
    assert driver.desk.closings == {}


def test_a_closing_that_sends_to_a_queue_that_is_gone_sends_to_the_catch_all() -> None:
    document = an_open_shop()
    document["queues"]["dusk"] = {}
    driver = DeskDriver(document)
    driver.close_queue("night", then={"to": "dusk"})
    driver.configure(an_open_shop())
    assert (driver.say(queue="night").queue, driver.offered_to()) == ("general", "anna")


# -- auto_reply --------------------------------------------------------------------------------------------------------
