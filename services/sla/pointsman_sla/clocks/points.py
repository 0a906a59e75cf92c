"""When a clock's points fall: its due time, its breach, its warnings. And what has elapsed on it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from pointsman.core.instant import FOREVER
from pointsman_sla.calendar import Calendar, OutOfReach
from pointsman_sla.calendar.reach import Stretch, reach
from pointsman_sla.clocks.model import BREACH, Clock, Segment
from pointsman_sla.clocks.policy import Policy
from pointsman_sla.micros import MICROS, micros

Calendars = Callable[[str, int], Calendar]
"""The calendar of a name in a configuration version."""

NEVER = micros(FOREVER)


def elapsed(clock: Clock, until: int, calendars: Calendars) -> tuple[int, int]:
    """(business, calendar) time on the clock up to an instant."""
    business = plain = 0
    for segment in clock.segments:
        if segment.why is None and segment.start < until:
            end = until if segment.end is None else min(segment.end, until)
            business += calendars(segment.calendar, segment.version).elapsed(segment.start, end)
            plain += end - segment.start
    return business, plain


def planned(clock: Clock, policy: Policy | None, now: int, calendars: Calendars) -> Clock:
    """The clock with its points laid anew from its segments.

    Of the warnings that lie before `now` only the latest is kept, unless it fired: so much is gone already when a
    shorter target is given. A breach that would lie before `now` falls at `now`; after a
    breach there are no points, and its instants stay. A paused clock has no points; `due_at` and `breach_at`
    are then those it would have if it went on at `now`. A calendar that does not open again makes no points either.
    """
    if clock.breached_at is not None:
        return replace(clock, plan=())
    target = clock.target_seconds * MICROS
    running = clock.segments[-1].why is None
    stretches = list(_stretches(clock, calendars))
    if not running:
        stretches.append(Stretch(calendars(clock.calendar, clock.version), now, None))
    try:
        run_out = reach(stretches, target)
    except OutOfReach:
        return replace(clock, due_at=NEVER, breach_at=NEVER, plan=())
    assert run_out is not None  # the last stretch is open
    breach_at = max(run_out.breach_at, now)
    if not running:
        return replace(clock, due_at=run_out.due_at, breach_at=breach_at, plan=())
    points = [] if policy is None else sorted(_warnings(clock, policy, target, stretches))
    passed = sum(1 for at, _ in points if at < now)
    fired = {step for step, _ in clock.warned}
    points = [point for point in points[max(0, passed - 1) :] if point[0] < breach_at and point[1] not in fired]
    if breach_at == now and run_out.breach_at < now:
        points = []
    return replace(clock, due_at=run_out.due_at, breach_at=breach_at, plan=(*points, (breach_at, BREACH)))


def until_paused(clock: Clock, policy: Policy | None, since: int, calendars: Calendars) -> Clock:
    """A clock that stands still and is told of late, with the points that lie between `since` and its pause."""
    pause = clock.segments[-1]
    on = replace(clock, segments=(*clock.segments[:-1], replace(pause, why=None)))
    ran = planned(on, policy, since, calendars)
    plan = tuple(point for point in ran.plan if point[0] < pause.start)
    if plan and plan[-1][1] == BREACH:
        return replace(clock, plan=plan, due_at=ran.due_at, breach_at=ran.breach_at)
    return replace(clock, plan=plan)


def _warnings(clock: Clock, policy: Policy, target: int, stretches: list[Stretch]) -> Iterator[tuple[int, str]]:
    amounts = [
        (step, round(share * target))
        for step, share, metrics in policy.shares
        if not metrics or clock.metric in metrics
    ]
    amounts += [(step, target - lead * MICROS) for step, lead in policy.leads]
    for step, amount in amounts:
        if 0 < amount < target:
            point = reach(stretches, amount)
            if point is not None:
                yield point.due_at, step


def _stretches(clock: Clock, calendars: Calendars) -> Iterator[Stretch]:
    for segment in clock.segments:
        if segment.why is None:
            yield Stretch(calendars(segment.calendar, segment.version), segment.start, segment.end)


def closed_at(segments: tuple[Segment, ...], at: int) -> tuple[Segment, ...]:
    """The segments up to an instant: what came after is cut off."""
    kept = [segment for segment in segments if segment.start < at]
    if kept and (kept[-1].end is None or kept[-1].end > at):
        kept[-1] = replace(kept[-1], end=at)
    return tuple(kept)
