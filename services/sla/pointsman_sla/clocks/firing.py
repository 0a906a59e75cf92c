"""What it means that a point of a clock has come, and how that is withdrawn when it turns out not to have."""

from collections.abc import Sequence
from dataclasses import replace

from pointsman.contracts.base import Contract, made
from pointsman.contracts.shapes import Severity
from pointsman.contracts.sla import ClockBreached, ClockCorrected, ClockWarned
from pointsman_sla.clocks.facts import of_policy
from pointsman_sla.clocks.model import BREACH, STEP, Clock, InAlert, TimerKind
from pointsman_sla.micros import MICROS, instant


def severity_of(step: str) -> Severity:
    """The severity of the alert that a point raises."""
    return "breach" if step == BREACH else "warning"


def past(clock: Clock) -> tuple[Severity, ...]:
    """The severities of the alerts that a clock is in: those of its points that have fired, until it ends."""
    if not clock.active:
        return ()
    warned: tuple[Severity, ...] = ("warning",) if clock.warned else ()
    return warned if clock.breached_at is None else (*warned, "breach")


def kind_of(step: str) -> TimerKind:
    """The kind of timer of a point: its severity, or `escalation` for a step of a ladder."""
    return "escalation" if step.startswith(STEP) else severity_of(step)


def fired(
    clock: Clock,
    ticket: str,
    agent: str | None,
    now: int,
    *,
    late: bool = False,
    blind: bool = False,
    alerts: tuple[InAlert, ...] | None = None,
) -> tuple[Clock, Contract]:
    """The earliest point of the clock's plan has come: the clock after it, in these alerts, and the fact that tells."""
    alerts = clock.alerts if alerts is None else alerts
    (at, step), plan = clock.plan[0], clock.plan[1:]
    if step != BREACH:
        warned = made(
            ClockWarned,
            **of_policy(clock, ticket),
            queue=clock.queue,
            agent=agent,
            step=step,
            warned_at=instant(now),
            breach_at=instant(clock.breach_at),
            late=late,
            blind=blind,
        )
        return replace(clock, plan=plan, warned=(*clock.warned, (step, at)), alerts=alerts), warned
    breached = made(
        ClockBreached,
        **of_policy(clock, ticket),
        queue=clock.queue,
        agent=agent,
        target_seconds=clock.target_seconds,
        due_at=instant(clock.due_at),
        breach_at=instant(clock.breach_at),
        fired_at=instant(now),
        lateness_seconds=max(0, now - clock.breach_at) / MICROS,
        late=late,
        blind=blind,
        retargeted=clock.retargeted,
    )
    return replace(clock, plan=(), breached_at=now, alerts=alerts), breached


def withdrawn(clock: Clock, ticket: str, at: int, reason: str, met: bool) -> tuple[Clock, list[ClockCorrected]]:
    """Takes back what fired for points that lie at or after `at`, because the clock stood still from then on.

    A breach is taken back when `at` is not after `breach_at` (a stop at that very instant is in time); a warning when
    its point lies after `at`.
    """
    facts: list[ClockCorrected] = []

    def fact(what: Severity) -> ClockCorrected:
        return made(
            ClockCorrected,
            **of_policy(clock, ticket),
            withdraws=what,
            reason=reason,
            met_at=instant(at) if met else None,
        )

    if clock.breached_at is not None and at <= clock.breach_at:
        facts.append(fact("breach"))
        clock = replace(clock, breached_at=None)
    stands = tuple(point for point in clock.warned if point[1] <= at)
    if len(stands) < len(clock.warned):
        if not stands:
            facts.append(fact("warning"))
        clock = replace(clock, warned=stands)
    return clock, facts


def withdraws(facts: Sequence[Contract]) -> list[Severity]:
    """The severities that the facts take back."""
    return [fact.withdraws for fact in facts if isinstance(fact, ClockCorrected)]
