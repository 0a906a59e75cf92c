"""Closing: when a ticket becomes history, and what comes just before."""

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def test_it_closes_after_its_time_and_leaves_the_desk() -> None:
    driver = DeskDriver(a_workspace(["anna"], tickets={"close_after_seconds": 600}))
    driver.assigned()
    driver.resolve()
    driver.advance(599)
    assert "tkt_1" in driver.desk.tickets
    driver.advance(1)
    assert driver.types == ["ticket.closed"]
    assert "tkt_1" not in driver.desk.tickets


def test_a_message_that_was_threaded_just_before_the_close_reopens() -> None:
    driver = DeskDriver(a_workspace(["anna"], tickets={"reopen_seconds": 100, "close_after_seconds": 100}))
    driver.assigned()
    driver.resolve()
    driver.advance(100)
    assert driver.types == ["ticket.closed"]
    assert "tkt_1" not in driver.desk.tickets
    driver.say(seconds_ago=1)
    assert driver.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert (driver.ticket().state, driver.ticket().closed_at) == ("assigned", None)
