"""Waiting tickets by what they need, so that nobody scans them.

Tickets that the same agents may take stand in one `Group`: same queue, channel, weight and requirement set. Within it
a heap orders them by their order key. Entering costs O(log n) in the waiting tickets of the group, leaving O(1): an
entry is stale when the ticket's `place` is another, and is dropped when it surfaces. What a released agent may take is
found among the heads of the groups that the agent's pool serves: the number of groups is that of the requirement sets
in use, not of tickets.

Tickets that somebody declined are few; they stand beside the heap (`picky`), because an agent has to skip his own.

Only `place` of the tickets and `count` and `picky` of the groups are state. A heap may hold stale entries, a group may
be empty; undo puts entries back that were dropped meanwhile.
"""

from heapq import heapify, heappop, heappush
from typing import Any

from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_routing.desk.model import Ticket
from pointsman_routing.desk.order import OrderKey
from pointsman_routing.desk.policy import Needs

Entry = tuple[OrderKey, str, int, Ticket]
"""(order key, ticket id, serial, ticket). The id orders equal keys, the serial an entry and its stale like."""

GROUPS_KEPT_MIN = 256


class Group:
    """Waiting tickets that the same agents may take."""

    __slots__ = ("channel", "count", "heap", "picky", "queue", "requires", "weight")

    def __init__(self, queue: str, channel: str, weight: int, requires: Needs) -> None:
        self.queue, self.channel, self.weight, self.requires = queue, channel, weight, requires
        self.heap: list[Entry] = []
        self.picky: dict[str, Entry] = {}
        self.count = 0

    def head(self, agent: str | None = None) -> Entry | None:
        """The first ticket, or the first that this agent has not declined."""
        heap, found = self.heap, None
        while heap:
            found = heap[0]
            if found[3].place is found:
                break
            heappop(heap)
            found = None
        if self.picky:
            for entry in self.picky.values():
                if (found is None or entry < found) and not (agent and agent in (entry[3].declined or ())):
                    found = entry
        return found

    def enter(self, entry: Entry) -> None:
        heap = self.heap
        if len(heap) > 64 and len(heap) > 2 * self.count:
            self.heap = heap = [each for each in heap if each[3].place is each]
            heapify(heap)
        heappush(heap, entry)

    def uncount(self) -> None:
        self.count -= 1

    def recount(self, entry: Entry) -> None:
        self.count += 1
        heappush(self.heap, entry)

    def entries(self) -> list[Entry]:
        """Every waiting ticket, in order. For questions and tests: linear."""
        unique = {entry[1]: entry for entry in self.heap if entry[3].place is entry}
        return sorted([*unique.values(), *self.picky.values()])

    def oldest(self) -> Instant | None:
        """Since when the first in order waits."""
        entry = self.head()
        return entry[3].waiting_since if entry else None


class Waiting:
    """The groups of one desk. `shapes` grows with each new group, so that pools know when to look again; `weight_min`
    is not above the lightest group's weight, so that a full agent need not look at all."""

    __slots__ = ("_journal", "_serial", "groups", "shapes", "weight_min")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._serial = 0
        self.groups: dict[tuple[Any, ...], Group] = {}
        self.shapes = 0
        self.weight_min = 1

    def group_of(self, ticket: Ticket) -> Group:
        """The group in which the ticket stands or would stand."""
        labels = ticket.labels
        key = (ticket.queue, ticket.channel, labels.weight, labels.requires)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(*key)
            self.shapes += 1
            self.weight_min = min(self.weight_min, labels.weight)
        return group

    def enter(self, ticket: Ticket, key: OrderKey) -> None:
        """The ticket waits from now on; the caller has edited it."""
        self._serial += 1
        entry = (key, ticket.id, self._serial, ticket)
        group = self.group_of(ticket)
        ticket.place = entry
        if ticket.declined:
            self._journal.put(group.picky, ticket.id, entry)
        else:
            group.count += 1
            self._journal.note(group.uncount)
            group.enter(entry)

    def leave(self, ticket: Ticket) -> None:
        """The ticket waits no more; the caller has edited it and changes its labels or queue only afterwards."""
        entry = ticket.place
        if entry is None:
            return
        group = self.group_of(ticket)
        ticket.place = None
        if self._journal.pop(group.picky, ticket.id) is None:
            group.count -= 1
            self._journal.note(group.recount, entry)

    def depth(self, queue: str) -> int:
        """Waiting tickets of a queue."""
        return sum(group.count + len(group.picky) for group in self.groups.values() if group.queue == queue)

    def prune(self) -> None:
        """Drops empty groups when they are most. Only while nothing can be undone."""
        if len(self.groups) > GROUPS_KEPT_MIN:
            kept = {key: group for key, group in self.groups.items() if group.count or group.picky}
            if len(kept) * 2 < len(self.groups):
                self.groups = kept
                self.shapes += 1
