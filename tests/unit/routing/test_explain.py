"""Rule 16: the desk says why."""

from typing import Any

import orjson

from pointsman.contracts.commands import QueueDepths
from tests.unit.routing.playing import BOSS, Play, a_workspace

AGENTS: dict[str, Any] = {
    "anna": {"name": "Anna", "capacity": 1, "skills": {"billing": 5}},
    "boris": {"name": "Boris", "skills": {"billing": 2}},
    "carla": {"name": "Carla", "skills": {"billing": 4}},
}


def test_every_offer_carries_a_sentence() -> None:
    play = Play(a_workspace(AGENTS), present=["anna"])
    play.say(requires={"billing": 3})
    assert play.fact("offer.made").reason.startswith("Anna can do it, has room")
    play.say("tkt_2", requires={"billing": 3})
    play.accept()
    play.resolve()
    assert play.fact("offer.made").reason.startswith("Anna has room again")


def test_what_is_stored_with_an_offer_is_small() -> None:
    agents = {f"agent-{number}": {"skills": {"billing": 3}} for number in range(200)}
    play = Play(a_workspace(agents))
    desk = play.desk
    play.desk.committed = lambda: None  # type: ignore[method-assign]
    play.say(requires={"billing": 3})
    (made,) = desk.changes.offers_made.values()
    assert made["why"]["config_version"] == 1
    assert len(orjson.dumps(made["why"])) <= 2048


def test_why_it_still_waits() -> None:
    play = Play(a_workspace(AGENTS), present=["anna", "boris"])
    play.assigned(requires={"billing": 3})
    play.say("tkt_2", requires={"billing": 3})
    answer = play.explain("tkt_2")
    assert answer["refused"] == {"no_room": 1, "lacks_skill": 1, "not_available": 1}
    assert "billing at level 3" in answer["sentence"]
    assert "as soon as one of the full agents has room" in answer["sentence"]
    assert answer["able_now"] == []


def test_why_not_that_agent() -> None:
    play = Play(a_workspace(AGENTS), present=["anna", "boris"])
    play.say(requires={"billing": 3})
    assert play.explain(agent="boris")["agent"]["sentence"] == (
        "The ticket requires billing at level 3; Boris has level 2."
    )
    assert play.explain(agent="carla")["agent"]["failing"] == "not_available"
    assert play.explain(agent="anna")["agent"]["sentence"] == "Anna has it."
    play.command(QueueDepths(actor=BOSS))
    play.reject()
    assert play.explain(agent="anna")["agent"]["failing"] == "declined"


def test_an_answer_changes_nothing() -> None:
    play = Play(a_workspace(AGENTS))
    play.say()
    change = play.desk.change
    play.explain()
    assert play.desk.change == change


def test_depths_of_the_queues() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, {"general": {}, "other": {}}))
    play.say("tkt_1", queue="general")
    since = play.say("tkt_2", queue="general").waiting_since
    play.command(QueueDepths(actor=BOSS))
    general, other = play.answer["items"]
    assert (general["waiting"], general["offered"], general["oldest_waiting_since"]) == (1, 1, since)
    assert (other["waiting"], other["oldest_waiting_since"], other["eligible_now"]) == (0, None, 1)
    play.command(QueueDepths(actor=BOSS, queue="none"))
    assert play.answer.status == 404
