"""What another configuration version makes of an open ticket's clocks (a recompute).

The promise becomes what it would be had the version been in force since the clock started: the policy is matched anew,
and the whole life of the clock is laid anew from the ticket's phases, with the new pauses, in the new calendars. A
stretch that counted in the clock's calendar counts in the one that its new target names; an older stretch, from before
the ticket's labels changed, in its own calendar as the version has it, or as it was when the version has it no more.

- A clock that has ended is not touched. One for which the version says the same keeps the version that it names.
- A running clock whose time is up under the version breaches at once.
- A breach that was announced stays, with the figures it was announced with. When the clock would not have breached yet,
  it is marked `restated` and others hear what the version would have promised.
- A warning that lies ahead again is forgotten, so that it can come.
- What the version does not measure is cancelled; what it measures anew starts when it would have.
"""

from dataclasses import replace

from pointsman.contracts.base import made
from pointsman.contracts.sla import ClockPromise, ClockRestated
from pointsman_sla.clocks.course import Books, Course
from pointsman_sla.clocks.lifecycle import start_what_is_due
from pointsman_sla.clocks.model import NO_TARGET, Clock, Segment, Ticket
from pointsman_sla.clocks.pauses import WORDS, pause_of
from pointsman_sla.clocks.points import closed_at, elapsed, planned
from pointsman_sla.clocks.policy import Policy, Target
from pointsman_sla.micros import MICROS, instant


def restate(ticket: Ticket, at: int, books: Books, version: int, job_id: str) -> Course:
    """The course of a recompute over an open ticket; from then on the ticket is one of this version."""
    course = Course(replace(ticket, config_version=version), max(at, ticket.last_at), books)
    policy = course.policy
    for clock in tuple(course.clocks.values()):
        if not clock.active:
            continue
        target = policy.target(clock.metric, course.ticket.labels.priority) if policy else None
        if policy is None or target is None:
            course.cancel(clock, NO_TARGET)
        elif not _same(course, clock, policy, target, version):
            _restate(course, clock, policy, target, version, job_id)
    start_what_is_due(course)
    return course


def _same(course: Course, clock: Clock, policy: Policy, target: Target, version: int) -> bool:
    """Whether the version says of this clock what its own says."""
    if clock.restated == version or clock.version == version:
        return True
    before = course.policy_of(clock)
    if before is None or (target.seconds, target.calendar) != (clock.target_seconds, clock.calendar):
        return False
    metric = clock.metric
    if (policy.name, policy.shares, policy.leads, policy.pause_on.get(metric), policy.reopen_continues) != (
        before.name,
        before.shares,
        before.leads,
        before.pause_on.get(metric),
        before.reopen_continues,
    ):
        return False
    names = {(segment.calendar, segment.version) for segment in clock.segments}
    return all(course.same_calendar(name, old) for name, old in names)


def _restate(course: Course, clock: Clock, policy: Policy, target: Target, version: int, job_id: str) -> None:
    at = course.at
    clock = course.passed(clock, at)
    was = made(
        ClockPromise,
        policy=clock.policy,
        calendar=clock.calendar,
        config_version=clock.version,
        target_seconds=clock.target_seconds,
        due_at=instant(clock.due_at),
        breach_at=instant(clock.breach_at),
    )
    segments = _life(course, clock, policy, target, version)
    why = segments[-1].why
    anew = replace(
        clock,
        policy=policy.name,
        calendar=target.calendar,
        version=version,
        target_seconds=target.seconds,
        segments=segments,
        state="running" if why is None else "paused",
        reason=why,
        restated=version,
        escalation=course.on_ladder_of(policy, clock.escalation),
        generation=clock.generation + 1,
    )
    if clock.breached_at is not None:
        ahead = _ahead(anew, policy, course)
        if ahead.breach_at > at:
            course.keep(replace(clock, restated=version, generation=clock.generation + 1))
            _say(course, ahead, was, job_id, breach_stands=True)
        return
    if clock.warned:
        coming = {step for point, step in _ahead(anew, policy, course).plan if point > at}
        anew = replace(anew, warned=tuple(point for point in clock.warned if point[0] not in coming))
    anew = planned(anew, policy, at, course.calendars)
    if anew.breach_at != clock.breach_at:
        anew = replace(anew, retargeted=True)
    if clock.warned and not anew.warned:
        course.moves.append(("warning", anew, False, "restated"))
        alerts = tuple(each for each in anew.alerts if each.severity != "warning")
        on = anew.escalation
        anew = replace(anew, alerts=alerts, escalation=on.without("warning") if on is not None else None)
    course.keep(anew)
    _say(course, anew, was, job_id)


def _ahead(clock: Clock, policy: Policy, course: Course) -> Clock:
    """The clock with all its points laid as if none had fired, and as if it ran from now on."""
    segments = clock.segments
    if segments[-1].why is not None:
        segments = (*closed_at(segments, course.at), Segment(course.at, None, clock.calendar, clock.version))
    clock = replace(clock, segments=segments, breached_at=None, warned=())
    return planned(clock, policy, course.at, course.calendars)


def _life(course: Course, clock: Clock, policy: Policy, target: Target, version: int) -> tuple[Segment, ...]:
    """The clock's life from its start on, as the version lays it over the ticket's phases."""
    phases = course.ticket.phases
    starts = {segment.start for segment in clock.segments}
    starts.update(since for since, _ in phases if since > clock.started_at)
    starts.add(clock.started_at)
    life: list[tuple[int, str, int, str | None]] = []
    phase_place = segment_place = 0
    for start in sorted(starts):
        while phase_place + 1 < len(phases) and phases[phase_place + 1][0] <= start:
            phase_place += 1
        while segment_place + 1 < len(clock.segments) and clock.segments[segment_place + 1].start <= start:
            segment_place += 1
        phase, old = phases[phase_place][1], clock.segments[segment_place]
        why = WORDS["resolved"] if phase == "closed" else pause_of(clock.metric, phase, policy)
        name, counted_under = old.calendar, version
        if name == clock.calendar:
            name = target.calendar
        elif not course.has_calendar(name):
            counted_under = old.version
        if not life or life[-1][1:] != (name, counted_under, why):
            life.append((start, name, counted_under, why))
    ends = (*(stretch[0] for stretch in life[1:]), None)
    return tuple(Segment(stretch[0], end, *stretch[1:]) for stretch, end in zip(life, ends, strict=True))


def _say(course: Course, clock: Clock, was: ClockPromise, job_id: str, breach_stands: bool = False) -> None:
    business, plain = elapsed(clock, course.at, course.calendars)
    course.facts.append(
        made(
            ClockRestated,
            clock_id=clock.id,
            ticket_id=course.ticket.id,
            metric=clock.metric,
            cycle=clock.cycle,
            job_id=job_id,
            policy=clock.policy,
            calendar=clock.calendar,
            config_version=clock.version,
            target_seconds=clock.target_seconds,
            due_at=instant(clock.due_at),
            breach_at=instant(clock.breach_at),
            was=was,
            state="running" if clock.reason is None else "paused",
            reason=clock.reason,
            breach_stands=breach_stands,
            elapsed_business_seconds=business / MICROS,
            elapsed_calendar_seconds=plain / MICROS,
            restated_at=instant(course.at),
        )
    )
