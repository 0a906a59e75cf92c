"""What hosts with wrong clocks and documents with wrong figures lead to: a correction or a refusal, never a timer that
is lost or endless."""

from typing import Any

import pytest

from pointsman.contracts.document import DocumentErrors, read_document
from pointsman_sla.micros import micros
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import (
    Story,
    a_document,
    a_policy,
    answered,
    merged,
    minute,
    minutes_of,
    opened,
    resolved,
    split,
    wrote,
)

QUIET = a_policy(targets={"first_response": {"default": 3600}, "next_response": {"default": 3600}}, warn={})
A_DAY = 24 * 60


def test_a_ticket_that_a_fast_host_opened_in_the_future_counts_from_then_and_ends_all_the_same() -> None:
    lane = LaneOfTests(QUIET)
    lane.tell(0, *opened(5))
    assert lane.of("clock.started")[0].breach_at == minute(65)
    lane.tell(1, answered(1))
    met = lane.of("clock.met")[0]
    assert (met.met_at, met.elapsed_business_seconds) == (minute(5), 0)
    lane.run_to(A_DAY)
    assert lane.of("clock.breached") == []


def test_a_ticket_that_a_slow_host_opened_years_ago_breaches_once_late() -> None:
    lane = LaneOfTests(QUIET)
    lane.tell(0, *opened(-5 * 365 * A_DAY))
    lane.run_to(1)
    assert len(lane.of("clock.breached")) == 1
    assert lane.of("clock.breached")[0].late
    lane.tell(2, answered(2))
    assert lane.of("clock.met")[0].breached_before


def test_resolved_before_it_was_opened_is_resolved_when_it_was_opened() -> None:
    lane = LaneOfTests(a_policy(warn={}))
    lane.tell(10, *opened(10))
    lane.tell(5, resolved())
    lane.run_to(30 * A_DAY)
    assert {clock.ended_at for clock in lane.rows.values()} == {micros(minute(10))}
    assert lane.of("clock.breached") == []


def test_an_answer_that_its_host_dates_in_the_future_counts_from_when_it_was_heard_of() -> None:
    story = Story(QUIET).tell(0, *opened(0))
    story.tell(10, wrote(10, author={"kind": "agent", "id": "anna"}, occurred_at=minute(500)))
    assert minutes_of(story.clock("first_response").ended_at or 0) == 10


def test_an_answer_from_before_the_ticket_counts_from_its_opening() -> None:
    story = Story(QUIET).tell(0, *opened(0))
    story.tell(10, wrote(10, author={"kind": "agent", "id": "anna"}, occurred_at=minute(-500)))
    assert minutes_of(story.clock("first_response").ended_at or 0) == 0


def test_a_message_merged_in_from_the_future_is_due_from_now() -> None:
    story = Story(QUIET).tell(0, *opened(0)).tell(10, answered(10)).tell(20, merged(500))
    assert minutes_of(story.clock("next_response").started_at) == 20


def test_a_message_left_by_a_split_in_the_future_is_due_from_now() -> None:
    story = Story(QUIET).tell(0, *opened(0)).tell(20, split(500))
    assert minutes_of(story.clock("first_response").started_at) == 20


def test_facts_that_come_in_the_wrong_order_count_in_the_order_in_which_they_came() -> None:
    lane = LaneOfTests(QUIET)
    lane.tell(0, *opened(0))
    lane.tell(30, answered(30))
    lane.tell(31, wrote(20))
    assert lane.clock("next_response").started_at == micros(minute(31))


@pytest.mark.parametrize(
    ("targets", "pointer"),
    [
        ({"default": -3600}, "/default"),
        ({"default": 0}, "/default"),
        ({"default": 10**12}, "/default"),
        ({"urgent": {"seconds": -1}}, "/urgent/seconds"),
        ({"urgent": {"seconds": 10**18, "calendar": "always"}}, "/urgent/seconds"),
        ({"default": 1.5}, "/default"),
    ],
)
def test_a_target_that_cannot_be_kept_or_never_ends_is_refused_with_its_place(
    targets: dict[str, Any], pointer: str
) -> None:
    document = a_document(a_policy(targets={"first_response": targets}))
    with pytest.raises(DocumentErrors) as refused:
        read_document(document)
    assert [error.pointer for error in refused.value.errors] == [f"/sla/policies/0/targets/first_response{pointer}"]


@pytest.mark.parametrize(
    "warn", [{"shares": [0]}, {"shares": [1]}, {"shares": [-0.5]}, {"lead_seconds": [0]}, {"lead_seconds": [-60]}]
)
def test_a_warning_outside_the_target_is_refused(warn: dict[str, Any]) -> None:
    with pytest.raises(DocumentErrors):
        read_document(a_document(a_policy(warn=warn)))
