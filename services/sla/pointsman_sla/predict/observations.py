"""What is noted while clocks are kept: how long things took, and who is at work in which queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pointsman.contracts.desk import TicketAssigned
from pointsman.contracts.sla import ClockMet
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import METRICS, Ticket
from pointsman_sla.micros import MICROS, micros
from pointsman_sla.predict.durations import bin_of
from pointsman_sla.predict.model import HOLD, answer, gap, whole


def took(before: Ticket | None, course: Course) -> Iterator[tuple[str, float]]:
    """(what, seconds) of everything that this record ended: answers since their assignment, whole clocks, and an
    agent's holding the ticket, in the calendar of the clock (of holding: of the ticket's first clock)."""
    held_since = before.phases[-1][0] if before is not None and before.phase == "assigned" else None
    for fact in course.facts:
        if isinstance(fact, ClockMet):
            clock = course.changed[fact.clock_id]
            yield whole(clock.metric), fact.elapsed_business_seconds
            if held_since is not None:
                calendar = course.calendars(clock.calendar, clock.version)
                since = max(held_since, clock.started_at)
                yield answer(clock.metric), calendar.elapsed(since, micros(fact.met_at)) / MICROS
    if held_since is not None and course.ticket.phase != "assigned":
        clocks = (course.clocks.get(metric) for metric in METRICS)
        counting = next((clock for clock in clocks if clock is not None), None)
        if counting is not None:
            calendar = course.calendars(counting.calendar, counting.version)
            yield HOLD, calendar.elapsed(held_since, course.at) / MICROS


class Notes:
    """What a batch adds, until it is committed. `durations` counts (workspace, queue, what, bin); `seen` has when an
    agent last was given a ticket of a queue, by (workspace, agent, queue), and `present` whether the agent is there."""

    __slots__ = ("_journal", "_went_on", "durations", "expired_at", "present", "seen")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.durations: dict[tuple[str, str, str, int], int] = {}
        self.seen: dict[tuple[str, str, str], Instant] = {}
        self.present: dict[tuple[str, str], bool] = {}
        self.expired_at: Instant | None = None
        self._went_on: dict[tuple[str, str, str], int] = {}

    def note(self, before: Ticket | None, course: Course, bodies: Iterable[Any], at: Instant) -> None:
        """Notes what a record of a ticket says."""
        workspace, queue = course.ticket.workspace, course.ticket.labels.queue
        if queue is None:
            return
        for what, seconds in took(before, course):
            key = (workspace, queue, what, bin_of(seconds))
            self._journal.put(self.durations, key, self.durations.get(key, 0) + 1)
        if before is not None and before.phase == "queued" and course.ticket.phase == "assigned":
            self._note_gap(before, queue, micros(at))
        for body in bodies:
            if isinstance(body, TicketAssigned):
                self._journal.put(self.seen, (workspace, body.agent, queue), at)
                self._journal.put(self.present, (workspace, body.agent), True)

    def _note_gap(self, before: Ticket, queue: str, at: int) -> None:
        """The line of this priority went on: since the last time, or since this ticket is in it."""
        line = (before.workspace, queue, before.labels.priority)
        seconds = (at - max(before.phases[-1][0], self._went_on.get(line, 0))) / MICROS
        self._journal.put(self._went_on, line, at)
        key = (before.workspace, queue, gap(before.labels.priority), bin_of(seconds))
        self._journal.put(self.durations, key, self.durations.get(key, 0) + 1)

    def hear(self, workspace: str, fact: PresenceChanged) -> None:
        """Notes that an agent came or went."""
        self._journal.put(self.present, (workspace, fact.agent), fact.state == "available")

    def committed(self) -> None:
        """What was noted is in the tables."""
        self.durations.clear()
        self.seen.clear()
        self.present.clear()
