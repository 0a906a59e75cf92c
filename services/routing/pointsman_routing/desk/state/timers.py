"""Timers as data: what is armed is a mapping, found by a heap whose stale entries are dropped when they surface.

All desks of a lane share one `Timers`. Arming costs O(log n), disarming O(1); the heap is built anew from what is
armed when more than half of it is stale. Only `armed` is state: the heap may hold anything else without harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from pointsman.core.cause import TimerCause
from pointsman.core.instant import Instant, rfc3339
from pointsman.core.journal import Journal

if TYPE_CHECKING:
    from pointsman_routing.desk.state.model import Ticket

Key = tuple[str, str]
"""(workspace, subject): a timer's own name within its kind."""

OFFER, LEASE, GRACE, ABANDON, PENDING, WRAP_UP, CLOSE, RETRY, HOLD, OPENING, RIPEN, RESERVE, JOB = KINDS = (
    "offer",
    "lease",
    "grace",
    "abandon",
    "pending",
    "wrap_up",
    "close",
    "retry",
    "hold",
    "opening",
    "ripen",
    "reserve",
    "job",
)

GATES: dict[str, frozenset[str]] = {
    OFFER: frozenset({"commands"}),
    LEASE: frozenset({"commands"}),
    GRACE: frozenset({"commands", "sla"}),
    ABANDON: frozenset({"requests", "commands"}),
    PENDING: frozenset({"requests", "commands"}),
    WRAP_UP: frozenset({"commands", "requests"}),
    CLOSE: frozenset({"requests", "commands"}),
    RETRY: frozenset({"commands"}),
    HOLD: frozenset({"commands"}),
    OPENING: frozenset({"commands"}),
    RIPEN: frozenset({"commands"}),
    RESERVE: frozenset({"commands"}),
    JOB: frozenset(),
}
"""Kind → the topics whose records can stop such a timer (DESIGN §3, inputs before timers)."""


class _Kind:
    """The timers of one kind."""

    __slots__ = ("armed", "heap")

    def __init__(self) -> None:
        self.armed: dict[Key, Instant] = {}
        self.heap: list[tuple[Instant, Key]] = []

    def push(self, due: Instant, key: Key) -> None:
        heap = self.heap
        if len(heap) > 64 and len(heap) > 2 * len(self.armed):
            self.heap = [(due, key) for key, due in self.armed.items()]
            heapify(self.heap)
        else:
            heappush(heap, (due, key))

    def head(self) -> tuple[Instant, Key] | None:
        heap, armed = self.heap, self.armed
        while heap:
            entry = heap[0]
            if armed.get(entry[1]) == entry[0]:
                return entry
            heappop(heap)
        return None

    def restore(self, key: Key, due: Instant | None) -> None:
        """The inverse of a change: as it was, and found again even if its entry was dropped meanwhile."""
        if due is None:
            self.armed.pop(key, None)
        else:
            self.armed[key] = due
            heappush(self.heap, (due, key))


class Timers:
    """Every timer of a lane's desks."""

    __slots__ = ("_journal", "_kinds")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kinds = {kind: _Kind() for kind in KINDS}

    def arm(self, kind: str, key: Key, due: Instant | None) -> None:
        """Sets the timer's instant; None disarms it."""
        timers = self._kinds[kind]
        before = timers.armed.get(key)
        if before == due:
            return
        self._journal.note(timers.restore, key, before)
        if due is None:
            del timers.armed[key]
        else:
            timers.armed[key] = due
            timers.push(due, key)

    def armed_for(self, kind: str, key: Key) -> Instant | None:
        """The timer's instant."""
        return self._kinds[kind].armed.get(key)

    def stands(self, timer: TimerCause) -> bool:
        """Whether the timer is still armed as it was handed out: what was decided since may have moved or ended it."""
        return self._kinds[timer.kind].armed.get((timer.workspace, timer.subject)) == timer.due

    def earliest(self) -> dict[str, Instant]:
        """Kind → the earliest instant that is armed; kinds without a timer are absent."""
        found = {}
        for kind, timers in self._kinds.items():
            head = timers.head() if timers.armed else None
            if head is not None:
                found[kind] = head[0]
        return found

    def due(self, kind: str, until: Instant, count_max: int) -> list[TimerCause]:
        """The timers due at or before `until`, earliest first. They stay armed: deciding one moves or disarms it."""
        timers = self._kinds[kind]
        taken: dict[Key, Instant] = {}
        while len(taken) < count_max:
            head = timers.head()
            if head is None or head[0] > until:
                break
            heappop(timers.heap)
            taken[head[1]] = head[0]
        for key, due in taken.items():
            heappush(timers.heap, (due, key))
        return [
            TimerCause(f"{kind}/{workspace}/{subject}/{rfc3339(due)}", kind, workspace, subject, due)
            for (workspace, subject), due in taken.items()
        ]

    def armed(self, workspace: str) -> Iterator[tuple[str, str, Instant]]:
        """(kind, subject, due) of everything armed for a workspace."""
        for kind, timers in self._kinds.items():
            for (owner, subject), due in timers.armed.items():
                if owner == workspace:
                    yield kind, subject, due


def timers_of(ticket: Ticket) -> Iterator[tuple[str, str, Instant]]:
    """(kind, subject, due) of the timers that an open ticket has; an offer's is armed under the offer's id."""
    if ticket.offer is not None:
        yield OFFER, ticket.offer.id, ticket.offer.expires_at
    for kind, due in (
        (GRACE, ticket.requeues_at),
        (ABANDON, ticket.abandons_at),
        (PENDING, ticket.pause.ends_at if ticket.pause else None),
        (WRAP_UP, ticket.wrap_up_until),
        (RETRY, ticket.retry_at),
        (RESERVE, ticket.reserved_until),
    ):
        if due is not None:
            yield kind, ticket.id, due
