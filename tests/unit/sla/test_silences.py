"""Silences: alerts that match notify nobody until they are over, and lose nothing."""

from typing import Any

import pytest

from pointsman.contracts.alerting import AlertAck, SilenceAdd, SilenceEnd, SilenceMatch
from pointsman.contracts.shapes import Actor
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import answered, minute, opened
from tests.unit.sla.test_ladders import BREACHES, PAGES, a_lane, alert_of, steps, told

SUE = Actor(kind="supervisor", id="sue")


def silenced(lane: LaneOfTests, at: float, until: float, **match: Any) -> Any:
    """What the command answered."""
    command = SilenceAdd(actor=SUE, match=SilenceMatch(**match), until=minute(until), reason="planned maintenance")
    return lane.ask(at, command)


def state_of(lane: LaneOfTests) -> str:
    return lane.state.alerts.open[alert_of(lane)].state


def test_an_open_alert_that_matches_is_silenced() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(61)
    answer = silenced(lane, 62, 200, queue=("general",))
    assert (answer.status, answer.answer["match"], answer.answer["by"]) == (201, {"queue": ["general"]}, "sue")
    (fact,) = lane.of("alert.silenced")[-1:]
    assert (fact.until, fact.by, fact.reason) == (minute(200), SUE, "planned maintenance")
    assert state_of(lane) == "silenced"
    lane.run_to(199)
    assert [target for target, _, _ in told(lane)] == ["supervisors"]
    assert len(steps(lane)) == 4, "its steps are carried out all the same"
    assert {fact.withheld for fact in lane.of("clock.escalated")[1:]} == {"silenced"}


def test_an_alert_that_opens_meanwhile_is_silenced_too() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 200)
    lane.tell(1, *opened(1))
    lane.run_to(100)
    assert state_of(lane) == "silenced"
    assert [fact.type for fact in lane.facts if fact.type.startswith("alert.")][-2:] == [
        "alert.opened",
        "alert.silenced",
    ]
    assert told(lane) == []
    assert [fact.boost for fact in lane.of("clock.escalated")] == [0]
    assert [fact.relax for fact in lane.of("clock.escalated")] == ["all"], "the desk is not silenced"


def test_others_are_not() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 200, severity=("warning",))
    lane.tell(0, *opened(0, ticket="tkt_2", queue="billing"))
    lane.run_to(61)
    assert silenced(lane, 62, 200, queue=("billing",)).status == 201
    lane.items.clear()
    lane.tell(63, *opened(63))
    lane.run_to(150)
    states = {alert.queue: alert.state for alert in lane.state.alerts.open.values() if alert.severity == "breach"}
    assert (states["billing"], states["general"] != "silenced") == ("silenced", True)
    assert [(item.target, item.ticket_id) for item in lane.items] == [("supervisors", "tkt_1")]


def test_when_it_is_over_what_is_open_fires_again_and_tells_who_was_not_told() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 200)
    lane.tell(1, *opened(1))
    lane.run_to(201)
    assert state_of(lane) == "firing"
    assert told(lane) == [("supervisors", 200.0, "again")]
    assert lane.of("alert.opened")[-1].again


def test_somebody_may_end_it_before_its_time() -> None:
    lane = a_lane(BREACHES)
    id = silenced(lane, 0, 200).answer["id"]
    lane.tell(1, *opened(1))
    lane.run_to(70)
    ended: Any = lane.ask(70, SilenceEnd(actor=SUE, silence_id=id))
    assert (ended.answer["ended_at"], ended.answer["ended_by"]) == (minute(70), "sue")
    assert state_of(lane) == "firing"
    again: Any = lane.ask(71, SilenceEnd(actor=SUE, silence_id=id))
    assert again.refusal.status == 404
    lane.run_to(300)
    assert len([kind for _, _, kind in told(lane) if kind == "again"]) == 1


def test_what_another_silence_covers_stays_silent() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 100)
    silenced(lane, 0, 150, queue=("general",))
    lane.tell(1, *opened(1))
    lane.run_to(149)
    assert state_of(lane) == "silenced"
    lane.run_to(151)
    assert told(lane) == [("supervisors", 150.0, "again")]


def test_what_ended_meanwhile_tells_nobody() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 200)
    lane.tell(1, *opened(1))
    lane.tell(100, answered(100))
    lane.run_to(300)
    assert told(lane) == []
    assert len(lane.of("alert.resolved")) == 2


def test_a_ladder_that_ends_in_a_silence_tells_its_last_resort_afterwards() -> None:
    lane = a_lane(BREACHES, PAGES, last_resort="last")
    silenced(lane, 0, 500)
    lane.tell(1, *opened(1))
    lane.run_to(501)
    assert lane.of("alert.exhausted") == []
    assert [target for target, _, _ in told(lane)] == ["supervisors", "pager", "last"]


def test_an_acknowledged_alert_stays_acknowledged() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.run_to(61)
    lane.ask(61, AlertAck(actor=SUE, alert_id=alert_of(lane), for_seconds=600))
    silenced(lane, 62, 100)
    assert state_of(lane) == "acknowledged"
    lane.run_to(80)
    assert state_of(lane) == "silenced", "when the acknowledgement is over the silence holds"
    lane.run_to(101)
    assert told(lane) == [("supervisors", 60.0, "step"), ("supervisors", 100.0, "again")]


def test_a_silence_without_an_end_or_in_the_past_is_refused() -> None:
    lane = a_lane(BREACHES)
    past, endless = silenced(lane, 5, 4), silenced(lane, 5, 5 + 3_661 * 1440)
    for answer in (past, endless):
        assert answer.refusal.status == 422
        assert answer.refusal.extra["errors"][0]["pointer"] == "/until"
    assert lane.state.silences.active == {}


@pytest.mark.parametrize(
    ("match", "pointer"),
    [
        ({"queue": ("nowhere",)}, "/match/queue"),
        ({"queue": ("general", "nowhere")}, "/match/queue/1"),
        ({"policy": ("gold",)}, "/match/policy"),
        ({"policy": ("",)}, "/match/policy"),
    ],
)
def test_a_silence_of_what_does_not_exist_is_refused_with_its_place(match: Any, pointer: str) -> None:
    lane = a_lane(BREACHES)
    refused = silenced(lane, 5, 50, **match).refusal
    assert (refused.status, [error["pointer"] for error in refused.extra["errors"]]) == (422, [pointer])
    assert lane.state.silences.active == {}


def test_a_silence_may_name_a_queue_that_only_an_open_alert_still_has() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0, queue="given-up"))
    lane.run_to(61)
    assert silenced(lane, 62, 90, queue=("given-up",)).status == 201
    assert state_of(lane) == "silenced"


def test_a_silence_is_of_one_workspace() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 200)
    lane.tell(1, *opened(1))
    lane.run_to(62)
    other = SilenceEnd(actor=SUE, silence_id=next(iter(lane.state.silences.active)))
    assert lane.tell(63, other, topic="commands", workspace="globex").refusal is not None
    assert state_of(lane) == "silenced"
