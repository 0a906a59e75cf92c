"""What others hear of a clock that starts, stands still, goes on or ends. Elapsed times come in as microseconds."""

from typing import Any

from pointsman.contracts.base import made
from pointsman.contracts.sla import ClockCancelled, ClockMet, ClockPaused, ClockResumed, ClockStarted
from pointsman_sla.clocks.model import Clock
from pointsman_sla.micros import MICROS, instant


def of_clock(clock: Clock, ticket: str) -> dict[str, Any]:
    """The fields by which every fact names its clock (`FactOfClock`)."""
    return {"clock_id": clock.id, "ticket_id": ticket, "metric": clock.metric, "cycle": clock.cycle}


def of_policy(clock: Clock, ticket: str) -> dict[str, Any]:
    """The same with the policy (`FactOfPolicy`)."""
    return {**of_clock(clock, ticket), "policy": clock.policy}


def started(clock: Clock, ticket: str, carried_from: str | None = None) -> ClockStarted:
    """It runs, or stands still from the beginning; another clock may go on in it."""
    return made(
        ClockStarted,
        **of_policy(clock, ticket),
        calendar=clock.calendar,
        config_version=clock.version,
        queue=clock.queue,
        priority=clock.priority,
        target_seconds=clock.target_seconds,
        started_at=instant(clock.started_at),
        due_at=instant(clock.due_at),
        breach_at=instant(clock.breach_at),
        carried_from=carried_from,
        breached_at=None if clock.breached_at is None else instant(clock.breached_at),
    )


def paused(clock: Clock, ticket: str, business: int, plain: int) -> ClockPaused:
    """It stands still, for the reason that it names."""
    return made(
        ClockPaused,
        **of_clock(clock, ticket),
        reason=clock.reason or "",
        elapsed_business_seconds=business / MICROS,
        elapsed_calendar_seconds=plain / MICROS,
    )


def resumed(clock: Clock, ticket: str, retargeted: bool) -> ClockResumed:
    """It goes on with the rest of its target, or with another target."""
    return made(
        ClockResumed,
        **of_policy(clock, ticket),
        target_seconds=clock.target_seconds,
        due_at=instant(clock.due_at),
        breach_at=instant(clock.breach_at),
        retargeted=retargeted,
    )


def met(clock: Clock, ticket: str, at: int, business: int, plain: int) -> ClockMet:
    """What was promised happened at an instant."""
    return made(
        ClockMet,
        **of_policy(clock, ticket),
        met_at=instant(at),
        due_at=instant(clock.due_at),
        elapsed_business_seconds=business / MICROS,
        elapsed_calendar_seconds=plain / MICROS,
        breached_before=clock.breached_at is not None,
    )


def cancelled(clock: Clock, ticket: str, reason: str) -> ClockCancelled:
    """It ended without being met."""
    return made(
        ClockCancelled,
        **of_policy(clock, ticket),
        reason=reason,
    )
