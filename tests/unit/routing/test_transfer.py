"""Rule 14, transfer: to a queue, to skills, to an agent."""

from typing import Any

import pytest

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent

QUEUES: dict[str, Any] = {"general": {}, "billing": {}}
SKILLED = {
    "anna": {"skills": {"billing": 5}, "queues": ["general", "billing"]},
    "boris": {"skills": {"technical": 8}, "queues": ["general"]},
}


def two(**agents: dict[str, Any]) -> DeskDriver:
    """Anna holds tkt_1; boris is there as told."""
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {}} | agents, QUEUES), present=["anna"])
    driver.assigned()
    return driver


# -- to a queue --------------------------------------------------------------------------------------------------------


def test_to_a_queue_it_waits_there_and_the_holder_is_free() -> None:
    driver = two(anna={"queues": ["general"]}, boris={"queues": ["billing"]})
    driver.transfer(to_queue="billing")
    assert driver.types == ["ticket.transferred", "ticket.queued"]
    said = driver.fact("ticket.transferred")
    assert (said.from_agent, said.to_queue, said.reason, said.by) == (
        "anna",
        "billing",
        "they know more",
        as_agent("anna"),
    )
    assert (driver.ticket().state, driver.ticket().queue, driver.agent("anna").load) == ("queued", "billing", 0)
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_it_does_not_come_straight_back_to_who_gave_it_away() -> None:
    driver = two()
    driver.transfer(to_queue="billing")
    assert driver.offered_to() is None
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_it_comes_back_when_nobody_else_takes_it() -> None:
    driver = two()
    driver.transfer(to_queue="billing")
    driver.advance(29)
    assert driver.offered_to() is None
    driver.advance(1)
    assert driver.offered_to() == "anna"


def test_waiting_counts_from_the_oldest_unanswered_message_else_from_the_transfer() -> None:
    driver = two()
    asked = driver.now
    driver.advance(60)
    driver.transfer(to_queue="billing")
    assert driver.ticket().waiting_since == asked

    driver = two()
    driver.reply()
    driver.advance(60)
    driver.transfer(to_queue="billing")
    assert driver.ticket().waiting_since == driver.now


def test_what_nobody_of_the_new_queue_has_is_required_no_more() -> None:
    document = a_workspace(
        {
            "anna": {"skills": {"refunds": 3, "lang-en": 5}, "queues": ["billing"]},
            "boris": {"skills": {"lang-en": 9}, "queues": ["general"]},
        },
        QUEUES,
        classify={"language_skill": "lang-{language}"},
    )
    driver = DeskDriver(document)
    driver.assigned(queue="billing", requires={"refunds": 3, "lang-en": 1})
    driver.transfer(to_queue="general")
    assert driver.fact("ticket.transferred").requires == {"lang-en": 1}
    assert driver.offered_to() == "boris"


def test_what_somebody_of_the_new_queue_has_is_required_still() -> None:
    driver = DeskDriver(a_workspace({"anna": {"skills": {"billing": 5}}, "boris": {"queues": ["general"]}}, QUEUES))
    driver.assigned(requires={"billing": 3})
    driver.transfer(to_queue="general")
    assert driver.fact("ticket.transferred").requires is None
    assert driver.offered_to() is None


# -- to skills ---------------------------------------------------------------------------------------------------------


def test_to_skills_whoever_has_them_gets_it() -> None:
    driver = DeskDriver(a_workspace(SKILLED, QUEUES))
    driver.assigned(requires={"billing": 3})
    driver.transfer(to_skills={"technical": 7})
    assert driver.fact("ticket.transferred").requires == {"technical": 7}
    assert (driver.ticket().queue, driver.offered_to()) == ("general", "boris")


def test_the_skill_of_the_customers_language_is_required_still() -> None:
    agents = {"anna": {"skills": {"lang-en": 5}}, "boris": {"skills": {"technical": 8}}, "carla": {}}
    agents["carla"] = {"skills": {"lang-en": 5, "technical": 8}}
    driver = DeskDriver(a_workspace(agents, classify={"language_skill": "lang-{language}"}), present=["anna"])
    driver.assigned(requires={"lang-en": 1})
    driver.available("boris")
    driver.transfer(to_skills={"technical": 7})
    assert driver.offered_to() is None
    driver.available("carla")
    assert driver.offered_to() == "carla"


# -- to an agent -------------------------------------------------------------------------------------------------------


def test_to_an_agent_with_room_it_is_theirs_at_once() -> None:
    driver = two()
    driver.available("boris")
    driver.transfer(to_agent="boris")
    assert driver.types == ["ticket.transferred", "ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load, driver.agent("boris").load) == ("boris", 0, 1)


def test_a_person_may_choose_an_agent_of_other_queues_and_skills() -> None:
    driver = DeskDriver(a_workspace(SKILLED, QUEUES))
    driver.assigned(queue="billing", requires={"billing": 3})
    driver.transfer(to_agent="boris")
    assert (driver.ticket().agent, driver.ticket().queue) == ("boris", "billing")


@pytest.mark.parametrize("state", ["absent", "away", "full", "no chat"])
def test_to_an_agent_without_room_it_is_refused_saying_why(state: str) -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {"capacity": 1}}), present=["anna"])
    driver.assigned(channel="chat")
    if state == "full":
        driver.available("boris")
        driver.away("anna")
        driver.assigned("tkt_2")
    elif state == "away":
        driver.away("boris")
    elif state == "no chat":
        driver.available("boris", channels=("email",))
    driver.transfer(to_agent="boris")
    assert (driver.answer.status, driver.answer.code, driver.answer.extra["agent"]) == (409, "no-room", "boris")
    said = {
        "absent": "boris is offline",
        "away": "boris is away",
        "full": "boris has room for 0 units of chat; the ticket weighs 1",
        "no chat": "boris takes no chat tickets now",
    }
    assert driver.answer.detail == said[state]
    assert (driver.ticket().state, driver.ticket().agent) == ("assigned", "anna")


def test_what_is_set_aside_goes_on_with_whom_it_is_given_to() -> None:
    driver = two()
    driver.available("boris")
    driver.pend()
    driver.transfer(to_agent="boris")
    assert driver.types == ["ticket.woken", "ticket.transferred", "ticket.assigned"]
    assert (driver.ticket().state, driver.ticket().agent, driver.ticket().pause) == ("assigned", "boris", None)
    driver.advance(700_000)
    assert driver.ticket().outcome is None


def test_a_supervisor_transfers_what_is_only_offered() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], QUEUES), present=["anna"])
    driver.say()
    driver.transfer(to_queue="billing", actor=BOSS)
    assert driver.types[:3] == ["offer.rescinded", "ticket.transferred", "ticket.queued"]


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
    driver = DeskDriver(a_workspace(agents, QUEUES), present=["anna"])
    driver.assigned()
    driver.transfer(**to)
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, pointer)
    assert (driver.ticket().state, driver.ticket().agent) == ("assigned", "anna")


def test_only_the_holder_or_a_supervisor_transfers() -> None:
    driver = two()
    driver.transfer(to_queue="billing", actor=as_agent("boris"))
    assert (driver.answer.status, driver.answer.code) == (403, "not-holder")


def test_what_is_resolved_stays_where_it_is() -> None:
    driver = two()
    driver.resolve()
    driver.transfer(to_queue="billing", actor=BOSS)
    assert driver.answer.code == "wrong-state"


# -- beside other rules ------------------------------------------------------------------------------------------------


def test_into_a_closed_queue_it_is_held_until_the_queue_opens() -> None:
    driver = two()
    driver.available("boris")
    driver.close_queue("billing")
    driver.transfer(to_queue="billing")
    assert (driver.ticket().held, driver.offered_to()) == ("closed", None)
    driver.open_queue("billing")
    assert driver.offered_to() == "boris"


def test_what_is_held_may_be_taken_out_of_the_closed_queue() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], QUEUES), present=["boris"])
    driver.close_queue("general")
    driver.say()
    assert driver.ticket().held == "closed"
    driver.transfer(to_queue="billing", actor=BOSS)
    assert (driver.ticket().held, driver.offered_to()) == (None, "boris")
