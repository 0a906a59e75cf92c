"""Rule 14, transfer: to a queue, to skills, to an agent; waiting for an agent who is absent or full."""

from typing import Any

import pytest

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent

QUEUES: dict[str, Any] = {"general": {}, "billing": {}}
SKILLED = {
    "anna": {"skills": {"billing": 5}, "queues": ["general", "billing"]},
    "boris": {"skills": {"technical": 8}, "queues": ["general"]},
}


def two(**agents: dict[str, Any]) -> Play:
    """Anna holds tkt_1; boris is there as told."""
    play = Play(a_workspace({"anna": {}, "boris": {}} | agents, QUEUES), present=["anna"])
    play.assigned()
    return play


# -- to a queue --------------------------------------------------------------------------------------------------------


def test_to_a_queue_it_waits_there_and_the_holder_is_free() -> None:
    play = two(anna={"queues": ["general"]}, boris={"queues": ["billing"]})
    play.transfer(to_queue="billing")
    assert play.types == ["ticket.transferred", "ticket.queued"]
    said = play.fact("ticket.transferred")
    assert (said.from_agent, said.to_queue, said.reason, said.by) == (
        "anna",
        "billing",
        "they know more",
        as_agent("anna"),
    )
    assert (play.ticket().state, play.ticket().queue, play.agent("anna").load) == ("queued", "billing", 0)
    play.available("boris")
    assert play.offered_to() == "boris"


def test_it_does_not_come_straight_back_to_who_gave_it_away() -> None:
    play = two()
    play.transfer(to_queue="billing")
    assert play.offered_to() is None
    play.available("boris")
    assert play.offered_to() == "boris"


def test_it_comes_back_when_nobody_else_takes_it() -> None:
    play = two()
    play.transfer(to_queue="billing")
    play.advance(29)
    assert play.offered_to() is None
    play.advance(1)
    assert play.offered_to() == "anna"


def test_waiting_counts_from_the_oldest_unanswered_message_else_from_the_transfer() -> None:
    play = two()
    asked = play.now
    play.advance(60)
    play.transfer(to_queue="billing")
    assert play.ticket().waiting_since == asked

    play = two()
    play.reply()
    play.advance(60)
    play.transfer(to_queue="billing")
    assert play.ticket().waiting_since == play.now


def test_what_nobody_of_the_new_queue_has_is_required_no_more() -> None:
    document = a_workspace(
        {
            "anna": {"skills": {"refunds": 3, "lang-en": 5}, "queues": ["billing"]},
            "boris": {"skills": {"lang-en": 9}, "queues": ["general"]},
        },
        QUEUES,
        classify={"language_skill": "lang-{language}"},
    )
    play = Play(document)
    play.assigned(queue="billing", requires={"refunds": 3, "lang-en": 1})
    play.transfer(to_queue="general")
    assert play.fact("ticket.transferred").requires == {"lang-en": 1}
    assert play.offered_to() == "boris"


def test_what_somebody_of_the_new_queue_has_is_required_still() -> None:
    play = Play(a_workspace({"anna": {"skills": {"billing": 5}}, "boris": {"queues": ["general"]}}, QUEUES))
    play.assigned(requires={"billing": 3})
    play.transfer(to_queue="general")
    assert play.fact("ticket.transferred").requires is None
    assert play.offered_to() is None


# -- to skills ---------------------------------------------------------------------------------------------------------


def test_to_skills_whoever_has_them_gets_it() -> None:
    play = Play(a_workspace(SKILLED, QUEUES))
    play.assigned(requires={"billing": 3})
    play.transfer(to_skills={"technical": 7})
    assert play.fact("ticket.transferred").requires == {"technical": 7}
    assert (play.ticket().queue, play.offered_to()) == ("general", "boris")


def test_the_skill_of_the_customers_language_is_required_still() -> None:
    agents = {"anna": {"skills": {"lang-en": 5}}, "boris": {"skills": {"technical": 8}}, "carla": {}}
    agents["carla"] = {"skills": {"lang-en": 5, "technical": 8}}
    play = Play(a_workspace(agents, classify={"language_skill": "lang-{language}"}), present=["anna"])
    play.assigned(requires={"lang-en": 1})
    play.available("boris")
    play.transfer(to_skills={"technical": 7})
    assert play.offered_to() is None
    play.available("carla")
    assert play.offered_to() == "carla"


# -- to an agent -------------------------------------------------------------------------------------------------------


def test_to_an_agent_with_room_it_is_theirs_at_once() -> None:
    play = two()
    play.available("boris")
    play.transfer(to_agent="boris")
    assert play.types == ["ticket.transferred", "ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load, play.agent("boris").load) == ("boris", 0, 1)


def test_a_person_may_choose_an_agent_of_other_queues_and_skills() -> None:
    play = Play(a_workspace(SKILLED, QUEUES))
    play.assigned(queue="billing", requires={"billing": 3})
    play.transfer(to_agent="boris")
    assert (play.ticket().agent, play.ticket().queue) == ("boris", "billing")


@pytest.mark.parametrize("state", ["absent", "away", "full", "no chat"])
def test_to_an_agent_without_room_it_is_refused_saying_why(state: str) -> None:
    play = Play(a_workspace({"anna": {}, "boris": {"capacity": 1}}), present=["anna"])
    play.assigned(channel="chat")
    if state == "full":
        play.available("boris")
        play.away("anna")
        play.assigned("tkt_2")
    elif state == "away":
        play.away("boris")
    elif state == "no chat":
        play.available("boris", channels=("email",))
    play.transfer(to_agent="boris")
    assert (play.answer.status, play.answer.code, play.answer.extra["agent"]) == (409, "no-room", "boris")
    said = {
        "absent": "boris is offline",
        "away": "boris is away",
        "full": "boris has room for 0 units of chat; the ticket weighs 1",
        "no chat": "boris takes no chat tickets now",
    }
    assert play.answer.detail == said[state]
    assert (play.ticket().state, play.ticket().agent) == ("assigned", "anna")


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


def test_what_is_set_aside_goes_on_with_whom_it_is_given_to() -> None:
    play = two()
    play.available("boris")
    play.pend()
    play.transfer(to_agent="boris")
    assert play.types == ["ticket.woken", "ticket.transferred", "ticket.assigned"]
    assert (play.ticket().state, play.ticket().agent, play.ticket().pause) == ("assigned", "boris", None)
    play.advance(700_000)
    assert play.ticket().outcome is None


def test_a_supervisor_transfers_what_is_only_offered() -> None:
    play = Play(a_workspace(["anna", "boris"], QUEUES), present=["anna"])
    play.say()
    play.transfer(to_queue="billing", actor=BOSS)
    assert play.types[:3] == ["offer.rescinded", "ticket.transferred", "ticket.queued"]


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "pointer"),
    [
        ({"to_queue": "nowhere"}, "/to/queue"),
        ({"to_agent": "nobody"}, "/to/agent"),
        ({"to_agent": "helper"}, "/to/agent"),
        ({"to_agent": "anna"}, "/to/agent"),
        ({"to_skills": {"juggling": 3}}, "/to/skills/juggling"),
        ({"to_skills": {"billing": 11}}, "/to/skills/billing"),
        ({"to_skills": {}}, "/to/skills"),
        ({}, "/to"),
        ({"to_queue": "general", "to_agent": "anna"}, "/to"),
        ({"to_agent": "boris", "wait_seconds": 0}, "/wait_seconds"),
        ({"to_agent": "boris", "wait_seconds": 10_000_000}, "/wait_seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(to: dict[str, Any], pointer: str) -> None:
    agents: dict[str, Any] = {"anna": {"skills": {"billing": 1}}, "boris": {}, "helper": {"kind": "bot"}}
    play = Play(a_workspace(agents, QUEUES), present=["anna"])
    play.assigned()
    play.transfer(**to)
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, pointer)
    assert (play.ticket().state, play.ticket().agent) == ("assigned", "anna")


def test_only_the_holder_or_a_supervisor_transfers() -> None:
    play = two()
    play.transfer(to_queue="billing", actor=as_agent("boris"))
    assert (play.answer.status, play.answer.code) == (403, "not-holder")


def test_what_is_resolved_stays_where_it_is() -> None:
    play = two()
    play.resolve()
    play.transfer(to_queue="billing", actor=BOSS)
    assert play.answer.code == "wrong-state"
