"""A ticket opens whatever happens; messages may come in any order."""

from typing import Any

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


class BrokenMatcher:
    """A matcher that raises."""

    def agent_for(self, desk: Any, ticket: Any) -> Any:
        raise RuntimeError("the roster is in flames")

    ticket_for = agent_for

    def sides_for(self, desk: Any, agent: Any, ticket: Any) -> Any:
        raise RuntimeError("the roster is in flames")


def test_a_raise_in_classification_opens_the_ticket_in_otherwise_marked() -> None:
    document = a_workspace(["anna"], {"first": {}, "rest": {}}, classify={"otherwise": {"queue": "rest"}})
    driver = DeskDriver(document)
    ticket = driver.say(text="raise")
    assert (ticket.queue, driver.offered_to()) == ("rest", "anna")
    assert "cannot be classified" in driver.fact("ticket.classified").marked
    assert driver.types.count("ticket.opened") == 1


def test_a_raise_in_routing_opens_the_ticket_too_and_it_waits() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.desk.matcher = BrokenMatcher()
    ticket = driver.say()
    assert (ticket.state, "in flames" in (ticket.marked or "")) == ("queued", True)
    assert driver.types.count("ticket.queued") == 1


def test_the_second_message_may_come_first() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say(opens=False, thread_number=2)
    driver.say(opens=True, thread_number=1)
    assert (len(driver.desk.tickets), driver.types) == (1, ["message.received"])


def test_a_follow_up_names_the_ticket_before() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say(follow_up_of="tkt_old")
    assert driver.fact("ticket.opened").follow_up_of == "tkt_old"


def test_every_ticket_names_the_version_that_decided() -> None:
    document = a_workspace(["anna"])
    driver = DeskDriver(document)
    driver.configure(document)
    driver.say()
    assert driver.fact("ticket.opened").config_version == 2
