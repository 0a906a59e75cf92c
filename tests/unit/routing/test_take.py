"""Taking: an agent helps themselves from a queue that says `pull`."""

import pytest

from tests.unit.routing.playing import Play, a_workspace

PULL = {"general": {"pull": True}}


def test_a_waiting_ticket_is_theirs() -> None:
    play = Play(a_workspace(["anna"], PULL))
    play.away("anna")
    play.say()
    play.take("anna")
    assert play.types == ["ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load, play.agent("anna").state) == ("anna", 1, "away")


def test_what_is_offered_to_them_is_accepted() -> None:
    play = Play(a_workspace(["anna"], PULL))
    play.say()
    play.take("anna")
    assert play.types == ["offer.accepted", "ticket.assigned"]
    assert play.agent("anna").load == 1


def test_a_queue_that_gives_its_tickets_out_itself_refuses() -> None:
    play = Play(a_workspace(["anna"]))
    play.away("anna")
    play.say()
    play.take("anna")
    assert (play.answer.status, play.answer.code, play.ticket().state) == (403, "no-pull", "queued")


@pytest.mark.parametrize("how", ["offered", "held", "pending", "reserved"])
def test_what_another_has_is_refused_naming_them(how: str) -> None:
    play = Play(a_workspace(["anna", "boris"], PULL), present=["boris"])
    play.say()
    play.away("anna")
    if how != "offered":
        play.accept()
    if how == "pending":
        play.pend()
    if how == "reserved":
        play.away("boris")
        play.assign("anna")
        play.transfer(to_agent="boris", wait_seconds=600)
    play.take("anna")
    assert (play.answer.status, play.answer.code, play.answer.extra["holder"]) == (409, "already-taken", "boris")


def test_not_above_capacity() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, PULL))
    play.assigned()
    play.say("tkt_2")
    play.take("anna", "tkt_2")
    assert (play.answer.status, play.answer.code) == (409, "no-room")


def test_only_what_they_may_take() -> None:
    agents = {"anna": {"queues": ["other"]}, "boris": {"skills": {"billing": 2}, "queues": ["general"]}}
    play = Play(a_workspace(agents, {**PULL, "other": {}}))
    play.say(requires={"billing": 3})
    for agent in agents:
        play.take(agent)
        assert (play.answer.status, play.answer.code) == (403, "not-eligible")


def test_only_who_is_signed_in() -> None:
    play = Play(a_workspace(["anna"], PULL), present=[])
    play.say()
    play.take("anna")
    assert (play.answer.status, play.answer.code) == (409, "agent-absent")


def test_who_is_no_agent_takes_nothing() -> None:
    play = Play(a_workspace({"anna": {}, "helper": {"kind": "bot"}}, PULL), present=[])
    play.say()
    for who in ("nobody", "helper"):
        play.take(who)
        assert (play.answer.status, play.answer.code) == (403, "not-eligible")


def test_what_is_resolved_is_not_there_to_take() -> None:
    play = Play(a_workspace(["anna"], PULL))
    play.assigned()
    play.resolve()
    play.take("anna")
    assert play.answer.code == "wrong-state"


def test_who_declined_may_take_it_after_all() -> None:
    play = Play(a_workspace(["anna"], PULL))
    play.say()
    play.reject()
    play.take("anna")
    assert (play.ticket().agent, play.ticket().declined) == ("anna", None)


def test_what_a_closed_queue_holds_may_be_taken() -> None:
    play = Play(a_workspace(["anna"], {"general": {"pull": True}}))
    play.close_queue(then="hold")
    play.say()
    assert (play.ticket().held, play.offered_to()) == ("closed", None)
    play.take("anna")
    assert (play.ticket().state, play.ticket().agent, play.ticket().held) == ("assigned", "anna", None)
