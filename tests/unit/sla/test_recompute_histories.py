"""A recompute in the midst of random histories: what is promised then is what would have been had the version been in
force from the beginning."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pointsman_sla.clocks.model import Clock
from pointsman_sla.micros import micros
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.second_by_second import Promise
from tests.unit.sla.test_clock_histories import (
    DOCUMENT_CALENDARS,
    HISTORIES,
    LIFE_SECONDS,
    a_calendar,
    a_history,
    at,
    document_of,
    pauses,
    policy_of,
    promises,
    targets_of,
)

LEFT_OUT = ("labelled", "to_queue", "split")
"""What came before a change of labels counts in the calendar that was theirs; another test shows it. And these splits
may leave unanswered what nobody wrote."""

OTHER_CALENDARS = {**DOCUMENT_CALENDARS, "office": a_calendar([(0, 4), (6, 8), (9, 14)])}


@st.composite
def changed(draw: st.DrawFn, promise: Promise) -> Promise:
    """The promise with other targets, pauses, warnings and perhaps another calendar."""
    return replace(
        promise,
        calendar=draw(st.sampled_from([promise.calendar, "shifts", "always"])),
        targets={metric: draw(targets_of) for metric in promise.targets},
        shares=draw(st.sampled_from([(), (0.4, 0.7)])),
        pause_on={metric: draw(pauses) for metric in promise.pause_on},
    )


@given(st.data())
@settings(
    max_examples=HISTORIES // 3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
def test_open_clocks_are_what_they_would_be_had_the_version_been_there_from_the_start(data: st.DataObject) -> None:
    before = data.draw(promises())[-1]
    after = data.draw(changed(before))
    told = a_history(data, LaneOfTests(document=document_of([before])), without=LEFT_OUT).told
    moment = data.draw(st.integers(told[0][0], LIFE_SECONDS - 2))
    moved, fresh = LaneOfTests(document=document_of([before])), LaneOfTests(document=_document(after))
    for second, facts in told:
        if second > moment and moved.of("clocks.recomputed") == []:
            _recompute(moved, moment, after)
        for lane in (moved, fresh):
            lane.tell(second / 60, *facts)
    if moved.of("clocks.recomputed") == []:
        _recompute(moved, moment, after)
    for lane in (moved, fresh):
        lane.run_to((LIFE_SECONDS - 0.5) / 60)
    _compare(moved, fresh, moment)


def _document(promise: Promise) -> dict[str, Any]:
    return {**document_of([promise]), "calendars": OTHER_CALENDARS}


def _recompute(lane: LaneOfTests, moment: int, promise: Promise) -> None:
    lane.configure(moment / 60, 2, policy_of(promise), calendars=OTHER_CALENDARS, open_clocks="recompute")
    lane.run_to((moment + 0.25) / 60)


def _compare(moved: LaneOfTests, fresh: LaneOfTests, moment: int) -> None:
    assert moved.rows.keys() == fresh.rows.keys()
    limit = micros(at(moment))
    carried = {fact.clock_id for fact in moved.of("clock.started") if fact.carried_from is not None}
    for id, clock in moved.rows.items():
        wanted = fresh.rows[id]
        if clock.version == 1:
            kept = (clock.ended_at or limit + 1) <= limit or clock.breached_at is not None or clock.restated is None
            assert kept, "only what had ended or breached, or is the same, keeps its version"
            continue
        assert _promise(clock) == _promise(wanted), clock.metric
        if id in carried and clock.breached_at is not None and clock.breach_at <= limit:
            continue  # a miss that had happened before it was asked for went over in a merge
        if wanted.breached_at is None or wanted.breach_at > limit:
            assert (clock.breached_at is None) == (wanted.breached_at is None)
            if clock.state == "running":
                assert (clock.due_at, clock.breach_at) == (wanted.due_at, wanted.breach_at)
        else:
            late = clock.breached_at is None or clock.breach_at >= limit
            assert late or clock.restated is None, "not before it was asked for"


def _promise(clock: Clock) -> tuple[Any, ...]:
    life = tuple((segment.start, segment.end, segment.calendar, segment.why) for segment in clock.segments)
    return clock.policy, clock.target_seconds, clock.state, clock.reason, clock.ended_at, life
