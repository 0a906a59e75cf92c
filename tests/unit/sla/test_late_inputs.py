"""What is read late: points that passed before it fire, and points that should not have fired are withdrawn."""

from typing import Any

from pointsman_sla.clocks.lifecycle import advance
from tests.unit.sla.builders import (
    Story,
    a_book,
    a_policy,
    answered,
    elsewhere,
    labelled,
    minute,
    minutes_of,
    opened,
    pended,
    resolved,
    wrote,
)

QUIET: dict[str, Any] = a_policy(warn={})


def breached(at: float = 61) -> Story:
    """The timer fired for minute 60, before the records of this test were read."""
    return Story(QUIET).tell(0, *opened(0)).fire("first_response", at)


def test_a_reply_in_time_that_is_read_after_the_breach_withdraws_it() -> None:
    story = breached().tell(59, answered(59))
    corrected, met = story.last
    assert (corrected.type, corrected.withdraws, met.type, met.breached_before) == (
        "clock.corrected", "breach", "clock.met", False,
    )  # fmt: skip
    assert story.clock("first_response").breached_at is None


def test_a_reply_at_the_very_instant_is_in_time() -> None:
    assert breached().tell(60, answered(60)).types() == ["clock.corrected", "clock.met"]


def test_a_reply_after_it_leaves_the_breach() -> None:
    story = breached().tell(60.001, answered(60.001))
    assert (story.types(), story.last[0].breached_before) == (["clock.met"], True)


def test_an_answer_written_elsewhere_in_time_withdraws_it() -> None:
    story = breached().tell(90, elsewhere(40))
    assert story.types() == ["clock.corrected", "clock.met"]
    assert minutes_of(story.clock("first_response").ended_at or 0) == 40


def test_even_after_a_later_answer_had_ended_the_clock() -> None:
    story = breached().tell(70, answered(70)).tell(90, elsewhere(40))
    assert story.types() == ["clock.corrected", "clock.met"]
    assert story.last[1].elapsed_business_seconds == 2400


def test_an_answer_told_after_a_later_one_is_the_first() -> None:
    story = Story(QUIET).tell(0, *opened(0)).tell(30, answered(30)).tell(31, elsewhere(10))
    met = story.fact("clock.met", "first_response")
    assert (minutes_of(story.clock("first_response").ended_at or 0), met.elapsed_business_seconds) == (10, 600)


def test_an_answer_told_after_the_ticket_was_resolved_still_answered() -> None:
    story = Story(QUIET).tell(0, *opened(0)).tell(30, resolved()).tell(31, elsewhere(10))
    assert (story.clock("first_response").state, story.types("first_response")) == ("met", ["clock.met"])


def test_a_pause_in_time_withdraws_it() -> None:
    story = Story(a_policy(warn={}, targets={"resolution": {"default": 3600}})).tell(0, *opened(0))
    story.fire("resolution", 61).tell(50, pended())
    assert story.types() == ["clock.corrected", "clock.paused"]


def test_an_ending_in_time_withdraws_it() -> None:
    assert breached().tell(30, resolved("spam")).types("first_response") == ["clock.corrected", "clock.cancelled"]


def test_a_longer_target_in_time_withdraws_it() -> None:
    story = Story(QUIET).tell(0, *opened(0, priority="urgent")).fire("first_response", 11).tell(9, labelled("normal"))
    assert story.types("first_response") == ["clock.corrected", "clock.resumed"]
    assert minutes_of(story.clock("first_response").breach_at) == 60


def test_a_warning_that_lay_after_the_stop_is_withdrawn() -> None:
    story = Story().tell(0, *opened(0)).fire("first_response", 31).tell(29, answered(29))
    assert [(fact.type, getattr(fact, "withdraws", "")) for fact in story.last] == [
        ("clock.corrected", "warning"), ("clock.met", ""),
    ]  # fmt: skip


def test_what_passed_before_a_stop_fires_before_it() -> None:
    story = Story().tell(0, *opened(0)).tell(75, answered(75))
    assert [fact.type for fact in story.last] == ["clock.warned", "clock.warned", "clock.breached", "clock.met"]
    assert story.last[2].late
    assert story.last[3].breached_before


def test_a_ticket_resolved_before_it_was_opened_by_a_skewed_host_counts_from_the_opening() -> None:
    story = Story().tell(10, *opened(10)).tell(5, resolved())
    met = story.last[0]
    assert (met.metric, met.elapsed_business_seconds) == ("resolution", 0)


def test_facts_of_a_ticket_that_was_never_opened_here_are_nothing() -> None:

    assert advance(None, "acme", [wrote(1)], minute(1), lambda version: a_book()) is None


def test_what_was_missed_before_a_pause_is_missed_though_the_answer_that_began_it_is_told_in_the_pause() -> None:
    """An update was due an hour after minute 10. The ticket is pending since minute 80; at 90 the answer is told."""
    policy = a_policy(warn={}, targets={"update": {"default": 3600}})
    story = Story(policy).tell(0, *opened(0)).tell(80, pended()).tell(90, elsewhere(10))
    assert story.types("update") == ["clock.started", "clock.breached", "clock.paused"]
    clock = story.clock("update")
    assert (clock.state, minutes_of(clock.breach_at), clock.plan) == ("paused", 70, ())


def test_a_clock_told_of_in_a_pause_is_due_by_what_it_had_counted_before() -> None:
    policy = a_policy(warn={}, targets={"update": {"default": 3600}})
    story = Story(policy).tell(0, *opened(0)).tell(40, pended()).tell(90, elsewhere(10))
    assert story.types("update") == ["clock.started", "clock.paused"]
    assert minutes_of(story.clock("update").due_at) == 120  # 30 of 60 minutes were counted
