"""Rule 14, waiting for one agent: nobody else gets the ticket, and not for ever."""

from typing import Any

from pointsman.contracts.requests import CustomerLeft
from tests.unit.routing.playing import BOSS, Play, a_workspace

QUEUES: dict[str, Any] = {"general": {}, "billing": {}}


def two(**agents: dict[str, Any]) -> Play:
    """Anna holds tkt_1; boris is there as told."""
    play = Play(a_workspace({"anna": {}, "boris": {}} | agents, QUEUES), present=["anna"])
    play.assigned()
    return play


def test_it_waits_for_the_agent_alone() -> None:
    play = Play(a_workspace({"anna": {}, "boris": {}, "carla": {}}), present=["anna", "carla"])
    play.assigned()
    play.transfer(to_agent="boris", wait_seconds=600)
    assert play.types == ["ticket.transferred", "ticket.queued"]
    ticket = play.ticket()
    assert (ticket.state, ticket.reserved_for, ticket.agent) == ("queued", "boris", None)
    assert play.fact("ticket.transferred").reserved_until == ticket.reserved_until
    assert "waits for boris alone" in play.explain()["sentence"]
    play.advance(60)
    play.available("boris")
    assert play.types == ["agent.presence_changed", "ticket.assigned"]
    assert (ticket.agent, ticket.reserved_for, play.desk.reserved) == ("boris", None, {})


def test_it_comes_before_what_waits_in_the_queues() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}), present=["anna"])
    play.assigned()
    play.say("tkt_old", seconds_ago=500)
    play.transfer(to_agent="boris", wait_seconds=600)
    play.accept("tkt_old")
    play.say("tkt_older", seconds_ago=900)
    play.available("boris")
    assert (play.ticket().agent, play.ticket("tkt_older").state) == ("boris", "queued")


def test_of_several_the_longest_waiting_comes_first() -> None:
    play = Play(a_workspace({"anna": {}, "boris": {"capacity": 1}}), present=["anna"])
    play.assigned("tkt_1")
    play.assigned("tkt_2", seconds_ago=60)
    for ticket in ("tkt_1", "tkt_2"):
        play.transfer(ticket, to_agent="boris", wait_seconds=600)
    play.available("boris")
    assert (play.ticket("tkt_2").agent, play.ticket("tkt_1").agent) == ("boris", None)
    play.resolve("tkt_2")
    assert play.ticket("tkt_1").agent == "boris"


def test_when_the_time_is_over_the_queue_has_it_with_its_place_in_time() -> None:
    play = Play(a_workspace({"anna": {}, "boris": {}, "carla": {}}), present=["anna", "carla"])
    play.assigned()
    asked = play.now
    play.transfer(to_agent="boris", wait_seconds=600)
    play.advance(599)
    assert play.ticket().reserved_for == "boris"
    play.advance(1)
    assert play.types == ["ticket.queued", "offer.made"]
    assert (play.offered_to(), play.ticket().waiting_since) == ("carla", asked)


def test_whoever_is_gone_from_the_configuration_is_waited_for_no_more() -> None:
    document = a_workspace(["anna", "boris", "carla"])
    play = Play(document, present=["anna", "carla"])
    play.assigned()
    play.transfer(to_agent="boris", wait_seconds=600)
    del document["agents"]["boris"]
    play.configure(document)
    assert (play.offered_to(), play.desk.reserved) == ("carla", {})


def test_a_lighter_label_may_let_it_fit() -> None:
    document = a_workspace(
        {"anna": {}, "boris": {"capacity": 1}},
        classify={"language_skill": None, "categories": {"heavy": {"weight": 2}, "light": {"weight": 1}}},
    )
    play = Play(document, present=["anna"])
    play.assigned(category="heavy")
    play.available("boris")
    play.transfer(to_agent="boris", wait_seconds=600)
    play.label(category="light")
    assert play.ticket().agent == "boris"


def test_a_customer_who_writes_does_not_end_the_waiting() -> None:
    play = two()
    play.transfer(to_agent="boris", wait_seconds=600)
    play.say()
    assert (play.types, play.ticket().reserved_for) == (["message.received"], "boris")


def test_resolved_it_waits_for_nobody() -> None:
    play = two()
    play.transfer(to_agent="boris", wait_seconds=600)
    play.resolve(actor=BOSS)
    play.available("boris")
    assert (play.ticket().state, play.desk.reserved) == ("resolved", {})


def test_who_just_has_room_need_not_wait() -> None:
    play = two()
    play.available("boris")
    play.transfer(to_agent="boris", wait_seconds=600)
    assert (play.ticket().agent, play.ticket().reserved_for) == ("boris", None)


def test_for_one_agent_it_waits_whether_its_queue_is_open_or_not() -> None:
    play = two()
    play.close_queue("general")
    play.transfer(to_agent="boris", wait_seconds=600)
    assert (play.ticket().held, play.ticket().reserved_for) == (None, "boris")
    play.available("boris")
    assert play.ticket().agent == "boris"


def test_after_waiting_in_vain_a_closed_queue_holds_it() -> None:
    play = two()
    play.close_queue("general")
    play.transfer(to_agent="boris", wait_seconds=600)
    play.advance(600)
    assert (play.ticket().reserved_for, play.ticket().held) == (None, "closed")


def test_a_customer_who_left_is_not_waited_for_by_one_agent_for_ever() -> None:
    play = Play(a_workspace(["anna", "boris"], channels={"chat": {"abandons_after_seconds": 300}}), present=["anna"])
    play.assigned(channel="chat")
    play.hear(CustomerLeft(ticket_id="tkt_1", connector="site-chat", thread="t", occurred_at=play.now))
    play.transfer(to_agent="boris", wait_seconds=3600)
    play.advance(300)
    assert (play.ticket().outcome, play.desk.reserved) == ("abandoned", {})


def test_relaxation_does_not_look_at_what_waits_for_one_agent() -> None:
    queues = {"general": {"relax": [{"after_seconds": 60, "drop": ["billing"]}]}}
    agents: dict[str, Any] = {"anna": {"skills": {"billing": 1}}, "boris": {}, "carla": {}}
    play = Play(a_workspace(agents, queues), present=["anna", "carla"])
    play.assigned(requires={"billing": 1})
    play.transfer(to_agent="boris", wait_seconds=600)
    play.advance(120)
    assert (play.ticket().reserved_for, play.offered_to()) == ("boris", None)
    play.advance(480)
    assert play.offered_to() == "carla"
