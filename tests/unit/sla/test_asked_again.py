"""What was unanswered when a ticket was resolved is unanswered again when it is reopened without a new message."""

from typing import Any

import pytest

from tests.unit.sla.builders import (
    Story,
    a_policy,
    answered,
    elsewhere,
    minutes_of,
    opened,
    queued,
    reopened,
    resolved,
    wrote,
)

TARGETS = {"first_response": {"default": 3600}, "next_response": {"default": 3600}, "update": {"default": 7200}}


def a_story(**policy: Any) -> Story:
    """Answered at minute 10, asked again at 20, resolved by mistake at 30."""
    story = Story(a_policy(calendar="always", targets=TARGETS, warn={}, **policy))
    story.tell(0, *opened(0)).tell(10, answered(10)).tell(20, wrote(20))
    return story.tell(30, resolved("no_reply_needed"))


def test_the_customers_question_has_its_clock_again_and_the_closed_time_is_a_pause() -> None:
    story = a_story().tell(100, reopened(), queued(reason="reopened"))
    clock = story.clock("next_response")
    assert (clock.state, clock.cycle, minutes_of(clock.started_at)) == ("running", 1, 20)
    assert minutes_of(clock.due_at) == 150, "ten minutes had passed"
    story.tell(120, answered(120))
    assert story.clock("next_response").state == "met"


def test_an_update_is_due_again() -> None:
    story = a_story().tell(100, reopened(), queued(reason="reopened"))
    clock = story.clock("update")
    assert (clock.state, clock.cycle, minutes_of(clock.due_at)) == ("running", 1, 10 + 120 + 70)


def test_by_a_policy_that_restarts_both_begin_anew() -> None:
    story = a_story(reopen="restart").tell(100, reopened(), queued(reason="reopened"))
    for metric, target in (("next_response", 60), ("update", 120)):
        clock = story.clock(metric)
        assert (clock.state, clock.cycle, minutes_of(clock.due_at)) == ("running", 2, 100 + target)


def test_with_a_new_message_that_is_the_question() -> None:
    story = a_story().tell(100, wrote(100), reopened(), queued(reason="reopened"))
    clock = story.clock("next_response")
    assert (clock.state, clock.cycle, minutes_of(clock.started_at)) == ("running", 2, 100)
    assert story.clock("update").state == "cancelled", "the customer's question is what is due"


def test_what_was_answered_meanwhile_is_not_asked_again() -> None:
    story = a_story().tell(40, elsewhere(25)).tell(100, reopened(), queued(reason="reopened"))
    assert story.clock("next_response").state == "met"
    assert story.ticket is not None
    assert story.ticket.unanswered == ()


def test_resolved_and_reopened_twice_it_is_still_the_same_question() -> None:
    story = a_story().tell(100, reopened(), queued(reason="reopened"))
    story.tell(110, resolved()).tell(200, reopened(), queued(reason="reopened"))
    clock = story.clock("next_response")
    assert (clock.cycle, minutes_of(clock.due_at)) == (1, 150 + 90)


def test_one_that_had_breached_is_not_announced_again() -> None:
    story = Story(a_policy(calendar="always", targets=TARGETS, warn={}))
    story.tell(0, *opened(0)).tell(10, answered(10)).tell(20, wrote(20)).fire("next_response", 80)
    story.tell(90, resolved()).tell(100, reopened(), queued(reason="reopened"))
    clock = story.clock("next_response")
    assert (clock.state, clock.overdue, clock.plan) == ("running", True, ())
    assert [fact.type for fact in story.facts].count("clock.breached") == 1


@pytest.mark.parametrize("answers", [(), ("bot",)], ids=["nobody", "a bot"])
def test_without_an_answer_by_a_person_a_new_first_response_begins(answers: tuple[Any, ...]) -> None:
    story = Story(a_policy(calendar="always", targets=TARGETS, warn={}))
    story.tell(0, *opened(0))
    for kind in answers:
        story.tell(5, answered(5, kind=kind))
    story.tell(30, resolved()).tell(100, reopened(), queued(reason="reopened"))
    assert (story.clock("first_response").cycle, minutes_of(story.clock("first_response").started_at)) == (2, 100)
    assert story.ticket is not None
    assert len(story.ticket.unanswered) == 1
