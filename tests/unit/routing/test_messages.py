"""Rule 17: what a customer's message does in each state of its ticket. Automatic mail does nothing."""

from pointsman.contracts.shapes import Author
from tests.unit.routing.playing import Play, a_workspace


def test_queued_it_is_appended() -> None:
    play = Play(a_workspace([]))
    since = play.say().waiting_since
    play.advance(5)
    play.say()
    assert play.types == ["message.received"]
    assert (play.ticket().state, play.ticket().waiting_since) == ("queued", since)


def test_offered_the_offer_and_its_deadline_stand() -> None:
    play = Play(a_workspace(["anna"]))
    offer = play.say().offer
    play.advance(10)
    play.say()
    assert play.types == ["message.received"]
    assert play.ticket().offer == offer


def test_assigned_it_goes_to_the_holder() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    version = play.ticket().version
    play.say()
    assert (play.ticket().state, play.ticket().agent) == ("assigned", "anna")
    assert play.ticket().version == version, "messages do not change the version"


def test_pending_it_wakes_to_the_holder_with_room() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.pend()
    assert play.agent("anna").load == 0
    play.say()
    assert play.types == ["message.received", "ticket.woken", "ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load) == ("anna", 1)


def test_pending_it_queues_when_the_holder_is_full_or_away() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.pend()
    play.assigned("tkt_2")
    play.say()
    assert play.types == ["message.received", "ticket.woken", "ticket.queued"]
    assert play.fact("ticket.queued").reason == "woken"
    assert (play.ticket().state, play.ticket().agent) == ("queued", None)


def test_resolved_a_while_ago_it_reopens_to_the_last_holder() -> None:
    play = Play(a_workspace(["anna", "boris"], tickets={"reopen_seconds": 100}))
    holder = play.assigned().agent
    play.resolve()
    play.advance(100)
    play.say()
    assert play.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert play.ticket().agent == holder
    assert play.ticket().outcome is None


def test_resolved_longer_ago_it_queues_for_anybody() -> None:
    play = Play(a_workspace(["anna"], tickets={"reopen_seconds": 100}))
    play.assigned()
    play.resolve()
    play.advance(101)
    play.say()
    assert play.types == ["message.received", "ticket.reopened", "ticket.queued", "offer.made"]


def test_automatic_mail_is_appended_and_never_wakes_or_reopens() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned("pended")
    play.pend("pended")
    play.assigned("done")
    play.resolve("done")
    for ticket, state in (("pended", "pending"), ("done", "resolved")):
        play.say(ticket, automatic="out_of_office")
        assert play.types == ["message.received"]
        assert not play.fact("message.received").counts
        assert play.ticket(ticket).state == state


def test_a_reaction_starts_no_waiting() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.reply()
    play.say(kind="reaction")
    assert play.ticket().waiting_since is None


def test_a_conversation_that_an_agent_began_is_theirs_and_nobody_waits() -> None:
    play = Play(a_workspace(["anna"]))
    ticket = play.say(author=Author(kind="agent", id="anna"))
    assert play.fact("ticket.opened").started_by == "agent"
    assert (ticket.agent, ticket.unanswered_since) == ("anna", None)


def test_resolved_longer_ago_nobody_is_preferred() -> None:
    document = a_workspace(
        {"anna": {}, "boris": {}}, {"general": {"choice": "round_robin"}}, tickets={"reopen_seconds": 100}
    )
    play = Play(document)
    assert play.assigned().agent == "anna"
    play.resolve()
    play.advance(100)
    play.away("anna")
    play.say()
    play.available("anna")
    play.reject()
    assert play.offered_to() == "anna", "within the time the last agent is preferred"
    play.accept()
    play.resolve()
    play.advance(101)
    play.say()
    assert play.offered_to() == "boris", "later everybody is alike"
