"""A recompute: open tickets' clocks under another version, as if it had been in force since they started."""

from dataclasses import replace
from typing import Any

import pytest

from pointsman_sla.clocks.points import elapsed
from pointsman_sla.clocks.restating import restate
from pointsman_sla.job import JOBS_MAX, STEP_TICKETS_MAX, Job
from pointsman_sla.ledger import ledger
from pointsman_sla.micros import MICROS, micros
from tests.unit.sla.a_lane import ADMIN, LaneOfTests
from tests.unit.sla.builders import (
    OFFICE,
    a_policy,
    answered,
    assigned,
    labelled,
    minute,
    minutes_of,
    opened,
    pended,
    reopened,
    resolved,
    wrote,
)

HOUR = a_policy(targets={"first_response": {"default": 3600}}, warn={})
TWO_HOURS = a_policy(targets={"first_response": {"default": 7200}}, warn={})
TEN_MINUTES = a_policy(targets={"first_response": {"default": 600}}, warn={})


def moved(lane: LaneOfTests, at: float, *policies: Any, version: int = 2, **changes: Any) -> None:
    """A version that is to hold for open tickets too, and the end of its recompute."""
    lane.configure(at, version, *policies, open_clocks="recompute", **changes)
    lane.run_to(at + 1)


# -- what is promised then ---------------------------------------------------------------------------------------------


def test_without_it_an_edit_is_for_later_tickets() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.configure(5, 2, TWO_HOURS, open_clocks="keep")
    lane.tell(6, *opened(6, ticket="tkt_2", config_version=2))
    lane.run_to(61)
    assert [breach.ticket_id for breach in lane.of("clock.breached")] == ["tkt_1"]
    assert minutes_of(lane.clock("first_response", "tkt_2").due_at) == 126


def test_a_longer_target_holds_from_the_start_of_the_clock() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 50, TWO_HOURS)
    restated = lane.of("clock.restated")[0]
    assert (restated.was.target_seconds, restated.was.due_at) == (3600, minute(60))
    assert (restated.target_seconds, restated.due_at, restated.config_version) == (7200, minute(120), 2)
    lane.run_to(200)
    assert [breach.breach_at for breach in lane.of("clock.breached")] == [minute(120)]


def test_a_time_that_is_up_under_the_version_breaches_at_once_and_says_why() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 30, TEN_MINUTES)
    breach = lane.of("clock.breached")[0]
    assert (breach.retargeted, breach.breach_at, breach.due_at) == (True, minute(30), minute(10))
    assert lane.of("clocks.recomputed")[0].gained == 1


def test_a_breach_that_was_announced_stays_and_is_marked_restated() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 70, TWO_HOURS)
    clock = lane.clock("first_response")
    assert (clock.breached_at is not None, clock.restated, clock.target_seconds) == (True, 2, 3600)
    restated = lane.of("clock.restated")[0]
    assert (restated.breach_stands, restated.due_at) == (True, minute(120))
    lane.tell(80, answered(80))
    assert lane.of("clock.met")[0].breached_before, "a reply before the new time takes nothing back"
    assert lane.of("clock.corrected") == []
    assert lane.of("clocks.recomputed")[0].lost == 1


def test_a_breach_that_the_version_would_have_made_too_is_left_alone() -> None:
    lane = LaneOfTests(TEN_MINUTES)
    lane.tell(0, *opened(0))
    moved(lane, 70, HOUR)
    assert lane.of("clock.restated") == []
    assert lane.clock("first_response").restated is None


def test_a_holiday_declared_today_moves_what_is_due_and_names_the_version_in_the_ledger() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 30, HOUR, calendars={"office": {**OFFICE, "days": {"2026-11-23": []}}})
    clock = lane.clock("first_response")
    assert minutes_of(clock.due_at) == 24 * 60 + 60, "nothing of today counts"
    books = lane.state.books
    lines = ledger(clock, micros(minute(25 * 60)), lambda name, v: books["acme", v].calendar(name), lambda *_: None)
    assert {line.version for line in lines} == {2}
    assert lines[-1].business_sum == 3600 * MICROS == elapsed(
        clock, micros(minute(25 * 60)), lambda name, v: books["acme", v].calendar(name)
    )[0]  # fmt: skip


def test_another_calendar_counts_from_the_start_too() -> None:
    lane = LaneOfTests(a_policy(targets={"first_response": {"default": 36_000}}, warn={}))
    lane.tell(7 * 60, *opened(7 * 60))
    moved(lane, 9 * 60, a_policy(calendar=None, targets={"first_response": {"default": 36_000}}, warn={}))
    assert minutes_of(lane.clock("first_response").due_at) == 17 * 60


def test_a_pause_that_the_version_adds_gives_the_time_back() -> None:
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 7200}}, warn={}, pause_on={}))
    lane.tell(0, *opened(0))
    lane.tell(10, pended())
    lane.tell(40, assigned())
    moved(lane, 50, a_policy(targets={"resolution": {"default": 7200}}, warn={}))
    clock = lane.clock("resolution")
    assert [(minutes_of(s.start), s.why) for s in clock.segments] == [
        (0, None), (10, "pending on the customer"), (40, None),
    ]  # fmt: skip
    assert minutes_of(clock.due_at) == 150


def test_a_clock_that_the_version_lets_run_runs() -> None:
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 7200}}, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(10, pended())
    moved(lane, 50, a_policy(targets={"resolution": {"default": 7200}}, warn={}, pause_on={}))
    assert lane.clock("resolution").state == "running"
    assert lane.of("clock.restated")[0].state == "running"
    assert minutes_of(lane.clock("resolution").due_at) == 120


def test_the_policy_is_matched_anew() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 5, a_policy(name="mail", match={"channel": ["email"]}, targets=TWO_HOURS["targets"], warn={}), HOUR)
    assert lane.clock("first_response").policy == "mail"


def test_what_the_version_does_not_measure_ends_and_what_it_measures_anew_starts_when_it_would_have() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 5, a_policy(targets={"resolution": {"default": 7200}}, warn={}))
    assert lane.clock("first_response").reason == "no_target"
    assert minutes_of(lane.clock("resolution").started_at) == 0
    done = lane.of("clocks.recomputed")[0]
    assert (done.restated, done.started, done.cancelled) == (0, 1, 1)


def test_without_any_policy_every_clock_ends_and_its_alert_resolves() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.run_to(65)
    moved(lane, 70, a_policy(match={"channel": ["chat"]}))
    assert lane.of("clock.cancelled")[0].reason == "no_target"
    assert len(lane.of("alert.resolved")) == 1
    assert lane.clock("first_response").breached_at is not None, "the breach is history"


def test_a_warning_that_lies_ahead_again_leaves_its_alert_and_comes_again() -> None:
    warned = a_policy(targets={"first_response": {"default": 3600}}, warn={"shares": [0.5]})
    lane = LaneOfTests(warned)
    lane.tell(0, *opened(0))
    moved(lane, 40, {**warned, "targets": {"first_response": {"default": 7200}}})
    assert [fact.reason for fact in lane.of("alert.resolved")] == ["restated"]
    lane.run_to(61)
    assert [fact.warned_at for fact in lane.of("clock.warned")] == [minute(30), minute(60)]


def test_a_warning_that_lies_behind_stays() -> None:
    warned = a_policy(targets={"first_response": {"default": 3600}}, warn={"shares": [0.5]})
    lane = LaneOfTests(warned)
    lane.tell(0, *opened(0))
    moved(lane, 40, {**warned, "targets": {"first_response": {"default": 4200}}})
    lane.run_to(60)
    assert len(lane.of("clock.warned")) == 1
    assert lane.of("alert.resolved") == []


def test_a_clock_that_has_ended_is_not_touched() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.tell(30, answered(30))
    before = lane.clock("first_response")
    moved(lane, 40, TEN_MINUTES)
    assert lane.clock("first_response") == before


def test_a_resolved_ticket_keeps_its_version_also_when_it_is_reopened() -> None:
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 7200}}, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(30, resolved())
    moved(lane, 40, a_policy(targets={"resolution": {"default": 600}}, warn={}))
    lane.tell(50, reopened())
    assert (lane.clock("resolution").target_seconds, lane.clock("resolution").version) == (7200, 1)


def test_later_clocks_of_the_ticket_are_of_the_version_too() -> None:
    lane = LaneOfTests(a_policy(targets={"next_response": {"default": 3600}}, warn={}))
    lane.tell(0, *opened(0))
    moved(lane, 5, a_policy(targets={"next_response": {"default": 600}}, warn={}))
    lane.tell(10, answered(10))
    lane.tell(20, wrote(20))
    assert (lane.clock("next_response").target_seconds, lane.clock("next_response").version) == (600, 2)


def test_where_the_version_says_the_same_nothing_is_told_and_the_clock_keeps_its_version() -> None:
    other = a_policy(name="chat", match={"channel": ["chat"]}, targets={"first_response": {"default": 60}})
    lane = LaneOfTests(other, HOUR)
    lane.tell(0, *opened(0))
    moved(lane, 5, {**other, "targets": {"first_response": {"default": 30}}}, HOUR)
    assert lane.of("clock.restated") == []
    assert lane.clock("first_response").version == 1
    assert lane.state.tickets["tkt_1"].config_version == 2


def test_a_stretch_from_before_another_label_counts_in_its_own_calendar_as_the_version_has_it() -> None:
    night = a_policy(name="night", match={"tags": ["night"]}, calendar="nights", targets=TWO_HOURS["targets"], warn={})
    nights = {"tz": "UTC", "always": True}
    lane = LaneOfTests(document={"workspace": "acme", "timezone": "UTC", "calendars": {"office": OFFICE,
                                 "nights": nights}, "sla": {"policies": [night, TWO_HOURS]}})  # fmt: skip
    lane.tell(7 * 60 + 30, *opened(7 * 60 + 30))
    lane.tell(8 * 60 + 10, labelled("normal", tags=("night",)))
    assert minutes_of(lane.clock("first_response").due_at) == 8 * 60 + 10 + 90
    late = {**OFFICE, "week": {"mon": [["09:00", "17:05"]], "tue": [["09:00", "17:00"]]}}
    moved(lane, 8 * 60 + 20, night, TWO_HOURS, calendars={"office": late, "nights": nights})
    assert minutes_of(lane.clock("first_response").due_at) == 8 * 60 + 10 + 85, "five minutes more had counted"


def test_a_second_recompute_under_the_same_version_changes_nothing() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.tell(5, *opened(5, ticket="tkt_2"))
    lane.run_to(62)
    moved(lane, 63, TWO_HOURS)
    told = len(lane.facts)
    lane.recompute(70)
    lane.run_to(71)
    assert [fact.type for fact in lane.facts[told:]] == ["clocks.recomputed"]
    assert lane.facts[-1].restated == 0


# -- the job -----------------------------------------------------------------------------------------------------------


def test_it_is_an_event_itself_that_says_who_asked_and_what_came_of_it() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.configure(5, 2, TWO_HOURS)
    decision = lane.recompute(6, reason="longer hours")
    assert (decision.status, set(decision.answer or ())) == (202, {"job_id"})
    lane.run_to(7)
    done = lane.of("clocks.recomputed")[0]
    assert (done.by, done.reason, done.config_version, done.tickets, done.restated) == (ADMIN, "longer hours", 2, 1, 1)
    assert done.job_id == lane.of("clock.restated")[0].job_id == (decision.answer or {})["job_id"]


def test_steps_are_bounded_and_what_is_due_fires_between_them() -> None:
    lane = LaneOfTests(HOUR)
    count = STEP_TICKETS_MAX * 2 + 10
    for number in range(count):
        lane.tell(0, *opened(0, ticket=f"tkt_{number:04}"))
    lane.configure(5, 2, TWO_HOURS, open_clocks="recompute")
    job = lane.state.jobs.head
    steps = []
    while lane.state.jobs.head is not None:
        earliest = lane.logic.earliest(lane.state)
        lane.run_to((earliest["recompute"] - minute(0)).total_seconds() / 60)
        steps.append(len(lane.of("clock.restated")))
    assert steps == [STEP_TICKETS_MAX, 2 * STEP_TICKETS_MAX, count]
    assert job is not None
    assert lane.of("clocks.recomputed")[0].tickets == count


def test_a_dry_run_names_who_gains_and_who_loses_a_breach_and_changes_nothing() -> None:
    lane = LaneOfTests(a_policy(targets={"first_response": {"default": 3600, "urgent": 600}}, warn={}))
    lane.tell(0, *opened(0, ticket="tkt_1", priority="urgent"))
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.run_to(20)
    lane.configure(21, 2, a_policy(targets={"first_response": {"default": 600, "urgent": 3600}}, warn={}))
    before = {id: replace(ticket) for id, ticket in lane.state.tickets.items()}
    told = len(lane.facts)
    lane.recompute(22, dry_run=True)
    job = lane.state.jobs.head
    assert job is not None
    kept: dict[str, Any] = {}
    lane.logic.committed = lambda state: kept.update(state.jobs.changed)  # type: ignore[method-assign]
    lane.run_to(23)
    done = kept[job.id]
    assert done.finished_at is not None
    assert ([one["ticket_id"] for one in done.gained], [one["ticket_id"] for one in done.lost]) == (
        ["tkt_2"], ["tkt_1"],
    )  # fmt: skip
    assert (lane.state.tickets, lane.facts[told:]) == (before, [])


@pytest.mark.parametrize(
    ("restricted", "concerned"),
    [
        ({"policies": ("vip",)}, {"tkt_1"}),
        ({"policies": ("standard",)}, {"tkt_2"}),
        ({"calendars": ("office",)}, {"tkt_2"}),
        ({"calendars": ("always",)}, {"tkt_1"}),
        ({"policies": ("vip",), "calendars": ("office",)}, {"tkt_1", "tkt_2"}),
        ({}, {"tkt_1", "tkt_2"}),
    ],
)
def test_it_can_be_restricted_to_policies_and_calendars(restricted: dict[str, Any], concerned: set[str]) -> None:
    vip = a_policy(name="vip", match={"customer_tier": ["vip"]}, calendar=None, targets=HOUR["targets"], warn={})
    lane = LaneOfTests(vip, HOUR)
    lane.tell(0, *opened(0, ticket="tkt_1", tier="vip"))
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.configure(5, 2, {**vip, "targets": TWO_HOURS["targets"]}, TWO_HOURS)
    lane.recompute(6, **restricted)
    lane.run_to(7)
    assert {fact.ticket_id for fact in lane.of("clock.restated")} == concerned


def test_it_takes_in_the_tickets_that_a_new_policy_would_get() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.configure(
        5, 2, a_policy(name="mail", match={"channel": ["email"]}, targets=TWO_HOURS["targets"], warn={}), HOUR
    )
    lane.recompute(6, policies=("mail",))
    lane.run_to(7)
    assert lane.clock("first_response").policy == "mail"


def test_names_that_the_version_has_not_are_refused_with_their_place() -> None:
    lane = LaneOfTests(HOUR)
    refusal = lane.recompute(1, policies=("standard", "gold"), calendars=("nights",)).refusal
    assert refusal is not None
    assert (refusal.status, [error["pointer"] for error in refusal.extra["errors"]]) == (
        422, ["/policies/1", "/calendars/0"],
    )  # fmt: skip


def test_too_many_at_once_are_refused() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    for number in range(JOBS_MAX):
        id = f"job_{number}"
        lane.state.jobs.open[id] = Job(id, "acme", 1, ADMIN, minute(500), minute(500))
    refusal = lane.recompute(1).refusal
    assert refusal is not None
    assert refusal.code == "too-many-jobs"


def test_a_ticket_that_cannot_be_recomputed_is_counted_and_the_others_go_on() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0, ticket="tkt_1"))
    lane.tell(0, *opened(0, ticket="tkt_2"))
    broken = lane.state.tickets["tkt_1"]
    clock = replace(broken.clocks["first_response"], segments=())
    lane.state.tickets["tkt_1"] = replace(broken, clocks={"first_response": clock})
    moved(lane, 5, TWO_HOURS)
    done = lane.of("clocks.recomputed")[0]
    assert (done.failed, done.restated) == (1, 1)
    assert lane.clock("first_response").segments == ()


def test_a_job_that_waited_for_another_recomputes_from_when_its_turn_comes() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.configure(5, 2, TWO_HOURS, open_clocks="recompute")
    cause = lane.logic.due(lane.state, "recompute", minute(5), 1)[0]
    assert lane.logic.decide(lane.state, cause, minute(9)).emissions == (), "it is put off once, to now"
    lane.run_to(10)
    assert minute(9) < lane.of("clock.restated")[0].restated_at < minute(10)
    assert lane.of("clocks.recomputed")[0].tickets == 1


def test_a_step_that_was_done_already_is_nothing() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    lane.configure(5, 2, TWO_HOURS, open_clocks="recompute")
    cause = lane.logic.due(lane.state, "recompute", minute(6), 1)[0]
    lane.run_to(6)
    assert lane.logic.decide(lane.state, cause, minute(6)).emissions == ()


def test_the_same_book_restates_nothing() -> None:
    lane = LaneOfTests(HOUR)
    lane.tell(0, *opened(0))
    ticket = lane.state.tickets["tkt_1"]
    course = restate(ticket, micros(minute(5)), lambda version: lane.state.book("acme", version), 1, "job_1")
    assert course.finished() == ticket
