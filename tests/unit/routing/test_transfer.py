"""Rule 14, transfer: to a queue, to skills, to an agent."""

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


# -- beside other rules ------------------------------------------------------------------------------------------------


def test_into_a_closed_queue_it_is_held_until_the_queue_opens() -> None:
    play = two()
    play.available("boris")
    play.close_queue("billing")
    play.transfer(to_queue="billing")
    assert (play.ticket().held, play.offered_to()) == ("closed", None)
    play.open_queue("billing")
    assert play.offered_to() == "boris"


def test_what_is_held_may_be_taken_out_of_the_closed_queue() -> None:
    play = Play(a_workspace(["anna", "boris"], QUEUES), present=["boris"])
    play.close_queue("general")
    play.say()
    assert play.ticket().held == "closed"
    play.transfer(to_queue="billing", actor=BOSS)
    assert (play.ticket().held, play.offered_to()) == (None, "boris")
