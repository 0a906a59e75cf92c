"""One record's course over one ticket: the clocks that it starts, pauses, resumes, ends, and what others hear of it.

Points that lie before a change are fired before it, so that what is read in one go has the same clocks as what was read
in time; points that fired although the change came first are withdrawn.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pointsman.contracts.base import Contract
from pointsman.contracts.shapes import Metric, Severity
from pointsman.contracts.sla import ClockCancelled
from pointsman.core.ids import derived_id
from pointsman_sla.calendar import Calendar
from pointsman_sla.clocks import facts
from pointsman_sla.clocks.firing import fired, severity_of, withdrawn, withdraws
from pointsman_sla.clocks.model import NO_TARGET, Clock, Escalation, InAlert, Phase, Segment, Ticket
from pointsman_sla.clocks.pauses import pause_of
from pointsman_sla.clocks.points import closed_at, elapsed, planned, until_paused
from pointsman_sla.clocks.policy import ALWAYS, Book, Policy
from pointsman_sla.micros import instant

Books = Callable[[int], Book]
"""The book of a configuration version of the ticket's workspace."""


class Course:
    """The working state of one record's decision. `at` is the record's time, never before the ticket's last.

    `facts` is what others hear, in order; `changed` the clocks that differ; `moves` the alerts joined and left:
    (severity, clock, joins, reason). `fired` are the points that fired although the lane came to them only now: (clock
    id, instant, point). `carried` are the clocks that go on in another, by its id, in the alerts in which they were.
    """

    __slots__ = (
        "_before",
        "_book",
        "_books",
        "_policy",
        "at",
        "carried",
        "changed",
        "clocks",
        "facts",
        "fired",
        "moves",
        "ticket",
    )

    def __init__(self, ticket: Ticket, at: int, books: Books) -> None:
        self.ticket = self._before = ticket
        self.at = at
        self.clocks: dict[Metric, Clock] = dict(ticket.clocks)
        self.facts: list[Contract] = []
        self.changed: dict[str, Clock] = {}
        self.moves: list[tuple[Severity, Clock, bool, str]] = []
        self.fired: list[tuple[str, int, str]] = []
        self.carried: dict[str, Clock] = {}
        self._books = books
        self._book: Book = books(ticket.config_version)
        self._policy: Policy | str | None = "unread"

    def calendars(self, name: str, version: int) -> Calendar:
        """The calendar of a name in a version."""
        return (self._book if version == self._book.version else self._books(version)).calendar(name)

    def has_calendar(self, name: str) -> bool:
        """Whether the ticket's version has a calendar of this name."""
        return name == ALWAYS or name in self._book.definitions

    def same_calendar(self, name: str, version: int) -> bool:
        """Whether the ticket's version has the calendar as the other version has it."""
        other = self._books(version).definitions
        return self.has_calendar(name) and self._book.definitions.get(name) == other.get(name)

    @property
    def policy(self) -> Policy | None:
        """The first policy that matches the ticket's labels as they are now."""
        if isinstance(self._policy, str):
            self._policy = self._book.policy_for(self.ticket.labels)
        return self._policy

    def update(self, **changes: Any) -> None:
        """Changes fields of the ticket."""
        self.ticket = replace(self.ticket, **changes)

    def finished(self) -> Ticket:
        """The ticket after the record; the very same when the record changed nothing."""
        if self.ticket is self._before and not self.changed:
            return self.ticket
        return replace(self.ticket, clocks=self.clocks, last_at=self.at)

    def active(self, metric: Metric) -> Clock | None:
        """The metric's clock, if it has not ended."""
        clock = self.clocks.get(metric)
        return clock if clock is not None and clock.active else None

    def keep(self, clock: Clock) -> Clock:
        """The clock is as given from now on."""
        self.clocks[clock.metric] = clock
        self.changed[clock.id] = clock
        return clock

    def amend(self, clock: Clock) -> None:
        """A changed clock, of whichever cycle, is as given: its alerts have names, or it went on on its ladder."""
        self.changed[clock.id] = clock
        if self.clocks[clock.metric].id == clock.id:
            self.clocks[clock.metric] = clock

    # -- starting ------------------------------------------------------------------------------------------------------

    def start(
        self,
        metric: Metric,
        since: int,
        *,
        retargeted: bool = False,
        learned: bool = False,
        origin: Clock | None = None,
    ) -> None:
        """Starts the next cycle, counting from `since`; nothing when the policy does not measure the metric.

        `learned`: only now is the clock known to run since then, so that what lies behind falls now, and is not late.
        `origin` is another clock of the same message that goes on in this one: what has been told of that stands.
        """
        policy = self.policy
        target = policy.target(metric, self.ticket.labels.priority) if policy else None
        if policy is None or target is None:
            return
        before = self.clocks.get(metric)
        cycle = before.cycle + 1 if before else 1
        version = self._book.version
        segments = self._segments_since(metric, since, policy, target.calendar)
        clock = Clock(
            id=derived_id("clk", instant(since), self.ticket.id, metric, cycle),
            metric=metric,
            cycle=cycle,
            state="running" if segments[-1].why is None else "paused",
            policy=policy.name,
            calendar=target.calendar,
            version=version,
            queue=self.ticket.labels.queue,
            priority=self.ticket.labels.priority,
            target_seconds=target.seconds,
            generation=1,
            started_at=since,
            due_at=0,
            breach_at=0,
            segments=segments,
            retargeted=retargeted,
            reason=segments[-1].why,
            escalation=self.on_ladder_of(policy, None if origin is None else origin.escalation),
        )
        running, silent = clock.state == "running", retargeted or learned
        clock = planned(clock, policy, since if running and not silent else self.at, self.calendars)
        if origin is not None:
            clock = self._carried(clock, origin, policy)
        self.keep(clock)
        self.facts.append(facts.started(clock, self.ticket.id, None if origin is None else origin.id))
        if not running and not silent:
            clock = self.keep(self.passed(until_paused(clock, policy, since, self.calendars), self.at))
        if not running:
            self._say_paused(clock)

    def _carried(self, clock: Clock, origin: Clock, policy: Policy) -> Clock:
        """The clock with what had become of the one that goes on in it: a breach that happened stays."""
        self.carried[clock.id] = origin
        self.fired += [(clock.id, at, point) for id, at, point in self.fired if id == origin.id]
        clock = replace(clock, warned=origin.warned, overdue=origin.overdue)
        if origin.breached_at is None:
            return planned(clock, policy, self.at, self.calendars)
        return replace(clock, breached_at=origin.breached_at, due_at=origin.due_at, breach_at=origin.breach_at, plan=())

    def alerts_before(self, clock_id: str) -> tuple[InAlert, ...]:
        """The alerts in which the clock was before the record."""
        return next((clock.alerts for clock in self._before.clocks.values() if clock.id == clock_id), ())

    def gone_on(self, clock_id: str, in_: str) -> None:
        """The clock that was cancelled goes on in another."""
        self.facts = [
            fact.model_copy(update={"carried_to": in_})
            if isinstance(fact, ClockCancelled) and fact.clock_id == clock_id
            else fact
            for fact in self.facts
        ]

    def on_ladder_of(self, policy: Policy, before: Escalation | None) -> Escalation | None:
        """Where a clock of this policy is on its ladder: where it was if that is the one, else at the beginning."""
        if policy.ladder is None or policy.ladder not in self._book.ladders:
            return None
        if before is not None and before.ladder == policy.ladder:
            return before
        return Escalation(policy.ladder, self._book.version, done=before.done if before is not None else ())

    def _segments_since(self, metric: Metric, since: int, policy: Policy, calendar: str) -> tuple[Segment, ...]:
        """The clock's life from `since` on, as the ticket's phases and the policy's pauses make it. Before the ticket
        began (what was said on a ticket merged into it) its first phase holds."""
        segments: list[Segment] = []
        phases = self.ticket.phases
        for place, (begins, phase) in enumerate(phases):
            ends = phases[place + 1][0] if place + 1 < len(phases) else None
            if ends is not None and ends <= since:
                continue
            begins = max(begins, since) if place else since
            why = pause_of(metric, phase, policy)
            if segments and segments[-1].why == why:
                segments[-1] = replace(segments[-1], end=ends)
            else:
                segments.append(Segment(begins, ends, calendar, self._book.version, why))
        return tuple(segments)

    # -- standing still and going on -----------------------------------------------------------------------------------

    def enter(self, phase: Phase) -> None:
        """The ticket is in another phase: clocks that it pauses stand still, clocks that it frees go on."""
        phases = self.ticket.phases
        if phase == phases[-1][1]:
            return
        if phases[-1][0] == self.at:
            phases = phases[:-1]
        if not phases or phases[-1][1] != phase:
            phases = (*phases, (self.at, phase))
        self.update(phases=phases)
        for metric, clock in tuple(self.clocks.items()):
            if clock.active:
                why = pause_of(metric, phase, self.policy_of(clock))
                if why != clock.reason:
                    self._turn(clock, why)

    def policy_of(self, clock: Clock) -> Policy | None:
        """The policy by which the clock counts, as its version has it."""
        book = self._book if clock.version == self._book.version else self._books(clock.version)
        return book.named(clock.policy)

    def _turn(self, clock: Clock, why: str | None) -> None:
        """Pauses the clock, resumes it, or gives its pause another reason."""
        clock = self.settled(clock, self.at, why or "resumed")
        segments = closed_at(clock.segments, self.at)
        last = segments[-1] if segments else None
        if last and (last.why, last.calendar, last.version) == (why, clock.calendar, clock.version):
            segments = (*segments[:-1], replace(last, end=None))
        else:
            segments = (*segments, Segment(self.at, None, clock.calendar, clock.version, why))
        self._go_on(clock, segments, why)

    def resume_ended(self, clock: Clock) -> None:
        """A reopened ticket's clock goes on: the time it was ended is a pause."""
        clock = replace(clock, overdue=clock.breached_at is not None)
        ended = clock.ended_at or self.at
        gap = (Segment(ended, self.at, clock.calendar, clock.version, "resolved"),) if ended < self.at else ()
        why = pause_of(clock.metric, self.ticket.phase, self.policy_of(clock))
        segments = (*clock.segments, *gap, Segment(self.at, None, clock.calendar, clock.version, why))
        self._go_on(clock, segments, why)

    def _go_on(self, clock: Clock, segments: tuple[Segment, ...], why: str | None) -> None:
        """From now on the clock is active in these segments: it runs, or stands still for `why`.

        Steps of its ladder that came due while it stood still come now."""
        escalation = clock.escalation
        if why is None and escalation is not None and escalation.points:
            points = tuple((max(at, self.at), name) for at, name in escalation.points)
            escalation = replace(escalation, points=points)
        clock = replace(
            clock,
            escalation=escalation,
            segments=segments,
            state="running" if why is None else "paused",
            reason=why,
            ended_at=None,
            generation=clock.generation + 1,
        )
        clock = self.keep(planned(clock, self.policy_of(clock), self.at, self.calendars))
        if why is None:
            self._say_resumed(clock)
        else:
            self._say_paused(clock)

    # -- ending --------------------------------------------------------------------------------------------------------

    def meet(self, clock: Clock, at: int) -> None:
        """What was promised happened at `at`, which may lie before the record's time (and before what was fired)."""
        clock = self.settled(clock, at, "met in time", met=True)
        clock = self._ended(clock, at, "met", None)
        self.facts.append(facts.met(clock, self.ticket.id, at, *elapsed(clock, at, self.calendars)))

    def cancel(self, clock: Clock, reason: str) -> None:
        """The clock ends without being met."""
        clock = self.settled(clock, self.at, reason)
        clock = self._ended(clock, self.at, "cancelled", reason)
        self.facts.append(facts.cancelled(clock, self.ticket.id, reason))

    def _ended(self, clock: Clock, at: int, state: Any, reason: str | None) -> Clock:
        for severity, _, _ in clock.alerts:
            self.moves.append((severity, clock, False, reason or "met"))
        return self.keep(
            replace(
                clock,
                segments=closed_at(clock.segments, at),
                plan=(),
                state=state,
                reason=reason,
                ended_at=at,
                alerts=(),
                escalation=_put_down(clock.escalation),
                generation=clock.generation + 1,
            )
        )

    def settled(self, clock: Clock, at: int, reason: str, met: bool = False) -> Clock:
        """The clock with what lies before `at` fired and what fired for later points withdrawn."""
        clock = self.passed(clock, at)
        clock, withdrawals = withdrawn(clock, self.ticket.id, at, reason, met)
        self.facts.extend(withdrawals)
        for severity in withdraws(withdrawals):
            self.moves.append((severity, clock, False, "corrected"))
            escalation = clock.escalation.without(severity) if clock.escalation is not None else None
            alerts = tuple(each for each in clock.alerts if each.severity != severity)
            clock = replace(clock, alerts=alerts, escalation=escalation)
        return clock

    def passed(self, clock: Clock, at: int) -> Clock:
        """The clock with what lies before `at` fired."""
        while clock.plan and clock.plan[0][0] < at:
            severity = severity_of(clock.plan[0][1])
            self.fired.append((clock.id, *clock.plan[0]))
            clock, fact = fired(clock, self.ticket.id, self.ticket.agent, self.at, late=True)
            self.facts.append(fact)
            self.moves.append((severity, clock, True, ""))
            clock = replace(clock, alerts=with_alert(clock.alerts, severity))
        return clock

    # -- other targets -------------------------------------------------------------------------------------------------

    def retarget(self, clock: Clock, policy: Policy) -> None:
        """The ticket's labels select another target: elapsed time is carried over. A breach that happened stays."""
        target = policy.target(clock.metric, self.ticket.labels.priority)
        if target is None:
            self.cancel(clock, NO_TARGET)
            return
        moved = replace(clock, queue=self.ticket.labels.queue, priority=self.ticket.labels.priority)
        same = (policy.name, target.seconds, target.calendar) == (clock.policy, clock.target_seconds, clock.calendar)
        if same:
            if moved != clock:
                self.keep(replace(moved, generation=clock.generation + 1))
            return
        clock = self.settled(moved, self.at, "retargeted")
        if clock.breached_at is not None:
            self.keep(replace(clock, generation=clock.generation + 1))
            return
        segments = clock.segments
        why = pause_of(clock.metric, self.ticket.phase, policy)
        if target.calendar != clock.calendar or why != clock.reason:
            version = self._book.version
            segments = (*closed_at(segments, self.at), Segment(self.at, None, target.calendar, version, why))
        was = clock.reason
        clock = replace(
            clock,
            policy=policy.name,
            calendar=target.calendar,
            version=self._book.version,
            target_seconds=target.seconds,
            segments=segments,
            state="running" if why is None else "paused",
            reason=why,
            retargeted=True,
            escalation=self.on_ladder_of(policy, clock.escalation),
            generation=clock.generation + 1,
        )
        clock = self.keep(planned(clock, policy, self.at, self.calendars))
        if why is None:
            self._say_resumed(clock, retargeted=True)
        elif why != was:
            self._say_paused(clock)

    # -- what others hear ----------------------------------------------------------------------------------------------

    def _say_paused(self, clock: Clock) -> None:
        self.facts.append(facts.paused(clock, self.ticket.id, *elapsed(clock, self.at, self.calendars)))

    def _say_resumed(self, clock: Clock, retargeted: bool = False) -> None:
        self.facts.append(facts.resumed(clock, self.ticket.id, retargeted))


def _put_down(escalation: Escalation | None) -> Escalation | None:
    """The ladder of a clock that ends: nobody takes care of it any more. Should it go on, so does the ladder."""
    if escalation is None or not escalation.held:
        return escalation
    return replace(escalation, points=tuple(sorted((*escalation.points, *escalation.held))), held=())


def with_alert(alerts: tuple[InAlert, ...], severity: Severity) -> tuple[InAlert, ...]:
    """The alerts with one of this severity, not yet named; joining names it."""
    return alerts if any(each.severity == severity for each in alerts) else (*alerts, InAlert(severity, ""))
