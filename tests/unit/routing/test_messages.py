"""Rule 17: what a customer's message does in each state of its ticket. Automatic mail does nothing."""

from pointsman.contracts.shapes import Author
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def test_queued_it_is_appended() -> None:
    driver = DeskDriver(a_workspace([]))
    since = driver.say().waiting_since
    driver.advance(5)
    driver.say()
    assert driver.types == ["message.received"]
    assert (driver.ticket().state, driver.ticket().waiting_since) == ("queued", since)


def test_offered_the_offer_and_its_deadline_stand() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    offer = driver.say().offer
    driver.advance(10)
    driver.say()
    assert driver.types == ["message.received"]
    assert driver.ticket().offer == offer


def test_assigned_it_goes_to_the_holder() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    version = driver.ticket().version
    driver.say()
    assert (driver.ticket().state, driver.ticket().agent) == ("assigned", "anna")
    assert driver.ticket().version == version, "messages do not change the version"


def test_pending_it_wakes_to_the_holder_with_room() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.pend()
    assert driver.agent("anna").load == 0
    driver.say()
    assert driver.types == ["message.received", "ticket.woken", "ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load) == ("anna", 1)


def test_pending_it_queues_when_the_holder_is_full_or_away() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.pend()
    driver.assigned("tkt_2")
    driver.say()
    assert driver.types == ["message.received", "ticket.woken", "ticket.queued"]
    assert driver.fact("ticket.queued").reason == "woken"
    assert (driver.ticket().state, driver.ticket().agent) == ("queued", None)


def test_resolved_a_while_ago_it_reopens_to_the_last_holder() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], tickets={"reopen_seconds": 100}))
    holder = driver.assigned().agent
    driver.resolve()
    driver.advance(100)
    driver.say()
    assert driver.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert driver.ticket().agent == holder
    assert driver.ticket().outcome is None


def test_resolved_longer_ago_it_queues_for_anybody() -> None:
    driver = DeskDriver(a_workspace(["anna"], tickets={"reopen_seconds": 100}))
    driver.assigned()
    driver.resolve()
    driver.advance(101)
    driver.say()
    assert driver.types == ["message.received", "ticket.reopened", "ticket.queued", "offer.made"]


def test_automatic_mail_is_appended_and_never_wakes_or_reopens() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned("pended")
    driver.pend("pended")
    driver.assigned("done")
    driver.resolve("done")
    for ticket, state in (("pended", "pending"), ("done", "resolved")):
        driver.say(ticket, automatic="out_of_office")
        assert driver.types == ["message.received"]
        assert not driver.fact("message.received").counts
        assert driver.ticket(ticket).state == state


def test_a_reaction_starts_no_waiting() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.reply()
    driver.say(kind="reaction")
    assert driver.ticket().waiting_since is None


def test_a_conversation_that_an_agent_began_is_theirs_and_nobody_waits() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    ticket = driver.say(author=Author(kind="agent", id="anna"))
    assert driver.fact("ticket.opened").started_by == "agent"
    assert (ticket.agent, ticket.unanswered_since) == ("anna", None)


def test_resolved_longer_ago_nobody_is_preferred() -> None:
    document = a_workspace(
        {"anna": {}, "boris": {}}, {"general": {"choice": "round_robin"}}, tickets={"reopen_seconds": 100}
    )
    driver = DeskDriver(document)
    assert driver.assigned().agent == "anna"
    driver.resolve()
    driver.advance(100)
    driver.away("anna")
    driver.say()
    driver.available("anna")
    driver.reject()
    assert driver.offered_to() == "anna", "within the time the last agent is preferred"
    driver.accept()
    driver.resolve()
    driver.advance(101)
    driver.say()
    assert driver.offered_to() == "boris", "later everybody is alike"
