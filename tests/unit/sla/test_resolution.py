"""resolution, requester_wait, agent_work and assignment: pauses, ends, and what reopening makes of them."""

import pytest

from tests.unit.sla.builders import (
    Story,
    a_policy,
    answered,
    assigned,
    closed,
    minutes_of,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    snoozed,
    woken,
    wrote,
)

WORK = {"resolution": {"default": 28800}, "requester_wait": {"default": 28800}, "agent_work": {"default": 7200},
        "assignment": {"default": 600}}  # fmt: skip


def test_resolution_is_met_only_by_solved() -> None:
    story = Story().tell(0, *opened(0)).tell(30, resolved("solved"))
    assert story.types("resolution") == ["clock.met"]


@pytest.mark.parametrize("outcome", ["no_reply_needed", "spam", "duplicate", "abandoned"])
def test_any_other_outcome_cancels_it_and_is_its_reason(outcome: str) -> None:
    story = Story().tell(0, *opened(0)).tell(30, resolved(outcome))
    clock = story.clock("resolution")
    assert (clock.state, clock.reason) == ("cancelled", outcome)


def test_resolving_ends_every_clock() -> None:
    story = Story(a_policy(targets={**WORK, "first_response": {"default": 60}})).tell(0, *opened(0))
    story.tell(1, assigned()).tell(30, resolved("duplicate"))
    states = {metric: clock.state for metric, clock in story.ticket.clocks.items()}  # type: ignore[union-attr]
    assert states == {"resolution": "cancelled", "requester_wait": "met", "first_response": "cancelled",
                      "agent_work": "met", "assignment": "met"}  # fmt: skip


def test_closing_without_resolving_cancels_and_a_merge_says_so() -> None:
    assert Story().tell(0, *opened(0)).tell(5, closed("tkt_2")).clock("resolution").reason == "merged"
    assert Story().tell(0, *opened(0)).tell(5, closed()).clock("resolution").reason == "closed"


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        (pended("customer"), "pending on the customer"),
        (pended("third_party"), "pending on a third party"),
        (snoozed(), "snoozed"),
    ],
)
def test_it_pauses_where_the_policy_says_and_says_why(pause: object, words: str) -> None:
    story = Story().tell(0, *opened(0)).tell(10, pause)
    assert (story.last[-1].type, story.last[-1].reason) == ("clock.paused", words)
    assert story.last[-1].elapsed_business_seconds == 600
    story.tell(100, woken(), assigned())
    assert minutes_of(story.clock("resolution").segments[-1].start) == 100
    assert story.clock("resolution").breach_at - story.clock("resolution").due_at == 0
    story.tell(110, resolved())
    met = story.fact("clock.met", "resolution")
    assert (met.elapsed_business_seconds, met.elapsed_calendar_seconds) == (1200, 1200)


def test_an_absent_pause_on_pauses_nothing() -> None:
    story = Story(a_policy(pause_on={})).tell(0, *opened(0)).tell(10, pended())
    assert story.last == []


def test_from_one_pause_to_another_only_the_reason_changes() -> None:
    story = Story().tell(0, *opened(0)).tell(10, pended()).tell(20, snoozed())
    assert [fact.reason for fact in story.last] == ["snoozed"]
    story.tell(30, woken(), queued())
    assert minutes_of(story.clock("resolution").due_at) == 24 * 60 + 20, "eight hours of office and twenty minutes"


def test_a_paused_clock_has_no_timer() -> None:
    story = Story().tell(0, *opened(0)).tell(10, pended())
    assert story.clock("resolution").plan == ()


def test_reopening_continues_and_the_closed_time_is_a_pause() -> None:
    story = Story().tell(0, *opened(0)).tell(60, answered(60), resolved())
    story.tell(300, wrote(300), reopened(), queued())
    clock = story.clock("resolution")
    assert (clock.cycle, clock.state, story.types("resolution")) == (1, "running", ["clock.resumed"])
    story.tell(330, resolved())
    assert story.fact("clock.met", "resolution").elapsed_business_seconds == 90 * 60


def test_or_restarts_by_policy() -> None:
    story = Story(a_policy(reopen="restart")).tell(0, *opened(0)).tell(60, answered(60), resolved())
    story.tell(300, wrote(300), reopened(), queued())
    clock = story.clock("resolution")
    assert (clock.cycle, minutes_of(clock.started_at)) == (2, 300)


def test_requester_wait_pauses_only_on_the_customer() -> None:
    story = Story(a_policy(targets=WORK, pause_on={})).tell(0, *opened(0))
    story.tell(10, pended("third_party"))
    assert story.clock("requester_wait").state == "running"
    story.tell(20, pended("customer"))
    assert story.clock("requester_wait").state == "paused"


def test_agent_work_counts_only_while_assigned() -> None:
    story = Story(a_policy(targets=WORK)).tell(0, *opened(0)).tell(10, assigned()).tell(20, pended())
    story.tell(40, woken(), queued()).tell(50, assigned("boris")).tell(65, resolved())
    met = next(fact for fact in story.last if fact.metric == "agent_work")
    assert met.elapsed_business_seconds == 25 * 60


def test_assignment_is_one_cycle_per_queueing() -> None:
    story = Story(a_policy(targets=WORK)).tell(0, *opened(0)).tell(3, queued(reason="expired")).tell(5, assigned())
    met = story.fact("clock.met", "assignment")
    assert (met.cycle, met.elapsed_business_seconds) == (1, 300)
    story.tell(20, queued()).tell(30, assigned("boris"))
    met = story.fact("clock.met", "assignment")
    assert (met.cycle, met.elapsed_business_seconds) == (2, 600)


def test_a_message_that_wakes_and_reassigns_in_one_record_resumes_once() -> None:
    story = Story().tell(0, *opened(0)).tell(5, assigned(), answered(5)).tell(10, pended())
    story.tell(40, wrote(40), woken(), assigned())
    assert story.types("resolution") == ["clock.resumed"]
