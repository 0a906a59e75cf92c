"""Rule 4, declining: who is skipped and until when, and what becomes of a ticket that nobody takes."""

from datetime import timedelta

from tests.unit.routing.desk_driver import DeskDriver, a_workspace

QUEUES = {"general": {"offer": {"offers_max": 3, "retry_seconds": 30}}}


def test_who_declined_is_skipped_while_somebody_else_may_take_it() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {"capacity": 1}}, QUEUES))
    driver.assigned("tkt_0")
    driver.assigned("tkt_00")
    full = driver.ticket("tkt_0").agent, driver.ticket("tkt_00").agent
    assert set(full) == {"anna", "boris"}
    driver.say()
    assert driver.offered_to() == "anna"
    driver.reject()
    driver.advance(3000)
    assert driver.offered_to() is None, "boris is full but eligible, and has not declined"
    held = [ticket for ticket in ("tkt_0", "tkt_00") if driver.ticket(ticket).agent == "boris"]
    driver.resolve(held[0])
    assert driver.offered_to() == "boris"


def test_when_everybody_declined_they_are_asked_again_after_retry_seconds() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    driver.say()
    first = driver.offered_to()
    driver.reject()
    driver.advance(10)
    driver.reject()
    assert driver.offered_to() is None
    driver.advance(19)
    assert driver.offered_to() is None
    driver.advance(1)
    assert driver.offered_to() == first


def test_after_offers_max_the_ticket_escalates_and_stays_queued() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris", "carla"], QUEUES))
    ticket = driver.say()
    waits_since = ticket.waiting_since
    driver.reject()
    driver.reject()
    assert driver.ticket().escalated_at is None
    driver.reject()
    assert "ticket.escalated" in driver.types
    assert driver.fact("ticket.escalated").offers == 3
    assert driver.ticket().escalated_at == driver.now
    assert driver.offered_to() is not None, "decliners are eligible again, and one has room"
    assert driver.ticket().waiting_since == waits_since


def test_an_escalated_ticket_is_shown_to_the_agents_of_a_further_queue() -> None:
    """`then: {to}` widens whom is asked; the ticket stays in its queue."""
    queues = {"billing": {"offer": {"offers_max": 1, "retry_seconds": 600, "then": {"to": "general"}}}, "general": {}}
    driver = DeskDriver(a_workspace({"anna": {"queues": ["billing"]}, "boris": {"queues": ["general"]}}, queues))
    driver.say(queue="billing")
    driver.advance(1)
    driver.reject()
    assert driver.offered_to() == "boris"
    assert driver.ticket().queue == "billing"


def test_it_escalates_once_for_each_time_it_enters_the_queue() -> None:
    driver = DeskDriver(a_workspace(["anna"], {"general": {"offer": {"offers_max": 1, "retry_seconds": 5}}}))
    driver.say()
    driver.reject()
    assert driver.types.count("ticket.escalated") == 1
    driver.reject()
    assert "ticket.escalated" not in driver.types
    driver.advance(5)
    assert driver.offered_to() == "anna", "never dropped"


def test_a_decliner_who_comes_back_alone_is_asked_again() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    driver.away("boris")
    driver.say()
    driver.reject()
    driver.advance(29)
    assert driver.offered_to() is None
    driver.advance(1)
    assert driver.offered_to() == "anna", "of those available everybody has declined"


def test_an_absent_agent_does_not_count_among_those_who_may_take_it() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {"offer": {"offers_max": 9, "retry_seconds": 30}}}))
    driver.away("boris")
    driver.say()
    driver.reject()
    driver.advance(10)
    driver.available("boris")
    assert driver.offered_to() == "boris", "the one who has not declined is asked first"
    driver.reject()
    assert driver.ticket().retry_at == driver.now + timedelta(seconds=20)
