"""Rule 5, the place in the queue: since when a ticket waits, whatever happens to it."""

from pointsman.core.cause import RecordCause
from pointsman.core.instant import after
from pointsman.testing.customers import a_message
from pointsman_routing.desk.decide import decide
from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.one_agent import one_busy_agent, served


def test_rejecting_keeps_the_place_in_the_queue() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}))
    driver.assigned("busy")
    old = driver.say("old")
    since = old.waiting_since
    driver.advance(5)
    driver.say("young")
    driver.reject("old")
    assert old.waiting_since == since
    driver.resolve("busy")
    assert driver.offered_to("old") is not None


def test_a_message_read_late_counts_from_when_intake_took_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    ticket = driver.say(seconds_ago=30)
    assert ticket.opened_at == ticket.waiting_since == after(driver.now, -30)
    made = driver.fact("offer.made")
    assert made.offered_at == driver.now, "the agent saw it only now"
    assert made.expires_at == after(driver.now, 30)


def test_the_clock_of_a_ticket_never_goes_back() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    earlier = after(driver.now, -100)
    cause = RecordCause("late", "requests", "acme", "tkt_1", earlier, (a_message(number=2, at=earlier),))
    (emission,) = decide(driver.desk, cause, driver.now).emissions
    assert emission.at == driver.now


def test_what_was_held_or_requeued_together_keeps_the_order_of_arrival() -> None:
    driver = one_busy_agent()
    driver.close_queue()
    arrived = ["tkt_8", "tkt_2", "tkt_6"]
    for ticket in arrived:
        driver.say(ticket)
    driver.open_queue()
    driver.resolve("busy")
    assert served(driver, 3) == arrived
