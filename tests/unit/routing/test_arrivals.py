"""A ticket opens whatever happens; messages may come in any order."""

from typing import Any

from tests.unit.routing.playing import Play, a_workspace


class BrokenMatcher:
    """A matcher that raises."""

    def agent_for(self, desk: Any, ticket: Any) -> Any:
        raise RuntimeError("the roster is in flames")

    ticket_for = agent_for


def test_a_raise_in_classification_opens_the_ticket_in_otherwise_marked() -> None:
    document = a_workspace(["anna"], {"first": {}, "rest": {}}, classify={"otherwise": {"queue": "rest"}})
    play = Play(document)
    ticket = play.say(text="raise")
    assert (ticket.queue, play.offered_to()) == ("rest", "anna")
    assert "cannot be classified" in play.fact("ticket.classified").marked
    assert play.types.count("ticket.opened") == 1


def test_a_raise_in_routing_opens_the_ticket_too_and_it_waits() -> None:
    play = Play(a_workspace(["anna"]), present=[])
    play.desk.matcher = BrokenMatcher()
    ticket = play.say()
    assert (ticket.state, "in flames" in (ticket.marked or "")) == ("queued", True)
    assert play.types.count("ticket.queued") == 1


def test_the_second_message_may_come_first() -> None:
    play = Play(a_workspace(["anna"]))
    play.say(opens=False, thread_number=2)
    play.say(opens=True, thread_number=1)
    assert (len(play.desk.tickets), play.types) == (1, ["message.received"])


def test_a_follow_up_names_the_ticket_before() -> None:
    play = Play(a_workspace(["anna"]))
    play.say(follow_up_of="tkt_old")
    assert play.fact("ticket.opened").follow_up_of == "tkt_old"


def test_every_ticket_names_the_version_that_decided() -> None:
    document = a_workspace(["anna"])
    play = Play(document)
    play.configure(document)
    play.say()
    assert play.fact("ticket.opened").config_version == 2
