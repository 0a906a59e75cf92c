"""Recomputes begin, go on by a bounded number of tickets a decision, and end with an event of their own.

A step is a timer that what the desk says holds back: when it fires, every fact of the desk up to its time was read, and
what it lays anew begins from there. Its tickets are kept in the transaction that moves the job's place on, so that
whoever owns the lane next goes on where it ended. Between two steps whatever is due fires.
"""

from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from pointsman.contracts.base import made
from pointsman.contracts.recomputing import ClocksRecompute, recompute_job_id
from pointsman.contracts.sla import (
    ClockCancelled,
    ClockRestated,
    ClocksRecomputed,
    ClockStarted,
)
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission, refuse
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.policy import ALWAYS, Book
from pointsman_sla.clocks.restating import restate
from pointsman_sla.job import JOBS_MAX, NAMED_MAX, STEP_TICKETS_MAX, Counts, Job
from pointsman_sla.micros import micros
from pointsman_sla.rules.apply import conclude
from pointsman_sla.state import SlaState

RECOMPUTE = "recompute"
"""The kind of timer that takes a recompute on."""

_PAUSE = timedelta(milliseconds=1)

_FRESH = timedelta(seconds=1)
"""A step that is later than this (its job waited for another's end, or nobody owned the lane) is about clocks that have
gone on since: it is put off once, to now."""


# -- beginning ---------------------------------------------------------------------------------------------------------


def ask(state: SlaState, cause: RecordCause, command: ClocksRecompute, now: Instant) -> Decision:
    """Begins what was asked for, or refuses: 404 without a configuration, 409 while too many are not finished, 422 for
    a policy or calendar that the newest version has not."""
    version, tickets = _newest(state, cause.workspace)
    if not version:
        return refuse(404, "not-found", f"there is no workspace {cause.workspace}")
    book = state.book(cause.workspace, version)
    if wrong := [*_unknown(command, book)]:
        return refuse(422, "invalid", "the newest configuration has not what is named", errors=wrong)
    if sum(job.workspace == cause.workspace for job in state.jobs.open.values()) >= JOBS_MAX:
        return refuse(409, "too-many-jobs", f"{JOBS_MAX} recomputes of this workspace are not finished yet")
    job = Job(
        id=derived_id("job", now, cause.workspace, cause.id),
        workspace=cause.workspace,
        version=version,
        by=command.actor,
        begun_at=now,
        next_at=now,
        reason=command.reason,
        policies=command.policies,
        calendars=command.calendars,
        dry_run=command.dry_run,
        total=tickets,
    )
    state.jobs.keep(state.journal, job)
    return Decision(answer={"job_id": job.id}, status=202)


def _unknown(command: ClocksRecompute, book: Book) -> list[dict[str, str]]:
    """The names that the version has not, each with its place. What it has no more cannot be asked for by name: an
    unrestricted recompute ends it."""
    wrong = [
        {"pointer": f"/policies/{place}", "detail": f"there is no policy {name}"}
        for place, name in enumerate(command.policies)
        if book.named(name) is None
    ]
    wrong += [
        {"pointer": f"/calendars/{place}", "detail": f"there is no calendar {name}"}
        for place, name in enumerate(command.calendars)
        if name != ALWAYS and name not in book.definitions
    ]
    return wrong


def begin_with(state: SlaState, cause: RecordCause, applied: ConfigApplied, now: Instant) -> None:
    """The version that was applied is to hold for the open tickets too, if it says so."""
    if applied.open_clocks != "recompute":
        return
    job = Job(
        id=recompute_job_id(cause.workspace, applied.applied_at, applied.config_version),
        workspace=cause.workspace,
        version=applied.config_version,
        by=applied.author,
        begun_at=now,
        next_at=now,
        reason=applied.reason,
        total=_newest(state, cause.workspace)[1],
    )
    state.jobs.keep(state.journal, job)


def _newest(state: SlaState, workspace: str) -> tuple[int, int]:
    """The newest version, also one that this batch brought; and how many tickets are open."""
    version, tickets = state.jobs.newest.get(workspace, (0, 0))
    fresh = (number for name, number in state.new_configs if name == workspace)
    return max((version, *fresh)), tickets


# -- going on ----------------------------------------------------------------------------------------------------------


def earliest(state: SlaState) -> dict[str, Instant]:
    """When the next step is due; empty without a job."""
    job = state.jobs.head
    return {} if job is None else {RECOMPUTE: job.next_at}


def due(state: SlaState, until: Instant, count_max: int) -> list[TimerCause]:
    """The next step, if it is due: one at a time, and none in a batch that is full of firings."""
    job = state.jobs.head
    if job is None or job.next_at > until or count_max < 1:
        return []
    return [TimerCause(f"{job.id}:{job.steps}", RECOMPUTE, job.workspace, job.id, job.next_at, job.steps)]


def step(state: SlaState, cause: TimerCause, now: Instant) -> Decision:
    """The job's next tickets, and after the last of them the event that it is done."""
    job = state.jobs.open.get(cause.subject)
    if job is None or job.steps != cause.generation:
        return NOTHING
    if now - cause.due > _FRESH and not job.put_off:
        again = replace(job, next_at=now + _PAUSE, steps=job.steps + 1, put_off=True)
        state.jobs.keep(state.journal, again)
        return NOTHING
    ids = state.jobs.tickets.get(job.id, ())
    emissions: list[Emission] = []
    tally = _Tally()
    for id in ids:
        mark = state.journal.mark()
        try:
            emissions += _one(state, job, state.tickets[id], cause.due, now, tally)
        except Exception as error:
            state.journal.undo(mark)
            tally.failed(id, f"{type(error).__name__}: {error}"[:300])
    job = replace(
        tally.job(job),
        done=job.done + len(ids),
        steps=job.steps + 1,
        place=ids[-1] if ids else job.place,
        next_at=max(now, cause.due) + _PAUSE,
        put_off=False,
        finished_at=now if len(ids) < STEP_TICKETS_MAX else None,
    )
    state.jobs.keep(state.journal, job)
    if job.finished_at is not None and not job.dry_run:
        emissions.append(Emission(job.workspace, f"job:{job.id}", now, (_done(job, job.finished_at),)))
    return Decision(emissions=tuple(emissions))


def _one(state: SlaState, job: Job, ticket: Ticket, at: Instant, now: Instant, tally: "_Tally") -> tuple[Emission, ...]:
    """One ticket under the job's version. Those opened under it or a later one have it already."""
    if ticket.config_version > job.version or not _concerns(state, job, ticket):
        return ()
    course = restate(ticket, micros(at), lambda version: state.book(job.workspace, version), job.version, job.id)
    if course.finished() == ticket:
        return ()
    tally.add(course)
    return () if job.dry_run else conclude(state, course, ticket, at, now)


def _concerns(state: SlaState, job: Job, ticket: Ticket) -> bool:
    """Whether the ticket is one of the policies or calendars asked for, as its clocks stand or as the version says."""
    if not job.policies and not job.calendars:
        return True
    active = [clock for clock in ticket.clocks.values() if clock.active]
    policies = {clock.policy for clock in active}
    calendars = {clock.calendar for clock in active}
    policy = state.book(job.workspace, job.version).policy_for(ticket.labels)
    if policy is not None:
        policies.add(policy.name)
        targets = (policy.target(clock.metric, ticket.labels.priority) for clock in active)
        calendars.update(target.calendar for target in targets if target is not None)
    return not policies.isdisjoint(job.policies) or not calendars.isdisjoint(job.calendars)


class _Tally:
    """What one step adds to its job."""

    def __init__(self) -> None:
        self.more: Counter[str] = Counter()
        self.gained: list[dict[str, Any]] = []
        self.lost: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def add(self, course: Course) -> None:
        """Counts what the course of a ticket means, and names whose breach it gives or takes."""
        for fact in course.facts:
            if isinstance(fact, ClockRestated):
                self.more["restated"] += 1
                if fact.breach_stands:
                    self.more["lost"] += 1
                    self.lost.append(_named(fact))
                elif fact.state == "running" and fact.breach_at <= fact.restated_at:
                    self.more["gained"] += 1
                    self.gained.append(_named(fact))
            elif isinstance(fact, ClockStarted):
                self.more["started"] += 1
            elif isinstance(fact, ClockCancelled):
                self.more["cancelled"] += 1

    def failed(self, ticket_id: str, detail: str) -> None:
        """The ticket stays as it was."""
        self.more["failed"] += 1
        self.errors.append({"ticket_id": ticket_id, "detail": detail})

    def job(self, before: Job) -> Job:
        """The job with what the step adds."""
        return replace(
            before,
            counts=Counts(**{name: value + self.more[name] for name, value in asdict(before.counts).items()}),
            gained=(*before.gained, *self.gained)[:NAMED_MAX],
            lost=(*before.lost, *self.lost)[:NAMED_MAX],
            errors=(*before.errors, *self.errors)[:NAMED_MAX],
        )


def _named(fact: ClockRestated) -> dict[str, Any]:
    return {
        "ticket_id": fact.ticket_id,
        "clock_id": fact.clock_id,
        "metric": fact.metric,
        "cycle": fact.cycle,
        "policy": fact.policy,
        "due_at": fact.due_at,
        "was_due_at": fact.was.due_at,
    }


def _done(job: Job, finished_at: Instant) -> ClocksRecomputed:
    return made(
        ClocksRecomputed,
        job_id=job.id,
        config_version=job.version,
        by=job.by,
        reason=job.reason,
        policies=job.policies,
        calendars=job.calendars,
        tickets=job.done,
        begun_at=job.begun_at,
        finished_at=finished_at,
        **asdict(job.counts),
    )
