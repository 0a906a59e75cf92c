"""first_response, next_response and update: what starts and stops them."""

from tests.unit.sla.builders import (
    Story,
    a_policy,
    answered,
    assigned,
    elsewhere,
    merged,
    minute,
    minutes_of,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    split,
    woken,
    wrote,
)

ALL_RESPONSES = {
    "first_response": {"default": 3600},
    "next_response": {"default": 7200},
    "update": {"default": 3600},
}


def test_first_response_runs_from_the_opening_to_a_persons_first_public_reply() -> None:
    story = Story().tell(0, *opened(0))
    clock = story.clock("first_response")
    assert (clock.state, minutes_of(clock.started_at), minutes_of(clock.due_at)) == ("running", 0, 60)
    story.tell(25, answered(25))
    met = story.last[0]
    assert (met.type, met.metric, met.elapsed_business_seconds, met.breached_before) == (
        "clock.met", "first_response", 1500, False,
    )  # fmt: skip
    assert story.clock("first_response").plan == ()


def test_a_bot_does_not_answer() -> None:
    story = Story().tell(0, *opened(0)).tell(1, answered(1, kind="bot"))
    assert story.last == []
    assert story.clock("first_response").state == "running"


def test_the_message_that_opened_the_ticket_may_be_told_again_in_the_same_record() -> None:
    story = Story().tell(0, *opened(0), wrote(0, message_id="msg_1"))
    assert story.ticket is not None
    assert len(story.ticket.unanswered) == 1


def test_a_ticket_that_an_agent_started_has_no_response_clock_until_the_customer_writes() -> None:
    story = Story().tell(0, *opened(0, started_by="agent"), answered(0))
    assert [metric for metric in story.ticket.clocks if "response" in metric] == []  # type: ignore[union-attr]
    assert story.clock("resolution").state == "running"
    story.tell(30, wrote(30))
    assert minutes_of(story.clock("first_response").started_at) == 30
    story.tell(35, answered(35))
    assert story.types("first_response") == ["clock.met"]


def test_automatic_mail_starts_no_response_clock() -> None:
    story = Story().tell(0, *opened(0, automatic="out_of_office"))
    assert "first_response" not in story.ticket.clocks  # type: ignore[union-attr]
    story.tell(5, wrote(5, counts=False, automatic="bounce"))
    assert story.last == []
    story.tell(9, wrote(9))
    assert story.types("first_response") == ["clock.started"]


def test_next_response_runs_from_the_oldest_unanswered_message() -> None:
    story = Story().tell(0, *opened(0)).tell(5, answered(5))
    story.tell(10, wrote(10)).tell(20, wrote(20))
    assert minutes_of(story.clock("next_response").started_at) == 10
    story.tell(30, answered(30))
    assert [fact.elapsed_business_seconds for fact in story.last] == [1200]
    story.tell(40, wrote(40))
    clock = story.clock("next_response")
    assert (clock.cycle, minutes_of(clock.started_at)) == (2, 40)


def test_more_messages_before_the_first_answer_change_nothing() -> None:
    story = Story().tell(0, *opened(0)).tell(5, wrote(5))
    assert story.last == []
    story.tell(6, answered(6))
    assert story.types() == ["clock.met"]
    assert "next_response" not in story.ticket.clocks  # type: ignore[union-attr]


def test_an_answer_in_the_providers_own_app_counts_from_when_it_was_written() -> None:
    story = Story().tell(0, *opened(0)).tell(50, elsewhere(20))
    met = story.last[0]
    assert (met.met_at, met.elapsed_business_seconds) == (minute(20), 1200)


def test_an_answer_written_elsewhere_answers_only_what_came_before_it() -> None:
    story = Story().tell(0, *opened(0)).tell(30, wrote(30)).tell(31, elsewhere(20))
    assert story.types() == ["clock.met", "clock.started"]
    assert minutes_of(story.clock("next_response").started_at) == 30


def test_an_answer_written_before_the_question_answers_nothing() -> None:
    story = Story().tell(0, *opened(0)).tell(5, answered(5)).tell(30, wrote(30)).tell(31, elsewhere(20))
    assert story.clock("next_response").state == "running"


def test_a_reopening_after_a_bot_only_resolution_begins_a_new_first_response() -> None:
    story = Story().tell(0, *opened(0)).tell(2, answered(2, kind="bot")).tell(3, resolved())
    assert story.clock("first_response").state == "cancelled"
    story.tell(60, wrote(60), reopened(), queued())
    clock = story.clock("first_response")
    assert (clock.cycle, clock.state, minutes_of(clock.started_at)) == (2, "running", 60)


def test_a_reopening_after_a_persons_answer_begins_a_next_response() -> None:
    story = Story().tell(0, *opened(0)).tell(2, answered(2), resolved())
    story.tell(60, reopened(), wrote(60), queued())
    assert story.clock("first_response").cycle == 1
    assert minutes_of(story.clock("next_response").started_at) == 60


def test_a_message_on_a_resolved_ticket_that_stays_resolved_starts_no_clock() -> None:
    story = Story().tell(0, *opened(0)).tell(2, answered(2), resolved()).tell(3, wrote(3))
    assert story.last == []


def test_update_runs_between_public_answers_and_pauses_while_pending_on_the_customer() -> None:
    story = Story(a_policy(targets=ALL_RESPONSES)).tell(0, *opened(0)).tell(10, assigned(), answered(10))
    assert story.types("update") == ["clock.started"]
    story.tell(20, pended())
    assert story.clock("update").reason == "pending on the customer"
    story.tell(50, wrote(50), woken(), assigned())
    assert minutes_of(story.clock("update").due_at) == 100
    story.tell(60, answered(60))
    assert story.types("update") == ["clock.met", "clock.started"]
    assert story.last[1].elapsed_business_seconds == 20 * 60
    story.tell(70, resolved())
    assert story.clock("update").state == "cancelled"


def test_what_a_merged_ticket_left_unanswered_is_answered_from_then() -> None:
    story = Story().tell(0, *opened(0)).tell(30, merged(-60))
    assert [(fact.type, fact.metric) for fact in story.last] == [
        ("clock.cancelled", "first_response"),
        ("clock.started", "first_response"),
    ]
    clock = story.clock("first_response")
    assert (minutes_of(clock.started_at), clock.cycle, clock.state) == (-60, 2, "running")
    assert story.fact("clock.cancelled", "first_response").reason == "merged"
    story.tell(40, answered(40))
    assert story.fact("clock.met", "first_response").elapsed_calendar_seconds == 100 * 60


def test_a_younger_message_of_a_merged_ticket_changes_no_clock() -> None:
    story = Story().tell(0, *opened(0)).tell(30, merged(20)).tell(31, merged(None))
    assert story.last == []
    assert minutes_of(story.clock("first_response").started_at) == 0


def test_merged_into_an_answered_ticket_the_next_response_runs() -> None:
    story = Story().tell(0, *opened(0)).tell(5, answered(5)).tell(30, merged(10))
    assert story.types() == ["clock.started"]
    assert minutes_of(story.clock("next_response").started_at) == 10


def test_a_merged_ticket_says_nothing_but_its_close() -> None:
    story = Story().tell(0, *opened(0)).tell(5, merged(0, into="tkt_2"))
    assert story.last == []


def test_what_is_split_off_is_due_since_its_oldest_unanswered_message() -> None:
    story = Story().tell(30, *opened(30, split_from="tkt_0", unanswered_since=minute(10)))
    assert minutes_of(story.clock("first_response").started_at) == 10
    assert minutes_of(story.clock("resolution").started_at) == 30
    answered_before = Story().tell(30, *opened(30, split_from="tkt_0"))
    assert "first_response" not in answered_before.ticket.clocks  # type: ignore[union-attr]


def test_what_stays_after_a_split_is_due_since_its_own_oldest() -> None:
    story = Story().tell(0, *opened(0)).tell(20, wrote(20)).tell(30, split(20))
    assert story.types("first_response") == ["clock.cancelled", "clock.started"]
    assert minutes_of(story.clock("first_response").started_at) == 20
    story.tell(40, split(20))
    assert story.last == []
    story.tell(50, split(None))
    assert story.types() == ["clock.cancelled"]
    story.tell(60, wrote(60))
    assert minutes_of(story.clock("first_response").started_at) == 60
