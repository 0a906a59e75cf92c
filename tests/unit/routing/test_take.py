"""Taking: an agent helps themselves from a queue that says `pull`."""

import pytest

from tests.unit.routing.desk_driver import DeskDriver, a_workspace

PULL = {"general": {"pull": True}}


def test_a_waiting_ticket_is_theirs() -> None:
    driver = DeskDriver(a_workspace(["anna"], PULL))
    driver.away("anna")
    driver.say()
    driver.take("anna")
    assert driver.types == ["ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load, driver.agent("anna").state) == ("anna", 1, "away")


def test_what_is_offered_to_them_is_accepted() -> None:
    driver = DeskDriver(a_workspace(["anna"], PULL))
    driver.say()
    driver.take("anna")
    assert driver.types == ["offer.accepted", "ticket.assigned"]
    assert driver.agent("anna").load == 1


def test_a_queue_that_gives_its_tickets_out_itself_refuses() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.away("anna")
    driver.say()
    driver.take("anna")
    assert (driver.answer.status, driver.answer.code, driver.ticket().state) == (403, "no-pull", "queued")


@pytest.mark.parametrize("how", ["offered", "held", "pending", "reserved"])
def test_what_another_has_is_refused_naming_them(how: str) -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], PULL), present=["boris"])
    driver.say()
    driver.away("anna")
    if how != "offered":
        driver.accept()
    if how == "pending":
        driver.pend()
    if how == "reserved":
        driver.away("boris")
        driver.assign("anna")
        driver.transfer(to_agent="boris", wait_seconds=600)
    driver.take("anna")
    assert (driver.answer.status, driver.answer.code, driver.answer.extra["holder"]) == (409, "already-taken", "boris")


def test_not_above_capacity() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, PULL))
    driver.assigned()
    driver.say("tkt_2")
    driver.take("anna", "tkt_2")
    assert (driver.answer.status, driver.answer.code) == (409, "no-room")


def test_only_what_they_may_take() -> None:
    agents = {"anna": {"queues": ["other"]}, "boris": {"skills": {"billing": 2}, "queues": ["general"]}}
    driver = DeskDriver(a_workspace(agents, {**PULL, "other": {}}))
    driver.say(requires={"billing": 3})
    for agent in agents:
        driver.take(agent)
        assert (driver.answer.status, driver.answer.code) == (403, "not-eligible")


def test_only_who_is_signed_in() -> None:
    driver = DeskDriver(a_workspace(["anna"], PULL), present=[])
    driver.say()
    driver.take("anna")
    assert (driver.answer.status, driver.answer.code) == (409, "agent-absent")


def test_who_is_no_agent_takes_nothing() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "helper": {"kind": "bot"}}, PULL), present=[])
    driver.say()
    for who in ("nobody", "helper"):
        driver.take(who)
        assert (driver.answer.status, driver.answer.code) == (403, "not-eligible")


def test_what_is_resolved_is_not_there_to_take() -> None:
    driver = DeskDriver(a_workspace(["anna"], PULL))
    driver.assigned()
    driver.resolve()
    driver.take("anna")
    assert driver.answer.code == "wrong-state"


def test_who_declined_may_take_it_after_all() -> None:
    driver = DeskDriver(a_workspace(["anna"], PULL))
    driver.say()
    driver.reject()
    driver.take("anna")
    assert (driver.ticket().agent, driver.ticket().declined) == ("anna", None)


def test_what_a_closed_queue_holds_may_be_taken() -> None:
    driver = DeskDriver(a_workspace(["anna"], {"general": {"pull": True}}))
    driver.close_queue(then="hold")
    driver.say()
    assert (driver.ticket().held, driver.offered_to()) == ("closed", None)
    driver.take("anna")
    assert (driver.ticket().state, driver.ticket().agent, driver.ticket().held) == ("assigned", "anna", None)
