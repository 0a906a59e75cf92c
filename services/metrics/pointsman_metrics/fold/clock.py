"""One row per clock, folded from sla's facts: what was promised, and whether it was kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pointsman.contracts import sla
from pointsman.core.instant import Instant


@dataclass
class Clock:
    """A clock as sla announced it. The field order is the table's column order (migrations 0001, 0002).

    `breached` tells that a breach was announced and stands; `state` goes on to `met` or `cancelled` after it. Elapsed
    seconds are sla's own, business and calendar of one span, as of the last fact that named them; `first_met_…` as of
    the first time that the clock was met (a reopened ticket's clock goes on and is met again).
    """

    workspace: str
    clock_id: str
    ticket_id: str
    metric: str
    cycle: int
    policy: str
    calendar: str
    config_version: int
    queue: str | None
    priority: str | None
    target_seconds: int
    started_at: Instant
    due_at: Instant
    breach_at: Instant
    state: str = "running"
    reason: str | None = None
    breached: bool = False
    retargeted: bool = False
    fired_at: Instant | None = None
    lateness_seconds: float | None = None
    warning_count: int = 0
    withdrawn_count: int = 0
    met_at: Instant | None = None
    ended_at: Instant | None = None
    elapsed_business_seconds: float | None = None
    elapsed_calendar_seconds: float | None = None
    first_met_business_seconds: float | None = None
    first_met_calendar_seconds: float | None = None

    def copy(self) -> "Clock":
        """A clock to fold the next facts into, so that this one can stand again when they are taken back."""
        twin = object.__new__(Clock)
        twin.__dict__.update(self.__dict__)
        return twin


def start_clock(workspace: str, fact: sla.ClockStarted) -> Clock:
    """The row of a clock that began to run."""
    return Clock(
        workspace=workspace,
        clock_id=fact.clock_id,
        ticket_id=fact.ticket_id,
        metric=fact.metric,
        cycle=fact.cycle,
        policy=fact.policy,
        calendar=fact.calendar,
        config_version=fact.config_version,
        queue=fact.queue,
        priority=fact.priority,
        target_seconds=fact.target_seconds,
        started_at=fact.started_at,
        due_at=fact.due_at,
        breach_at=fact.breach_at,
        breached=fact.breached_at is not None,
        fired_at=fact.breached_at,
    )


def fold_clock(clock: Clock, fact: Any, at: Instant) -> None:
    """Folds one fact, decided at `at`, into the clock."""
    rule = RULES.get(type(fact))
    if rule is not None:
        rule(clock, fact, at)


def _paused(clock: Clock, fact: sla.ClockPaused, at: Instant) -> None:
    clock.state, clock.reason = "paused", fact.reason
    clock.met_at = clock.ended_at = None  # also when it goes on after an end
    clock.elapsed_business_seconds = fact.elapsed_business_seconds
    clock.elapsed_calendar_seconds = fact.elapsed_calendar_seconds


def _resumed(clock: Clock, fact: sla.ClockResumed, at: Instant) -> None:
    clock.state, clock.reason = "running", None
    clock.met_at = clock.ended_at = None  # also when it goes on after an end
    clock.policy, clock.target_seconds = fact.policy, fact.target_seconds
    clock.due_at, clock.breach_at = fact.due_at, fact.breach_at
    clock.retargeted = clock.retargeted or fact.retargeted


def _met(clock: Clock, fact: sla.ClockMet, at: Instant) -> None:
    clock.state, clock.reason = "met", None
    clock.met_at = clock.ended_at = fact.met_at
    clock.due_at = fact.due_at
    clock.breached = fact.breached_before
    clock.elapsed_business_seconds = fact.elapsed_business_seconds
    clock.elapsed_calendar_seconds = fact.elapsed_calendar_seconds
    if clock.first_met_calendar_seconds is None:
        clock.first_met_business_seconds = fact.elapsed_business_seconds
        clock.first_met_calendar_seconds = fact.elapsed_calendar_seconds


def _warned(clock: Clock, fact: sla.ClockWarned, at: Instant) -> None:
    clock.warning_count += 1


def _breached(clock: Clock, fact: sla.ClockBreached, at: Instant) -> None:
    clock.breached, clock.fired_at, clock.lateness_seconds = True, fact.fired_at, fact.lateness_seconds
    clock.due_at, clock.breach_at = fact.due_at, fact.breach_at
    clock.retargeted = clock.retargeted or fact.retargeted


def _cancelled(clock: Clock, fact: sla.ClockCancelled, at: Instant) -> None:
    clock.state, clock.reason, clock.ended_at = "cancelled", fact.reason, at
    if fact.carried_to is not None:  # one miss counts once: in the ticket that goes on
        clock.breached = False


def _corrected(clock: Clock, fact: sla.ClockCorrected, at: Instant) -> None:
    clock.withdrawn_count += 1
    if fact.withdraws == "breach":
        clock.breached, clock.fired_at, clock.lateness_seconds = False, None, None
    else:
        clock.warning_count = max(0, clock.warning_count - 1)
    if fact.met_at is not None:
        clock.state, clock.met_at, clock.ended_at = "met", fact.met_at, fact.met_at


def _restated(clock: Clock, fact: sla.ClockRestated, at: Instant) -> None:
    """What was promised is another now. A breach that was announced stays, with what had been promised then."""
    if fact.breach_stands:
        return
    clock.state, clock.reason = fact.state, fact.reason
    clock.policy, clock.calendar, clock.config_version = fact.policy, fact.calendar, fact.config_version
    clock.target_seconds, clock.due_at, clock.breach_at = fact.target_seconds, fact.due_at, fact.breach_at
    clock.retargeted = clock.retargeted or fact.breach_at != fact.was.breach_at
    clock.elapsed_business_seconds = fact.elapsed_business_seconds
    clock.elapsed_calendar_seconds = fact.elapsed_calendar_seconds


RULES: dict[type, Callable[[Clock, Any, Instant], None]] = {
    sla.ClockPaused: _paused,
    sla.ClockResumed: _resumed,
    sla.ClockMet: _met,
    sla.ClockWarned: _warned,
    sla.ClockBreached: _breached,
    sla.ClockCancelled: _cancelled,
    sla.ClockCorrected: _corrected,
    sla.ClockRestated: _restated,
}
