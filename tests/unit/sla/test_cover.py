"""Cover defers the points of a ladder and consumes none; an alert's state is that of its clocks."""

from typing import Any

import pytest

from pointsman.contracts import desk
from pointsman.contracts.alerting import AlertAck, AlertUnack
from pointsman_sla.alerts.model import Alert
from pointsman_sla.rules import cover_end
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import (
    ANNA,
    OFFICE,
    a_document,
    a_policy,
    answered,
    labelled,
    minute,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    woken,
)
from tests.unit.sla.soundness_of_alerts import SoundLane
from tests.unit.sla.test_ladders import BREACHES, PAGES, SUE, alert_of, told
from tests.unit.sla.test_silences import silenced


def a_lane(*steps: dict[str, Any], policies: list[dict[str, Any]] | None = None, **policy: Any) -> LaneOfTests:
    """As that of the ladders, with a last resort; it looks at itself after each decision."""
    given = {"targets": {"first_response": {"default": 3600}}, "warn": {"shares": []}, "calendar": "always", **policy}
    sla = {
        "policies": [*(policies or ()), a_policy(ladder="up", **given)],
        "ladders": {"up": list(steps or (BREACHES, PAGES))},
        "notify": {"supervisors": {}, "pager": {}, "last": {}},
        "last_resort": "last",
    }
    return SoundLane(document=a_document(sla=sla, calendars={"office": OFFICE}))


def ack(lane: LaneOfTests, at: float, for_seconds: int | None = None, alert: str | None = None) -> Any:
    lane.run_to(at)
    return lane.ask(at, AlertAck(actor=SUE, alert_id=alert or alert_of(lane), for_seconds=for_seconds))


def alert(lane: LaneOfTests, severity: str = "breach") -> Alert:
    return next(each for each in lane.state.alerts.open.values() if each.severity == severity)


def pages(lane: LaneOfTests, since: float = 0) -> list[tuple[str, float]]:
    """(target, minute) of all that was told from a minute on."""
    return [(target, at) for target, at, _ in told(lane) if at >= since]


# -- the end of an acknowledgement -------------------------------------------------------------------------------------


def test_an_acknowledgement_that_ends_gives_the_ladder_back() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    ack(lane, 65, 3600)
    lane.run_to(124)
    assert pages(lane) == [("supervisors", 60.0)]
    lane.run_to(1000)
    assert pages(lane, 125) == [
        ("supervisors", 125.0),
        ("pager", 125.0),
        ("pager", 140.0),
        ("pager", 155.0),
        ("last", 170.0),
    ]
    assert alert(lane).state == "exhausted"


def test_a_repetition_that_fell_due_meanwhile_comes_when_the_acknowledgement_is_over() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    ack(lane, 71, 1800)
    lane.run_to(1000)
    assert [at for target, at, kind in told(lane) if (target, kind) == ("pager", "step")] == [70.0, 101.0, 116.0]


def test_a_step_that_lies_behind_the_end_of_the_acknowledgement_comes_in_its_time() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    ack(lane, 61, 60)
    lane.run_to(75)
    assert pages(lane) == [("supervisors", 60.0), ("supervisors", 62.0), ("pager", 70.0)]


def test_an_acknowledgement_taken_back_gives_the_ladder_back_at_once() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    ack(lane, 61)
    lane.ask(500, AlertUnack(actor=SUE, alert_id=alert_of(lane)))
    lane.run_to(515)
    assert pages(lane, 500) == [("supervisors", 500.0), ("pager", 500.0), ("pager", 515.0)]


def test_a_second_acknowledgement_defers_on() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    ack(lane, 61, 1200)
    ack(lane, 75, 3600)
    lane.run_to(134)
    assert pages(lane) == [("supervisors", 60.0)]
    lane.run_to(135)
    assert pages(lane, 61) == [("supervisors", 135.0), ("pager", 135.0)]


def test_a_ladder_that_had_ended_waits_once_more_when_the_acknowledgement_is_over() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    lane.run_to(115)
    assert alert(lane).state == "exhausted"
    ack(lane, 120, 600)
    assert alert(lane).state == "acknowledged"
    lane.run_to(131)
    assert alert(lane).state == "firing"
    lane.run_to(1000)
    assert pages(lane, 116) == [("supervisors", 130.0), ("pager", 130.0), ("last", 130.0), ("last", 145.0)]
    assert (alert(lane).state, len(lane.of("alert.exhausted"))) == ("exhausted", 2)


def test_an_end_that_falls_into_an_acknowledgement_waits_after_it() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    ack(lane, 61, 1200)
    lane.run_to(81)
    assert alert(lane).state == "firing"
    lane.run_to(1000)
    assert pages(lane, 61) == [("supervisors", 81.0), ("last", 86.0)]


def test_the_clocks_of_a_large_alert_are_given_back_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover_end, "STEP_CLOCKS_MAX", 2)
    lane = a_lane()
    for number in range(7):
        lane.tell(number / 10, *opened(number / 10, ticket=f"tkt_{number}"))
    ack(lane, 65)
    lane.ask(500, AlertUnack(actor=SUE, alert_id=alert_of(lane)))
    lane.run_to(501)
    assert alert(lane).released_at is None
    paged = [item.ticket_id for item in lane.items if item.target == "pager"]
    assert sorted(map(str, paged)) == [f"tkt_{number}" for number in range(7)]


# -- state derives from the clocks -------------------------------------------------------------------------------------


def two(lane: LaneOfTests) -> None:
    """tkt_1 breaches after 60 minutes and is acknowledged for an hour from 65 on; tkt_2 joins after 70."""
    lane.tell(0, *opened(0))
    lane.tell(10, *opened(10, ticket="tkt_2"))
    ack(lane, 65, 3600)
    lane.run_to(71)


def test_a_newcomer_does_not_erase_the_end_of_an_acknowledgement() -> None:
    lane = a_lane()
    two(lane)
    assert (alert(lane).state, alert(lane).ack_until, alert(lane).covered) == ("firing", minute(125), 1)
    lane.run_to(126)
    paged = [
        item.ticket_id for item in lane.items if (item.kind, item.target, item.at) == ("step", "pager", minute(125))
    ]
    assert paged == ["tkt_1"]
    assert ("supervisors", 125.0, "again") in told(lane)
    assert [fact.again for fact in lane.of("alert.opened")] == [False, True, True]


def test_an_alert_is_acknowledged_again_when_only_acknowledged_clocks_are_left() -> None:
    lane = a_lane()
    two(lane)
    lane.tell(72, answered(72).model_copy(update={"ticket_id": "tkt_2"}))
    assert (alert(lane).state, alert(lane).acked_by, alert(lane).ack_until) == ("acknowledged", "sue", minute(125))
    assert [fact.by.id for fact in lane.of("alert.acknowledged")] == ["sue", "pointsman"]


def test_an_acknowledgement_ends_with_the_last_clock_that_it_covers() -> None:
    lane = a_lane()
    two(lane)
    lane.tell(72, answered(72))
    assert (alert(lane).state, alert(lane).ack_until, alert(lane).covered_at) == ("firing", None, None)


def test_a_clock_that_joins_at_the_instant_of_an_acknowledgement_is_not_covered_by_it() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    lane.tell(5, *opened(5, ticket="tkt_2"))
    lane.run_to(64)
    lane.decide(lane.cause(65, AlertAck(actor=SUE, alert_id=alert_of(lane)), topic="commands"), minute(65))
    assert alert(lane).state == "acknowledged"
    lane.run_to(65)
    assert (alert(lane).state, alert(lane).covered) == ("firing", 1)


def test_an_alert_is_exhausted_again_when_the_newcomer_that_fired_it_is_answered() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.tell(30, *opened(30, ticket="tkt_2"))
    lane.run_to(91)
    assert alert(lane).state == "firing"
    lane.tell(92, answered(92).model_copy(update={"ticket_id": "tkt_2"}))
    assert alert(lane).state == "exhausted"
    assert [fact.clock is None for fact in lane.of("alert.exhausted")] == [False, True]


# -- silences ----------------------------------------------------------------------------------------------------------


def test_a_ladder_that_ended_in_a_silence_is_exhausted_after_it() -> None:
    lane = a_lane(BREACHES)
    silenced(lane, 0, 500)
    lane.tell(1, *opened(1))
    lane.run_to(501)
    assert (alert(lane).state, lane.of("alert.exhausted")) == ("firing", [])
    lane.run_to(506)
    assert alert(lane).state == "exhausted"


def test_the_end_of_a_silence_says_nothing_of_a_clock_that_stands_still_until_it_goes_on() -> None:
    lane = a_lane(targets={"resolution": {"default": 3600}}, pause_on={"resolution": ["customer"]})
    silenced(lane, 0, 90)
    lane.tell(0, *opened(0))
    lane.tell(80, pended())
    lane.run_to(100)
    # The message of the alert leaves out clocks that stand still (notify/standing.py).
    assert [(item.kind, item.clock_id) for item in lane.items] == [("again", None)] * len(lane.items)
    before = len(lane.items)
    lane.tell(200, woken(), queued())
    lane.run_to(200)
    assert {(item.target, item.kind, item.ticket_id) for item in lane.items[before:]} >= {
        ("supervisors", "again", "tkt_1"),
        ("pager", "again", "tkt_1"),
    }


# -- what runs past a point is in the alert of its key -----------------------------------------------------------------


def overdue(lane: LaneOfTests) -> None:
    """A resolution that breached after an hour."""
    lane.tell(0, *opened(0))
    lane.run_to(61)


def a_resolution(*steps: dict[str, Any], **policy: Any) -> LaneOfTests:
    return a_lane(*steps, targets={"resolution": {"default": 3600, "urgent": 1800}}, **policy)


def transferred(queue: str) -> list[Any]:
    return [
        desk.TicketTransferred(ticket_id="tkt_1", to_queue=queue, reason="theirs", by=ANNA),
        queued(queue, "transferred"),
    ]


def test_a_reopened_overdue_ticket_is_in_the_alert_again_and_its_ladder_goes_on() -> None:
    lane = a_resolution(reopen="continue")
    overdue(lane)
    lane.tell(65, resolved())
    assert lane.state.alerts.open == {}
    lane.tell(600, reopened(), queued(reason="reopened"))
    assert (alert(lane).state, alert(lane).queue) == ("firing", "general")
    lane.run_to(615)
    assert pages(lane, 61) == [("pager", 600.0), ("pager", 615.0)], "what came due meanwhile; nothing is repeated"


def test_a_reopened_ticket_whose_ladder_had_ended_is_exhausted_again() -> None:
    lane = a_resolution(BREACHES, reopen="continue")
    overdue(lane)
    lane.run_to(70)
    lane.tell(75, resolved())
    lane.tell(600, reopened(), queued(reason="reopened"))
    lane.run_to(610)
    assert (alert(lane).state, pages(lane, 75)) == ("exhausted", [("last", 605.0)])


def test_a_reopened_ticket_that_had_warned_is_in_the_alert_of_warnings_again() -> None:
    lane = a_resolution(reopen="continue", warn={"shares": [0.5]})
    lane.tell(0, *opened(0))
    lane.tell(40, resolved())
    lane.tell(600, reopened(), queued(reason="reopened"))
    assert alert(lane, "warning").state == "firing"
    lane.run_to(621)
    assert alert(lane).state == "firing", "twenty minutes were left"


def test_a_transfer_moves_a_breached_clock_to_the_alert_of_its_new_queue() -> None:
    lane = a_resolution()
    overdue(lane)
    lane.tell(65, *transferred("billing"))
    assert [(each.queue, each.state) for each in lane.state.alerts.open.values()] == [("billing", "firing")]
    assert [fact.reason for fact in lane.of("alert.resolved")] == ["moved"]


def test_a_clock_that_leaves_its_acknowledgement_by_a_transfer_has_its_ladder_back() -> None:
    lane = a_resolution()
    overdue(lane)
    ack(lane, 65)
    lane.tell(100, *transferred("billing"))
    lane.run_to(101)
    assert pages(lane, 61) == [("pager", 100.0)]


def test_a_transfer_leaves_the_others_of_the_old_alert_where_they_are() -> None:
    lane = a_resolution()
    lane.tell(1, *opened(1, ticket="tkt_2"))
    overdue(lane)
    ack(lane, 65)
    lane.tell(66, *transferred("billing"))
    states = {each.queue: (each.state, lane.state.alerts.counts[each.id]) for each in lane.state.alerts.open.values()}
    assert states == {"general": ("acknowledged", 1), "billing": ("firing", 1)}


def test_another_policy_moves_a_warned_clock_in_the_same_decision() -> None:
    vip = a_policy(
        name="vip",
        match={"tags": ["vip"]},
        calendar="always",
        targets={"resolution": {"default": 7200}},
        warn={"shares": [0.25]},
    )
    lane = a_resolution(policies=[vip], warn={"shares": [0.5]})
    lane.tell(0, *opened(0))
    lane.run_to(40)
    assert alert(lane, "warning").policy == "standard"
    lane.tell(41, labelled(tags=("vip",)))
    assert alert(lane, "warning").policy == "vip"
