"""The timers of the next seconds, in memory. PostgreSQL holds all of them; this is only the index of what comes next.

`refresh` reads on from where the last reading ended (`read_to`); a timer that is armed for an instant before that goes
straight in here. So everything due up to `read_to` is here, and however many are armed for later stay in the table.
"""

from dataclasses import dataclass, field

from sortedcontainers import SortedList

from pointsman.core.cause import TimerCause
from pointsman.core.journal import Journal
from pointsman_sla.clocks.firing import kind_of
from pointsman_sla.clocks.model import Clock, TimerKind

Place = tuple[int, str]
"""(fires at, clock id): the order in which timers are read and fired."""

KINDS: tuple[TimerKind, ...] = ("warning", "breach", "escalation")


@dataclass(frozen=True, slots=True)
class NearTimer:
    """A timer that comes soon, with its clock as it stands and what the facts say of its ticket."""

    ticket_id: str
    workspace: str
    agent: str | None
    clock: Clock

    @property
    def point(self) -> tuple[int, str]:
        """Its clock's next point: (instant, name). Only a clock that has one has a timer."""
        point = self.clock.next_point
        assert point is not None
        return point

    @property
    def id(self) -> str:
        """Names this firing, and no other: the clock, its generation and the point."""
        return f"{self.clock.id}:{self.clock.generation}:{self.point[1]}"

    @property
    def place(self) -> Place:
        """When its next point falls."""
        return (self.point[0], self.clock.id)

    @property
    def kind(self) -> TimerKind:
        """The kind of timer: `warning`, `breach` or `escalation`."""
        return kind_of(self.point[1])


@dataclass(slots=True)
class Near:
    """The near timers by kind, in order. Changes go through the journal."""

    journal: Journal
    read_to: Place
    timers: dict[str, NearTimer] = field(default_factory=dict)
    order: dict[str, "SortedList[Place]"] = field(default_factory=lambda: {kind: SortedList() for kind in KINDS})

    def load(self, timer: NearTimer) -> None:
        """Takes a timer that was read from the table. One that is here already is newer."""
        if timer.clock.id not in self.timers:
            self.timers[timer.clock.id] = timer
            self.order[timer.kind].add(timer.place)

    def arm(self, timer: NearTimer) -> None:
        """The clock's timer is as given: near if it comes before what was read, else only in the table."""
        self.disarm(timer.clock.id)
        if timer.clock.next_point is not None and timer.place <= self.read_to:
            self.journal.put(self.timers, timer.clock.id, timer)
            order = self.order[timer.kind]
            order.add(timer.place)
            self.journal.note(order.remove, timer.place)

    def disarm(self, clock_id: str) -> None:
        """The clock has no near timer any more."""
        before = self.journal.pop(self.timers, clock_id)
        if before is not None:
            order = self.order[before.kind]
            order.remove(before.place)
            self.journal.note(order.add, before.place)


def clock_of(cause: TimerCause) -> str:
    """The id of the clock whose timer has come."""
    return cause.id.partition(":")[0]
