"""Rule 19: a corrected label."""

from typing import Any

from tests.unit.routing.playing import Play, a_workspace

CLASSIFY: dict[str, Any] = {
    "language_skill": None,
    "categories": {"bug": {"queue": "technical", "requires": {"technical": 3}}, "other": {"queue": "general"}},
}
AGENTS = {"anna": {"queues": ["general"]}, "boris": {"queues": ["technical"], "skills": {"technical": 5}}}
QUEUES: dict[str, Any] = {"general": {}, "technical": {}}


def a_play(**fields: Any) -> Play:
    return Play(a_workspace(AGENTS, QUEUES, classify=CLASSIFY), **fields)


def test_queued_it_finds_its_agent_anew_and_keeps_its_age() -> None:
    play = a_play(present=["boris"])
    since = play.say(queue="general").waiting_since
    play.advance(60)
    play.label(category="bug")
    assert (play.ticket().queue, play.offered_to()) == ("technical", "boris")
    assert play.ticket().waiting_since == since
    assert play.fact("ticket.labelled").changed == ("category",)
    assert play.fact("ticket.labelled").requires == {"technical": 3}


def test_offered_it_is_rescinded_when_the_agent_may_not_take_it() -> None:
    play = a_play()
    play.say(queue="general")
    assert play.offered_to() == "anna"
    play.label(category="bug")
    assert "offer.rescinded" in play.types
    assert (play.offered_to(), play.agent("anna").load) == ("boris", 0)


def test_offered_it_stands_when_the_agent_may_still_take_it() -> None:
    play = a_play()
    offer = play.say(queue="general").offer
    play.label(priority="urgent", add_tags=("vip",))
    assert play.ticket().offer == offer


def test_assigned_it_stays_unless_rerouted() -> None:
    play = a_play()
    play.assigned(queue="general")
    play.label(category="bug")
    assert play.ticket().agent == "anna"
    assert (play.ticket().queue, play.fact("ticket.labelled").queue) == ("technical", "technical")
    play.label(reroute=True)
    assert (play.ticket().agent, play.offered_to(), play.agent("anna").load) == (None, "boris", 0)


def test_a_higher_priority_moves_it_forward() -> None:
    queues: dict[str, Any] = {"general": {"order": "priority"}, "technical": {}}
    play = Play(a_workspace({"anna": {"capacity": 1}}, queues))
    play.assigned("busy", queue="general")
    play.say("first", queue="general")
    play.advance(1)
    play.say("second", queue="general")
    play.label("second", priority="urgent")
    play.resolve("busy")
    assert (play.offered_to("first"), play.offered_to("second")) == (None, "anna")


def test_an_unknown_category_is_refused() -> None:
    play = a_play()
    play.say()
    play.label(category="nonsense")
    assert play.answer.status == 422
    assert play.answer.extra["errors"][0]["pointer"] == "/category"
