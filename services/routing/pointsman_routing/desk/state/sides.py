"""Rule 8, who can still be saved: a group's waiting tickets on two sides, those in time and those that are overdue.

Two heaps: one by order key, of those in time, and one by the instant from which they are overdue (`due`), of all. A
ticket changes sides when that instant has passed, and nothing is done then: who looks for the first in time drops what
is overdue by now and has surfaced, and finds it in the other heap. A lane's time never goes back, so what was dropped
is overdue for good, also when the decision that looked is undone; were somebody to look at an earlier instant all the
same, it is overdue then too (`dropped_us`), and never on no side.

Stale entries are dropped when they surface, as everywhere in `waiting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.order import OrderKey
from pointsman_routing.desk.state.policy import WHOLE_SHARE

Entry = tuple[OrderKey, int, int, Ticket, Any]
"""As `waiting` has it; which group it is in means nothing here."""

T = TypeVar("T")

STALE_KEPT_MIN = 8
"""Entries up to which a heap is not looked through for stale ones, beyond as many as are not."""


def due_of(entry: Entry) -> tuple[int, int, int]:
    """What the overdue are ordered by: since when they are, then their arrival; the serial makes it total."""
    due: int = entry[0][1]
    return due, entry[1], entry[2]


class Sides:
    """The entries of one group, whose keys are (slack, due)."""

    __slots__ = ("by_due", "by_key", "dropped_us")

    def __init__(self) -> None:
        self.dropped_us = 0
        self.by_key: list[Entry] = []
        self.by_due: list[tuple[int, int, int, Entry]] = []

    def enter(self, entry: Entry, standing: int) -> None:
        """One more; `standing`: how many entries are not stale."""
        for heap in (self.by_key, self.by_due):
            if len(heap) > STALE_KEPT_MIN and len(heap) > 2 * standing:
                self._drop_stale()
                break
        self.put(entry)

    def put(self, entry: Entry) -> None:
        heappush(self.by_key, entry)
        heappush(self.by_due, (*due_of(entry), entry))

    def first_in_time(self, now_us: int) -> Entry | None:
        """Of those that can still be answered in time the first by order key."""
        heap = self.by_key
        while heap:
            entry = heap[0]
            if entry[3].place is entry:
                if entry[0][1] >= now_us:
                    return entry
                self.dropped_us = max(self.dropped_us, entry[0][1])
            heappop(heap)
        return None

    def longest_overdue(self, now_us: int) -> Entry | None:
        """The one that is overdue the longest."""
        entry = self.first_due()
        return entry if entry is not None and (entry[0][1] < now_us or entry[0][1] <= self.dropped_us) else None

    def first_due(self) -> Entry | None:
        """The one that is overdue first, in the past or in the future."""
        heap = self.by_due
        while heap:
            entry = heap[0][3]
            if entry[3].place is entry:
                return entry
            heappop(heap)
        return None

    def entries(self) -> list[Entry]:
        """Every entry that stands here, in no order. For questions: linear. Undo may have put one there twice."""
        return list({id(each[3]): each[3] for each in self.by_due if each[3][3].place is each[3]}.values())

    def _drop_stale(self) -> None:
        self.by_key = [each for each in self.by_key if each[3].place is each]
        self.by_due = [each for each in self.by_due if each[3][3].place is each[3]]
        heapify(self.by_key)
        heapify(self.by_due)


def in_turn(share: int, credit: int, in_time: Sequence[T], overdue: Sequence[T]) -> Iterator[T]:
    """The order in which the tickets of one queue are offered to who may take all of them, if nothing else happens: by
    the queue's share and what credit the overdue have (rules.saving)."""
    first = lost = 0
    while first < len(in_time) and lost < len(overdue):
        credit += share
        if credit >= WHOLE_SHARE:
            credit -= WHOLE_SHARE
            yield overdue[lost]
            lost += 1
        else:
            yield in_time[first]
            first += 1
    yield from in_time[first:]
    yield from overdue[lost:]
