"""Rule 19: a corrected label."""

from typing import Any

from tests.unit.routing.desk_driver import DeskDriver, a_workspace

CLASSIFY: dict[str, Any] = {
    "language_skill": None,
    "categories": {"bug": {"queue": "technical", "requires": {"technical": 3}}, "other": {"queue": "general"}},
}
AGENTS = {"anna": {"queues": ["general"]}, "boris": {"queues": ["technical"], "skills": {"technical": 5}}}
QUEUES: dict[str, Any] = {"general": {}, "technical": {}}


def a_play(**fields: Any) -> DeskDriver:
    return DeskDriver(a_workspace(AGENTS, QUEUES, classify=CLASSIFY), **fields)


def test_queued_it_finds_its_agent_anew_and_keeps_its_age() -> None:
    driver = a_play(present=["boris"])
    since = driver.say(queue="general").waiting_since
    driver.advance(60)
    driver.label(category="bug")
    assert (driver.ticket().queue, driver.offered_to()) == ("technical", "boris")
    assert driver.ticket().waiting_since == since
    assert driver.fact("ticket.labelled").changed == ("category",)
    assert driver.fact("ticket.labelled").requires == {"technical": 3}


def test_offered_it_is_rescinded_when_the_agent_may_not_take_it() -> None:
    driver = a_play()
    driver.say(queue="general")
    assert driver.offered_to() == "anna"
    driver.label(category="bug")
    assert "offer.rescinded" in driver.types
    assert (driver.offered_to(), driver.agent("anna").load) == ("boris", 0)


def test_offered_it_stands_when_the_agent_may_still_take_it() -> None:
    driver = a_play()
    offer = driver.say(queue="general").offer
    driver.label(priority="urgent", add_tags=("vip",))
    assert driver.ticket().offer == offer


def test_assigned_it_stays_unless_rerouted() -> None:
    driver = a_play()
    driver.assigned(queue="general")
    driver.label(category="bug")
    assert driver.ticket().agent == "anna"
    assert (driver.ticket().queue, driver.fact("ticket.labelled").queue) == ("technical", "technical")
    driver.label(reroute=True)
    assert (driver.ticket().agent, driver.offered_to(), driver.agent("anna").load) == (None, "boris", 0)


def test_a_higher_priority_moves_it_forward() -> None:
    queues: dict[str, Any] = {"general": {"order": "priority"}, "technical": {}}
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, queues))
    driver.assigned("busy", queue="general")
    driver.say("first", queue="general")
    driver.advance(1)
    driver.say("second", queue="general")
    driver.label("second", priority="urgent")
    driver.resolve("busy")
    assert (driver.offered_to("first"), driver.offered_to("second")) == (None, "anna")


def test_an_unknown_category_is_refused() -> None:
    driver = a_play()
    driver.say()
    driver.label(category="nonsense")
    assert driver.answer.status == 422
    assert driver.answer.extra["errors"][0]["pointer"] == "/category"
