"""Rule 20, hold: what a shut queue keeps, in its place in time, until it opens."""

from datetime import timedelta

from tests.unit.routing.desk_driver import BOSS, DeskDriver
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.office_hours import HOUR, OPENS, with_office_hours


def test_outside_its_hours_a_queue_holds_and_offers_when_it_opens() -> None:
    driver = DeskDriver(with_office_hours())
    ticket = driver.say()
    assert (ticket.state, ticket.held, ticket.place) == ("queued", "hours", None)
    assert driver.fact("ticket.queued").held == "hours"
    driver.advance(OPENS - 1)
    assert driver.offered_to() is None
    driver.advance(1)
    assert (ticket.held, driver.offered_to()) == (None, "anna")
    assert ticket.waiting_since == ticket.opened_at, "holding costs nobody their place"


def test_the_end_of_hours_concerns_only_who_enters_later() -> None:
    driver = DeskDriver(with_office_hours(), present=())
    driver.advance(2 * HOUR)
    waits = driver.say()
    driver.advance(8 * HOUR)
    assert waits.held is None
    assert driver.say("tkt_2").held == "hours"
    driver.available("anna")
    assert (driver.offered_to("tkt_1"), driver.offered_to("tkt_2")) == ("anna", None)


def test_an_offer_stands_and_a_declined_one_goes_back_into_the_line() -> None:
    driver = DeskDriver(with_office_hours(offer={"timeout_seconds": 86_400}))
    driver.advance(2 * HOUR)
    ticket = driver.say()
    assert driver.offered_to() is None
    driver.advance(7.5 * HOUR)
    driver.available("anna")
    driver.advance(HOUR / 2)
    assert driver.queue()["state"] == "closed"
    driver.reject()
    assert (ticket.state, ticket.held) == ("queued", None)


def test_a_held_ticket_is_counted_and_its_queue_says_until_when_it_is_shut() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    queue = driver.queue()
    assert (queue["state"], queue["held"], queue["waiting"]) == ("closed", 1, 1)
    assert queue["until"] == driver.now + timedelta(minutes=30)
    assert queue["reason"] == "outside office"
    driver.advance(OPENS)
    assert (driver.queue()["state"], driver.queue()["until"]) == ("open", None)


def test_a_customer_who_writes_on_stays_held() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    ticket = driver.say()
    driver.say()
    assert ticket.held == "hours"
    assert driver.types == ["message.received"]


def test_a_held_ticket_can_be_resolved_labelled_and_left() -> None:
    driver = DeskDriver(
        {**with_office_hours(), "classify": {"language_skill": None, "categories": {"dark": {"queue": "night"}}}}
    )
    ticket = driver.say()
    driver.label(category="dark")
    assert (ticket.queue, ticket.held, driver.offered_to()) == ("night", None, "anna")
    driver.say("tkt_2")
    driver.label("tkt_2", priority="urgent")
    assert driver.ticket("tkt_2").held == "hours"
    driver.resolve("tkt_2", actor=BOSS)
    assert driver.ticket("tkt_2").held is None
    assert_sound(driver.desk)


def test_explain_says_that_it_is_held() -> None:
    driver = DeskDriver(with_office_hours())
    driver.say()
    assert driver.explain()["sentence"] == (
        "It is held: the queue general is outside its hours; it opens on 2026-11-23 at 12:30 UTC."
    )
    explained = driver.explain(agent="anna")
    assert explained["able_now"] == []
    assert explained["agent"]["sentence"] == "The queue general is shut and holds it."


def test_what_is_held_may_be_given_to_somebody() -> None:
    driver = DeskDriver(with_office_hours())
    for ticket in ("tkt_1", "tkt_2"):
        driver.say(ticket)
    driver.assign("anna", "tkt_1")
    assert (driver.ticket("tkt_1").agent, driver.ticket("tkt_1").held) == ("anna", None)
    driver.transfer("tkt_2", to_queue="night", actor=BOSS)
    assert (driver.ticket("tkt_2").held, driver.offered_to("tkt_2")) == (None, "anna")
    assert_sound(driver.desk)


def test_who_comes_back_is_held_again_but_hears_it_once() -> None:
    driver = DeskDriver(with_office_hours({"reply": "closed"}))
    driver.say()
    driver.resolve(actor=BOSS)
    driver.advance(60)
    ticket = driver.say()
    assert (ticket.state, ticket.held) == ("queued", "hours")
    assert "ticket.replied" not in driver.types
