"""A supervisor's assignment: from everywhere, to anybody; above capacity only with a word and a reason."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent


def test_a_waiting_ticket_is_theirs_whatever_they_serve() -> None:
    driver = DeskDriver(a_workspace({"anna": {"queues": ["other"]}}, {"general": {}, "other": {}}))
    driver.say()
    driver.assign("anna")
    assert driver.types == ["ticket.assigned"]
    said = driver.fact("ticket.assigned")
    assert (said.agent, said.by, said.reason, said.override) == ("anna", BOSS, "I say so", False)
    assert (driver.ticket().state, driver.agent("anna").load) == ("assigned", 1)


def test_an_offer_to_another_is_rescinded() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.say()
    driver.available("boris")
    driver.assign("boris")
    assert driver.types == ["offer.rescinded", "ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load) == ("boris", 0)


def test_a_held_ticket_moves_and_its_holder_gets_the_next() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {}}), present=["anna"])
    driver.assigned()
    driver.say("tkt_2")
    driver.assign("boris")
    assert driver.types == ["ticket.transferred", "ticket.assigned", "offer.made"]
    assert (driver.ticket().agent, driver.offered_to("tkt_2")) == ("boris", "anna")


@pytest.mark.parametrize("how", ["pend", "snooze"])
def test_what_is_set_aside_goes_on(how: str) -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.assigned()
    if how == "pend":
        driver.pend()
    else:
        driver.snooze(until=driver.now + timedelta(hours=1))
    driver.available("boris")
    driver.assign("boris")
    assert (driver.ticket().state, driver.ticket().agent, driver.ticket().pause) == ("assigned", "boris", None)


def test_what_waits_for_one_agent_may_be_given_to_another() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.assigned()
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.assign("anna")
    assert (driver.ticket().agent, driver.desk.reserved) == ("anna", {})
    driver.available("boris")
    driver.advance(700)
    assert driver.ticket().agent == "anna"


def test_above_capacity_it_is_refused() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.say("tkt_2")
    driver.assign("anna", "tkt_2")
    assert (driver.answer.status, driver.answer.code) == (409, "no-room")
    assert driver.answer.detail == "anna has room for 0 units of email; the ticket weighs 1"
    assert (driver.ticket("tkt_2").state, driver.agent("anna").load) == ("queued", 1)


def test_a_supervisor_overrides_it_and_that_is_recorded() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.say("tkt_2")
    driver.assign("anna", "tkt_2", override=True, reason="the customer asked for her")
    said = driver.fact("ticket.assigned")
    assert (said.override, said.by, said.reason) == (True, BOSS, "the customer asked for her")
    assert driver.agent("anna").load == 2


def test_an_override_that_was_not_needed_is_none() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.away("anna")
    driver.say()
    driver.assign("anna", override=True)
    assert driver.fact("ticket.assigned").override is False


def test_an_override_without_a_reason_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.assign("anna", override=True, reason=" ")
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/reason")


def test_above_capacity_the_router_gives_nothing_more_until_there_is_room() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.say("tkt_2")
    driver.assign("anna", "tkt_2", override=True)
    driver.say("tkt_3")
    driver.resolve()
    assert driver.offered_to("tkt_3") is None
    driver.resolve("tkt_2")
    assert driver.offered_to("tkt_3") == "anna"


@pytest.mark.parametrize("profile", [{"caps": {"email": 0}}, {"reserve": {"chat": 4}}])
def test_caps_and_what_is_reserved_for_other_channels_need_the_override_too(profile: dict[str, Any]) -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 4, **profile}}))
    driver.say()
    driver.assign("anna")
    assert (driver.answer.status, driver.answer.code) == (409, "no-room")
    driver.assign("anna", override=True)
    assert (driver.ticket().agent, driver.fact("ticket.assigned").override) == ("anna", True)


def test_an_absent_agents_ticket_goes_back_after_the_grace_time() -> None:
    document = a_workspace(["anna", "boris"], presence={"grace_seconds": 120})
    driver = DeskDriver(document, present=[])
    driver.say(channel="chat")
    driver.assign("anna")
    assert driver.ticket().agent == "anna"
    driver.advance(119)
    assert driver.ticket().agent == "anna"
    driver.advance(1)
    assert driver.ticket().state == "queued"


def test_an_absent_agent_who_comes_in_time_keeps_it() -> None:
    driver = DeskDriver(a_workspace(["anna"], presence={"grace_seconds": 120}), present=[])
    driver.say(channel="chat")
    driver.assign("anna")
    driver.advance(60)
    driver.available("anna")
    driver.advance(600)
    assert driver.ticket().agent == "anna"


def test_unknown_agents_and_bots_are_refused() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "helper": {"kind": "bot"}}))
    driver.say()
    for agent in ("nobody", "helper"):
        driver.assign(agent)
        assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/agent")


def test_who_holds_it_already_is_told_so() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.assign("anna")
    assert driver.answer.code == "wrong-state"
    driver.resolve()
    driver.assign("anna")
    assert driver.answer.code == "wrong-state"


def test_a_stale_version_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    holder = driver.assigned().agent
    other = "boris" if holder == "anna" else "anna"
    driver.assign(other, if_match=1)
    assert (driver.answer.status, driver.ticket().agent) == (412, holder)
    driver.accept_offer("off_none", as_agent(other))
