"""A supervisor's assignment: from everywhere, to anybody; above capacity only with a word and a reason."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def test_a_waiting_ticket_is_theirs_whatever_they_serve() -> None:
    play = Play(a_workspace({"anna": {"queues": ["other"]}}, {"general": {}, "other": {}}))
    play.say()
    play.assign("anna")
    assert play.types == ["ticket.assigned"]
    said = play.fact("ticket.assigned")
    assert (said.agent, said.by, said.reason, said.override) == ("anna", BOSS, "I say so", False)
    assert (play.ticket().state, play.agent("anna").load) == ("assigned", 1)


def test_an_offer_to_another_is_rescinded() -> None:
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.say()
    play.available("boris")
    play.assign("boris")
    assert play.types == ["offer.rescinded", "ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load) == ("boris", 0)


def test_a_held_ticket_moves_and_its_holder_gets_the_next() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {}}), present=["anna"])
    play.assigned()
    play.say("tkt_2")
    play.assign("boris")
    assert play.types == ["ticket.transferred", "ticket.assigned", "offer.made"]
    assert (play.ticket().agent, play.offered_to("tkt_2")) == ("boris", "anna")


@pytest.mark.parametrize("how", ["pend", "snooze"])
def test_what_is_set_aside_goes_on(how: str) -> None:
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.assigned()
    if how == "pend":
        play.pend()
    else:
        play.snooze(until=play.now + timedelta(hours=1))
    play.available("boris")
    play.assign("boris")
    assert (play.ticket().state, play.ticket().agent, play.ticket().pause) == ("assigned", "boris", None)


def test_what_waits_for_one_agent_may_be_given_to_another() -> None:
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.assigned()
    play.transfer(to_agent="boris", wait_seconds=600)
    play.assign("anna")
    assert (play.ticket().agent, play.desk.reserved) == ("anna", {})
    play.available("boris")
    play.advance(700)
    assert play.ticket().agent == "anna"


def test_above_capacity_it_is_refused() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.say("tkt_2")
    play.assign("anna", "tkt_2")
    assert (play.answer.status, play.answer.code) == (409, "no-room")
    assert play.answer.detail == "anna has room for 0 units of email; the ticket weighs 1"
    assert (play.ticket("tkt_2").state, play.agent("anna").load) == ("queued", 1)


def test_a_supervisor_overrides_it_and_that_is_recorded() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.say("tkt_2")
    play.assign("anna", "tkt_2", override=True, reason="the customer asked for her")
    said = play.fact("ticket.assigned")
    assert (said.override, said.by, said.reason) == (True, BOSS, "the customer asked for her")
    assert play.agent("anna").load == 2


def test_an_override_that_was_not_needed_is_none() -> None:
    play = Play(a_workspace(["anna"]))
    play.away("anna")
    play.say()
    play.assign("anna", override=True)
    assert play.fact("ticket.assigned").override is False


def test_an_override_without_a_reason_is_refused() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.assign("anna", override=True, reason=" ")
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/reason")


def test_above_capacity_the_router_gives_nothing_more_until_there_is_room() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.say("tkt_2")
    play.assign("anna", "tkt_2", override=True)
    play.say("tkt_3")
    play.resolve()
    assert play.offered_to("tkt_3") is None
    play.resolve("tkt_2")
    assert play.offered_to("tkt_3") == "anna"


@pytest.mark.parametrize("profile", [{"caps": {"email": 0}}, {"reserve": {"chat": 4}}])
def test_caps_and_what_is_reserved_for_other_channels_need_the_override_too(profile: dict[str, Any]) -> None:
    play = Play(a_workspace({"anna": {"capacity": 4, **profile}}))
    play.say()
    play.assign("anna")
    assert (play.answer.status, play.answer.code) == (409, "no-room")
    play.assign("anna", override=True)
    assert (play.ticket().agent, play.fact("ticket.assigned").override) == ("anna", True)


def test_an_absent_agents_ticket_goes_back_after_the_grace_time() -> None:
    document = a_workspace(["anna", "boris"], presence={"grace_seconds": 120})
    play = Play(document, present=[])
    play.say(channel="chat")
    play.assign("anna")
    assert play.ticket().agent == "anna"
    play.advance(119)
    assert play.ticket().agent == "anna"
    play.advance(1)
    assert play.ticket().state == "queued"


def test_an_absent_agent_who_comes_in_time_keeps_it() -> None:
    play = Play(a_workspace(["anna"], presence={"grace_seconds": 120}), present=[])
    play.say(channel="chat")
    play.assign("anna")
    play.advance(60)
    play.available("anna")
    play.advance(600)
    assert play.ticket().agent == "anna"


def test_unknown_agents_and_bots_are_refused() -> None:
    play = Play(a_workspace({"anna": {}, "helper": {"kind": "bot"}}))
    play.say()
    for agent in ("nobody", "helper"):
        play.assign(agent)
        assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/agent")


def test_who_holds_it_already_is_told_so() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.assign("anna")
    assert play.answer.code == "wrong-state"
    play.resolve()
    play.assign("anna")
    assert play.answer.code == "wrong-state"


def test_a_stale_version_is_refused() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    holder = play.assigned().agent
    other = "boris" if holder == "anna" else "anna"
    play.assign(other, if_match=1)
    assert (play.answer.status, play.ticket().agent) == (412, holder)
    play.accept_offer("off_none", as_agent(other))
