"""A clock's row: what was promised and whether it was kept; an announced breach stands until it is withdrawn."""

from typing import Any

from pointsman.contracts import sla
from pointsman_metrics.fold.clock import Clock, fold_clock, start_clock
from tests.unit.metrics.desk_facts import at

SAME: dict[str, Any] = {
    "clock_id": "clk_1",
    "ticket_id": "tkt_1",
    "metric": "first_response",
    "cycle": 1,
    "policy": "vip",
}


def started(target: int = 60) -> sla.ClockStarted:
    return sla.ClockStarted(
        **SAME,
        calendar="always",
        config_version=1,
        target_seconds=target,
        started_at=at(0),
        due_at=at(target),
        breach_at=at(target),
    )


def met(seconds: float, breached_before: bool = False) -> sla.ClockMet:
    return sla.ClockMet(
        **SAME,
        met_at=at(seconds),
        due_at=at(60),
        elapsed_business_seconds=seconds,
        elapsed_calendar_seconds=seconds,
        breached_before=breached_before,
    )


BREACHED = sla.ClockBreached(
    **SAME, target_seconds=60, due_at=at(60), breach_at=at(60), fired_at=at(60.004), lateness_seconds=0.004
)
CANCELLED = sla.ClockCancelled(**SAME, reason="duplicate")


def clock_after(*facts: Any) -> Clock:
    clock = start_clock("acme", started())
    for fact in facts:
        fold_clock(clock, fact, at(70))
    return clock


def test_a_clock_met_in_time() -> None:
    clock = clock_after(met(30))
    assert (clock.state, clock.breached, clock.elapsed_business_seconds) == ("met", False, 30)


def test_a_breach_stays_when_the_reply_comes_later() -> None:
    clock = clock_after(BREACHED, met(70, breached_before=True))
    assert (clock.state, clock.breached, clock.lateness_seconds) == ("met", True, 0.004)


def test_a_breach_that_happened_stays_when_the_clock_is_cancelled() -> None:
    clock = clock_after(BREACHED, CANCELLED)
    assert (clock.state, clock.breached, clock.reason) == ("cancelled", True, "duplicate")


def test_a_withdrawn_breach_was_none() -> None:
    correction = sla.ClockCorrected(**SAME, withdraws="breach", reason="a reply in time came late", met_at=at(50))
    clock = clock_after(BREACHED, correction)
    assert (clock.state, clock.breached, clock.met_at, clock.withdrawn_count) == ("met", False, at(50), 1)


def test_a_resumed_clock_has_its_new_due_time() -> None:
    paused = sla.ClockPaused(**SAME, reason="pending", elapsed_business_seconds=20, elapsed_calendar_seconds=20)
    resumed = sla.ClockResumed(**SAME, target_seconds=60, due_at=at(90), breach_at=at(90))
    assert clock_after(paused).state == "paused"
    clock = clock_after(paused, resumed)
    assert (clock.state, clock.due_at) == ("running", at(90))


def restated(**changes: Any) -> sla.ClockRestated:
    was = sla.ClockPromise(
        policy="vip", calendar="always", config_version=1, target_seconds=60, due_at=at(60), breach_at=at(60)
    )
    return sla.ClockRestated(
        **{
            **SAME,
            "job_id": "job_1",
            "calendar": "office",
            "config_version": 2,
            "target_seconds": 120,
            "due_at": at(120),
            "breach_at": at(120),
            "was": was,
            "state": "running",
            "elapsed_business_seconds": 20,
            "elapsed_calendar_seconds": 20,
            "restated_at": at(20),
            **changes,
        }
    )


def test_a_restated_clock_has_what_is_promised_now() -> None:
    clock = clock_after(restated())
    assert (clock.calendar, clock.config_version, clock.target_seconds, clock.due_at) == ("office", 2, 120, at(120))
    assert (clock.breached, clock.retargeted) == (False, True)


def test_an_announced_breach_that_is_restated_stays_with_what_had_been_promised() -> None:
    clock = clock_after(BREACHED, restated(breach_stands=True))
    assert (clock.breached, clock.target_seconds, clock.due_at, clock.config_version) == (True, 60, at(60), 1)


def test_an_answer_told_after_the_ticket_ended_still_met_its_clock() -> None:
    clock = clock_after(CANCELLED, met(30))
    assert (clock.state, clock.reason, clock.ended_at) == ("met", None, at(30))
