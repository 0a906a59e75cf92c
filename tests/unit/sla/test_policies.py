"""Policies: first match wins, targets per priority, warnings, and what a changed label does to running clocks."""

import pytest

from pointsman_sla.clocks.policy import part_of, read_book
from tests.unit.sla.builders import (
    Story,
    a_document,
    a_policy,
    answered,
    assigned,
    labelled,
    minutes_of,
    opened,
    pended,
    queued,
    reopened,
    resolved,
)

VIP = a_policy(name="vip", match={"customer_tier": ["vip"]}, targets={"first_response": {"default": 300}})


def plan_of(story: Story, metric: str = "first_response") -> list[tuple[float, str]]:
    return [(minutes_of(at), step) for at, step in story.clock(metric).plan]


def test_the_first_policy_that_matches_wins() -> None:
    assert Story(VIP, a_policy()).tell(0, *opened(0, tier="vip")).clock("first_response").policy == "vip"
    assert Story(VIP, a_policy()).tell(0, *opened(0)).clock("first_response").policy == "standard"
    assert Story(a_policy(), VIP).tell(0, *opened(0, tier="vip")).clock("first_response").policy == "standard"


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ({"channel": ["email"]}, True),
        ({"channel": "chat"}, False),
        ({"connector": ["support-mail"]}, True),
        ({"queue": ["billing"]}, True),
        ({"priority": ["high", "urgent"]}, True),
        ({"category": ["other"]}, True),
        ({"organization": ["globex"]}, False),
        ({"tags": ["blue", "red"]}, True),
        ({"tags": ["blue"]}, False),
        ({"language": ["en"]}, True),
        ({"channel": ["email"], "queue": ["general"]}, False),
    ],
)
def test_every_field_of_a_match_must_hold_with_one_of_its_values(match: dict[str, object], matches: bool) -> None:
    story = Story(a_policy(match=match)).tell(0, *opened(0, queue="billing", priority="high", tags=("red",)))
    assert bool(story.ticket.clocks) is matches  # type: ignore[union-attr]


def test_without_a_policy_nothing_is_measured() -> None:
    story = Story(VIP).tell(0, *opened(0)).tell(5, answered(5))
    assert story.facts == []


def test_a_target_may_be_of_one_priority_and_in_another_calendar() -> None:
    targets = {"first_response": {"urgent": 600}, "resolution": {"default": {"seconds": 36000, "calendar": "always"}}}
    story = Story(a_policy(targets=targets)).tell(0, *opened(0, priority="low"))
    assert list(story.ticket.clocks) == ["resolution"]  # type: ignore[union-attr]
    assert (story.clock("resolution").calendar, minutes_of(story.clock("resolution").due_at)) == ("always", 600)


def test_warnings_come_at_shares_of_the_target_and_at_lead_times() -> None:
    story = Story(a_policy(warn={"shares": [0.5, 0.8], "lead_seconds": [60]})).tell(0, *opened(0))
    assert plan_of(story) == [(30, "share:0.5"), (48, "share:0.8"), (59, "lead:60"), (60, "breach")]


def test_a_lead_longer_than_the_target_warns_of_nothing() -> None:
    story = Story(a_policy(warn={"lead_seconds": [3600, 7200]})).tell(0, *opened(0))
    assert plan_of(story) == [(60, "breach")]


def test_without_warn_the_documents_defaults_hold() -> None:
    policy = a_policy()
    del policy["warn"]
    assert [step for _, step in plan_of(Story(policy).tell(0, *opened(0)))] == [
        "share:0.5", "share:0.8", "lead:60", "breach",
    ]  # fmt: skip


def test_a_higher_priority_carries_the_elapsed_time_over() -> None:
    story = Story().tell(0, *opened(0)).tell(5, labelled("urgent"))
    resumed = story.last[0]
    assert (resumed.type, resumed.target_seconds, resumed.retargeted) == ("clock.resumed", 600, True)
    assert minutes_of(story.clock("first_response").due_at) == 10
    assert plan_of(story) == [(5, "share:0.5"), (9, "lead:60"), (10, "breach")]


def test_a_target_that_is_exceeded_already_breaches_now_and_is_marked() -> None:
    story = Story().tell(0, *opened(0)).tell(20, labelled("urgent"))
    assert plan_of(story) == [(20, "breach")]
    story.fire("first_response", 20)
    assert story.last[0].retargeted
    assert minutes_of(story.clock("first_response").due_at) == 10


def test_of_the_warnings_already_passed_only_the_latest_fires() -> None:
    policy = a_policy(warn={"shares": [0.2, 0.4, 0.6, 0.9]})
    story = Story(policy).tell(0, *opened(0)).tell(7, labelled("urgent"))
    assert plan_of(story) == [(6, "share:0.6"), (9, "share:0.9"), (10, "breach")]


def test_a_warning_that_a_shorter_target_passed_over_does_not_come_with_a_later_pause() -> None:
    policy = a_policy(warn={"shares": [0.2, 0.4, 0.6, 0.9]}, pause_on={"first_response": ["customer"]})
    story = Story(policy).tell(0, *opened(0)).tell(7, labelled("urgent")).fire("first_response", 7)
    story.tell(8, pended()).tell(9, assigned())
    assert plan_of(story) == [(10, "share:0.9"), (11, "breach")]


def test_an_announced_breach_keeps_its_instant_through_later_pauses() -> None:
    policy = a_policy(warn={}, pause_on={"first_response": ["customer"]})
    story = Story(policy).tell(0, *opened(0)).tell(20, labelled("urgent")).fire("first_response", 20)
    story.tell(30, pended()).tell(40, assigned())
    assert minutes_of(story.clock("first_response").breach_at) == 20


def test_labels_changed_while_resolved_hold_when_it_is_reopened() -> None:
    story = Story(a_policy(targets={"resolution": {"default": 28_800, "urgent": 7200}}, warn={}))
    story.tell(0, *opened(0)).tell(10, resolved()).tell(20, labelled("urgent")).tell(30, reopened(), queued())
    assert (story.clock("resolution").target_seconds, minutes_of(story.clock("resolution").due_at)) == (7200, 140)


def test_a_lower_priority_gives_more_time_and_warnings_that_fired_stay_fired() -> None:
    story = Story().tell(0, *opened(0, priority="urgent")).fire("first_response", 5).tell(6, labelled("normal"))
    assert plan_of(story) == [(59, "lead:60"), (60, "breach")]


def test_a_breach_that_happened_stays() -> None:
    story = Story(a_policy(warn={})).tell(0, *opened(0, priority="urgent")).fire("first_response", 10)
    story.tell(11, labelled("normal"))
    clock = story.clock("first_response")
    assert (clock.breached_at is not None, clock.plan, clock.target_seconds) == (True, (), 600)
    story.tell(12, answered(12))
    assert story.last[0].breached_before


def test_another_calendar_counts_only_from_the_change_on() -> None:
    around = a_policy(name="around", match={"tags": ["night"]}, calendar="always")
    story = Story(around, a_policy()).tell(7.5 * 60, *opened(7.5 * 60))
    assert minutes_of(story.clock("first_response").due_at) == 24 * 60 + 30
    story.tell(8 * 60 + 20, labelled("normal", tags=("night",)))
    assert minutes_of(story.clock("first_response").due_at) == 8 * 60 + 20 + 30, "half an hour was gone at closing"


def test_a_transfer_to_a_queue_with_another_policy_retargets() -> None:
    fast = a_policy(name="fast", match={"queue": ["fast"]}, targets={"first_response": {"default": 1200}})
    story = Story(fast, a_policy()).tell(0, *opened(0)).tell(5, queued("fast", "transferred"))
    assert story.types("first_response") == ["clock.resumed"]
    assert (story.clock("first_response").queue, minutes_of(story.clock("first_response").due_at)) == ("fast", 20)
    assert story.clock("resolution").reason == "no_target"


def test_what_is_measured_only_now_counts_from_when_it_would_have_begun() -> None:
    slow = a_policy(name="slow", match={"queue": ["slow"]}, targets={"first_response": {"default": 7200}})
    story = Story(slow, a_policy()).tell(0, *opened(0, queue="slow")).tell(10, pended()).tell(40, assigned("a", "fast"))
    clock = story.clock("resolution")
    assert minutes_of(clock.started_at) == 0
    assert [(minutes_of(s.start), s.why) for s in clock.segments] == [
        (0, None), (10, "pending on the customer"), (40, None),
    ]  # fmt: skip


def test_a_label_that_selects_the_same_target_changes_nothing() -> None:
    assert Story().tell(0, *opened(0)).tell(5, labelled("normal", tags=("x",))).last == []


def test_a_calendar_that_never_opens_leaves_the_clock_without_a_timer() -> None:

    document = a_document(calendars={"office": {"tz": "UTC", "week": {}}})
    story = Story(book=read_book(1, part_of(document))).tell(0, *opened(0))
    assert story.clock("first_response").plan == ()
    story.tell(5, answered(5))
    assert story.types("first_response") == ["clock.met"]
