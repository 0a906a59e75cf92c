"""Carrying out the ladders: what a fired point of a clock begins, the steps that follow, and how a ladder ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pointsman.contracts.base import Contract, made
from pointsman.contracts.shapes import Severity
from pointsman.contracts.sla import ClockEscalated
from pointsman.core.decision import Emission
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman_sla.alerts.items import Item
from pointsman_sla.alerts.model import Alert
from pointsman_sla.calendar import OutOfReach
from pointsman_sla.clocks.deferring import AGAIN, END, deferred, ended, point_of
from pointsman_sla.clocks.facts import of_policy
from pointsman_sla.clocks.firing import severity_of
from pointsman_sla.clocks.ladder import Action, Ladder, Step
from pointsman_sla.clocks.model import Clock, Escalation
from pointsman_sla.clocks.policy import Book
from pointsman_sla.micros import MICROS, instant, micros
from pointsman_sla.near_timers import NearTimer
from pointsman_sla.rules.alerting import member, told
from pointsman_sla.state import SlaState


@dataclass(slots=True)
class Climb:
    """A clock on its ladder while one cause is decided: `facts` for its ticket, `emissions` for its alerts."""

    state: SlaState
    timer: NearTimer
    now: Instant
    facts: list[Contract] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """The clock as it stands now."""
        return self.timer.clock

    # -- points --------------------------------------------------------------------------------------------------------

    def begin(self, fired: Sequence[tuple[int, str]]) -> Clock:
        """Points of the clock fired, (instant, name): the steps `on` them are carried out, and what follows them is
        armed."""
        ladder = self._ladder()
        if ladder is None:
            return self.clock
        clock = self.clock
        for at, point in fired:
            severity = severity_of(point)
            first = severity == "warning" and clock.warned[:1] == ((point, at),)
            for place in ladder.begun_by(clock.metric, severity, point, first):
                if self._done(ladder, place, severity):
                    continue
                for later in ladder.followed_by(place, clock.metric):
                    self._arm(at + ladder.steps[later].after_seconds * MICROS, point_of(later, severity))
                self._carry_out(ladder, place, 0, severity, at)
        return self.clock

    def go_on(self) -> Clock:
        """The next point of the clock's ladder has come."""
        escalation = self._escalation()
        (at, name), points = escalation.points[0], escalation.points[1:]
        self._keep(replace(escalation, points=points))
        place, repetition, severity = _read(name)
        ladder = self._ladder()
        if ladder is None:
            return self.clock
        if place == END:
            self._end(ladder, severity, at)
        elif place == AGAIN:
            self._tell_again(severity)
        else:
            self._carry_out(ladder, int(place), repetition, severity, at)
        return self.clock

    def _ladder(self) -> Ladder | None:
        """The ladder as it stood when the clock came onto it."""
        escalation = self.clock.escalation
        return None if escalation is None else self._book().ladders.get(escalation.ladder)

    def _book(self) -> Book:
        return self.state.book(self.timer.workspace, self._escalation().version)

    def _escalation(self) -> Escalation:
        assert self.clock.escalation is not None
        return self.clock.escalation

    def _keep(self, escalation: Escalation) -> None:
        self.timer = replace(self.timer, clock=replace(self.clock, escalation=escalation))

    def _arm(self, at: int, name: str) -> None:
        escalation = self._escalation()
        self._keep(replace(escalation, points=tuple(sorted((*escalation.points, (at, name))))))

    def _done(self, ladder: Ladder, place: int, severity: Severity) -> bool:
        return f"{ladder.name}/{place}:{severity}" in self._escalation().done

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _carry_out(self, ladder: Ladder, place: int, repetition: int, severity: Severity, at: int) -> None:
        escalation = self._escalation()
        if not repetition and not self._done(ladder, place, severity):
            self._keep(replace(escalation, done=(*escalation.done, f"{ladder.name}/{place}:{severity}")))
        step, alert, since = ladder.steps[place], *self._alert(severity)
        covered = alert is not None and alert.covers(since)
        if covered and (step.unless_acknowledged or repetition):
            self._say(ladder, place, repetition, severity, alert, withheld="acknowledged")
            self._keep(deferred(self._escalation(), at, point_of(place, severity, repetition)))
            return
        silenced = alert is not None and alert.silence_id is not None
        targets = [self._target(action) for action in step.actions if action.notify is not None]
        if not silenced:
            for target, not_before in targets:
                self._notify(ladder, place, repetition, severity, alert, target, not_before)
        names = tuple(dict.fromkeys(target for target, _ in targets))
        self._say(ladder, place, repetition, severity, alert, names, step, "silenced" if silenced and names else None)
        if step.every_seconds is not None and repetition < step.times_max:
            self._arm(at + step.every_seconds * MICROS, point_of(place, severity, repetition + 1))
        elif place == ladder.last(self.clock.metric):
            self._arm(at + ladder.wait_seconds(place) * MICROS, point_of(END, severity))

    def _say(
        self,
        ladder: Ladder,
        place: int,
        repetition: int,
        severity: Severity,
        alert: Alert | None,
        targets: tuple[str, ...] = (),
        step: Step | None = None,
        withheld: Literal["acknowledged", "silenced"] | None = None,
    ) -> None:
        """The fact, and the line in the alert's timeline. What is done on the desk is done once, not when repeated."""
        clock = self.clock
        actions = step.actions if step is not None and not repetition else ()
        relax = {action.relax for action in actions}
        self.facts.append(
            made(
                ClockEscalated,
                **of_policy(clock, self.timer.ticket_id),
                queue=clock.queue,
                agent=self.timer.agent,
                ladder=ladder.name,
                step=place,
                repetition=repetition,
                severity=severity,
                alert_id=None if alert is None else alert.id,
                boost=max((action.boost for action in actions), default=0),
                relax="all" if "all" in relax else "language" if "language" in relax else None,
                overflow=tuple(action.overflow for action in actions if action.overflow is not None),
                notified=() if withheld else targets,
                withheld=withheld,
                escalated_at=self.now,
            )
        )
        if alert is None:
            return
        done = [f"told {target}" for target in targets] if not withheld else [f"told nobody: {withheld}"]
        comment = f"step {place + 1} of {ladder.name}" + "".join(f", {each}" for each in done)
        self.state.alerts.escalate(alert, member(self.timer.ticket_id, clock), targets, self.now, comment)

    def _end(self, ladder: Ladder, severity: Severity, at: int) -> None:
        """Nobody acknowledged: the alert is exhausted, and the last resort is told. While somebody takes care, or in a
        silence, that waits."""
        alert, since = self._alert(severity)
        if alert is None:
            return
        if alert.covers(since):
            self._keep(deferred(self._escalation(), at, point_of(END, severity)))
            return
        last_resort, clock = self._book().last_resort, self.clock
        named = () if last_resort is None else (last_resort,)
        mine = member(self.timer.ticket_id, clock)
        self.state.alerts.escalate(alert, mine, named, self.now, f"{ladder.name} ended without an acknowledgement")
        if alert.silence_id is not None:
            self._keep(deferred(self._escalation(), at, point_of(END, severity)))
            return
        self._keep(replace(self._escalation(), done=(*self._escalation().done, ended(severity))))
        alert = self.state.alerts.open[alert.id]
        fact = self.state.alerts.exhaust(alert, mine, since, ladder.name, last_resort, self.now)
        if fact is not None:
            self.emissions.append(told(self.timer.workspace, alert.id, fact, self.now))
        if last_resort is not None:
            reason = f"nobody acknowledged: the ladder {ladder.name} has ended"
            self._tell(alert, last_resort, self.now, "exhausted", reason, f"end:{severity}")

    def _tell_again(self, severity: Severity) -> None:
        """The clock stood still when its alert fired again: those that had been told hear of it now that it goes on."""
        alert, since = self._alert(severity)
        if alert is None or alert.covers(since) or alert.silence_id is not None:
            return
        for target in alert.told:
            self._tell(
                alert, target, self.now, "again", f"{self.clock.metric} goes on past its time", f"again:{severity}"
            )

    # -- whom to tell --------------------------------------------------------------------------------------------------

    def _alert(self, severity: Severity) -> tuple[Alert | None, Instant]:
        """The open alert of this severity that the clock is in, and since when."""
        for mine in self.clock.alerts:
            if mine.severity == severity:
                return self.state.alerts.open.get(mine.alert), instant(mine.since)
        return None, self.now

    def _target(self, action: Action) -> tuple[str, Instant]:
        """Who is told now, and when: during hours the one, otherwise the other (or the one when they begin)."""
        assert action.notify is not None
        if action.during is None:
            return action.notify, self.now
        at = micros(self.now)
        try:
            opens = self._book().calendar(action.during).opening(at)
        except OutOfReach:
            return action.otherwise or action.notify, self.now  # it never opens again: rather at night than never
        if opens > at and action.otherwise is not None:
            return action.otherwise, self.now
        return action.notify, instant(opens)

    def _notify(
        self,
        ladder: Ladder,
        place: int,
        repetition: int,
        severity: Severity,
        alert: Alert | None,
        target: str,
        not_before: Instant,
    ) -> None:
        what = "ran out" if severity == "breach" else "runs out soon"
        reason = f"{self.clock.metric} {what}: step {place + 1} of {ladder.name}"
        if repetition:
            reason += f", repeated {repetition} of {ladder.steps[place].times_max} times"
        self._tell(alert, target, not_before, "step", reason, f"{place}:{repetition}:{severity}")

    def _tell(
        self,
        alert: Alert | None,
        target: str,
        not_before: Instant,
        kind: Literal["step", "exhausted", "again"],
        reason: str,
        which: str,
    ) -> None:
        clock, timer = self.clock, self.timer
        grouping = self._book().grouping(target)
        self.state.notify(
            Item(
                id=derived_id("itm", self.now, clock.id, which, target),
                workspace=timer.workspace,
                target=target,
                kind=kind,
                group_by=grouping.group_by,
                within_seconds=grouping.within_seconds,
                at=self.now,
                not_before=not_before,
                reason=reason,
                queue=clock.queue,
                policy=clock.policy,
                severity=alert.severity if alert is not None else None,
                alert_id=alert.id if alert is not None else None,
                ticket_id=timer.ticket_id,
                clock_id=clock.id,
                metric=clock.metric,
                cycle=clock.cycle,
                priority=clock.priority,
                agent=timer.agent,
                due_at=instant(clock.due_at),
                breach_at=instant(clock.breach_at),
            )
        )


def _read(name: str) -> tuple[str, int, Severity]:
    """(place, `end` or `again`; repetition; severity) of a point's name."""
    _, place, repetition, severity = name.split(":")
    return place, int(repetition), "breach" if severity == "breach" else "warning"
