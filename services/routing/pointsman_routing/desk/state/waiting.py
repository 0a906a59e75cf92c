"""Waiting tickets by what they need, so that nobody scans them.

Tickets that the same agents may take stand in one `Group`: same queue and stage (what relaxed, overflowed or opened
by the time they waited), same further queues, channel, weight, requirement set as it is at that stage, and slope.
Within it a heap orders them by their order key. Entering costs O(log n) in the waiting tickets of the group, leaving
O(1): an entry is stale when the ticket's `place` is another, and is dropped when it surfaces. What a released agent may
take is found among the heads of the groups that the agent's pool serves: the number of groups is that of the
requirement sets in use, not of tickets.

Where waiting changes something, a group knows its tickets by age too (`Ages`), and a timer of the queue is due when
the first becomes ripe; it moves those that are to the group of their next stage, each at the cost of leaving and
entering. No sweep looks at the others.

Tickets that somebody declined are few; they stand beside the heap (`picky`), because an agent has to skip his own.

Where a queue shares its offers between those in time and the overdue, a group has `sides` instead of its heap, which
then stays empty.

Only `place` of the tickets and `count` and `picky` of the groups are state. A heap or `Ages` may hold stale entries, a
group may be empty; undo puts entries back that a heap dropped meanwhile, and `Ages` drops none before the commit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from heapq import heapify, heappop, heappush, nsmallest
from typing import Any

from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.order import OrderKey, head_key, order_key, since_us, slope_of
from pointsman_routing.desk.state.policy import Needs, Policy, QueuePolicy
from pointsman_routing.desk.state.sides import STALE_KEPT_MIN, Sides, due_of

Entry = tuple[OrderKey, int, int, Ticket, "Group"]
"""(order key, arrival, serial, ticket, group). Equal keys go by arrival; the serial orders an entry and its stale
like."""

GROUPS_KEPT_MIN = 256


class Ages:
    """A group's entries by how long they wait, oldest first. Nearly all enter at the end, where that costs O(1). Stale
    ones stay until `tidy`, which is for when nothing can be undone: undo finds an entry where it was."""

    __slots__ = ("entries", "since")

    def __init__(self) -> None:
        self.since = array("q")
        self.entries: list[Entry] = []

    def add(self, since: int, entry: Entry) -> None:
        if not self.entries or since >= self.since[-1]:
            self.since.append(since)
            self.entries.append(entry)
        else:
            at = bisect_right(self.since, since)
            self.since.insert(at, since)
            self.entries.insert(at, entry)

    def oldest(self) -> int | None:
        """Since when the oldest that still stands here waits, in µs."""
        standing = (at for at, entry in enumerate(self.entries) if entry[3].place is entry)
        first = next(standing, None)
        return None if first is None else self.since[first]

    def until(self, since: int) -> list[Entry]:
        """Those that wait since then or longer."""
        end = bisect_right(self.since, since)
        return [entry for entry in self.entries[:end] if entry[3].place is entry]

    def tidy(self, standing: int) -> None:
        """Drops the stale entries at the front, and all of them once they are more than those that stand here, so that
        each pays a constant share."""
        entries = self.entries
        first = next((at for at, entry in enumerate(entries) if entry[3].place is entry), len(entries))
        del self.since[:first], entries[:first]
        if len(entries) > 2 * standing + STALE_KEPT_MIN:
            kept = [at for at, entry in enumerate(entries) if entry[3].place is entry]
            self.since = array("q", (self.since[at] for at in kept))
            self.entries = [entries[at] for at in kept]


class Group:
    """Waiting tickets that the same agents may take. `lines` are the queues in which these agents may be found, the
    ticket's own first; `requires` is what is left of the requirements, `opened_us` how long the tickets waited at
    least, and `ripens_us` after how much waiting they go on to another group. `search` is what explanations store of
    them, made once."""

    __slots__ = (
        "ages",
        "channel",
        "count",
        "heap",
        "lines",
        "opened_us",
        "picky",
        "queue",
        "requires",
        "ripens_us",
        "search",
        "sides",
        "slope",
        "weight",
    )

    def __init__(
        self,
        queue: QueuePolicy,
        stage: int,
        wide: tuple[str, ...],
        channel: str,
        weight: int,
        requires: Needs,
        slope: float,
    ) -> None:
        holds = queue.stages[stage]
        self.queue, self.channel, self.weight, self.requires, self.slope = queue.slug, channel, weight, requires, slope
        self.lines = (*holds.lines, *wide)
        self.opened_us = holds.after_us
        last = stage + 1 == len(queue.stages)
        self.ripens_us = None if last else queue.stages[stage + 1].after_us
        self.ages = None if last else Ages()
        self.search: dict[str, Any] | None = None
        self.heap: list[Entry] = []
        self.sides = None if queue.late_share is None else Sides()
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

    def heads(self, agent: str | None, now_us: int) -> tuple[Entry | None, Entry | None]:
        """Of a group with `sides`: the first in time and the longest overdue that this agent has not declined."""
        sides = self.sides
        assert sides is not None
        in_time, overdue = sides.first_in_time(now_us), sides.longest_overdue(now_us)
        for entry in self.picky.values():
            if agent and agent in (entry[3].declined or ()):
                continue
            if entry[0][1] >= now_us:
                in_time = entry if in_time is None or entry < in_time else in_time
            elif overdue is None or due_of(entry) < due_of(overdue):
                overdue = entry
        return in_time, overdue

    def enter(self, entry: Entry) -> None:
        if self.sides is not None:
            self.sides.enter(entry, self.count)
            return
        heap = self.heap
        if len(heap) > STALE_KEPT_MIN and len(heap) > 2 * self.count:
            self.heap = heap = [each for each in heap if each[3].place is each]
            heapify(heap)
        heappush(heap, entry)

    def ripens_at_us(self) -> int | None:
        """When the first of its tickets goes on."""
        if self.ages is None or self.ripens_us is None:
            return None
        oldest = self.ages.oldest()
        return None if oldest is None else oldest + self.ripens_us

    def uncount(self) -> None:
        self.count -= 1

    def recount(self, entry: Entry) -> None:
        self.count += 1
        if self.sides is not None:
            self.sides.put(entry)
        else:
            heappush(self.heap, entry)

    def first(self, count_max: int) -> list[Entry]:
        """The first tickets by their key, no more than so many. For questions: linear in what stands here, and in what
        is stale."""
        return nsmallest(max(0, count_max), [*self._standing(), *self.picky.values()])

    def entries(self) -> list[Entry]:
        """Every waiting ticket, in order. For questions and tests: linear."""
        unique = {entry[3].id: entry for entry in self._standing()}
        return sorted([*unique.values(), *self.picky.values()])

    def _standing(self) -> list[Entry]:
        if self.sides is not None:
            return self.sides.entries()
        return [entry for entry in self.heap if entry[3].place is entry]

    def oldest(self) -> Instant | None:
        """Since when the first in order waits; with `sides`, who is overdue first."""
        if self.sides is not None:
            due = [*self.picky.values(), *filter(None, [self.sides.first_due()])]
            entry = min(due, key=due_of, default=None)
        else:
            entry = self.head()
        return entry[3].waiting_since if entry else None


def first_key(entry: Entry, now_us: int) -> tuple[Any, int]:
    """What the heads of one queue compare by."""
    return head_key(entry[0], entry[4].slope, now_us), entry[1]


class Waiting:
    """The groups of one desk. `shapes` grows with each new group, so that pools know when to look again; `weight_min`
    is not above the lightest group's weight, so that a full agent need not look at all. `aging` are the groups of each
    queue whose tickets change by waiting, `sided` those of each queue that shares its offers with the overdue."""

    __slots__ = ("_aged", "_journal", "_policy", "_serial", "aging", "groups", "shapes", "sided", "weight_min")

    def __init__(self, policy: Policy | None, journal: Journal) -> None:
        self._journal, self._policy = journal, policy
        self._serial = 0
        self.groups: dict[tuple[Any, ...], Group] = {}
        self.aging: dict[str, list[Group]] = {}
        self.sided: dict[str, list[Group]] = {}
        self._aged: dict[Group, None] = {}
        self.shapes = 0
        self.weight_min = 1

    def adopt(self, policy: Policy, changed: frozenset[str]) -> None:
        """A new version. The groups of changed queues are dropped with their entries, after the tickets there lost
        their place; everywhere else each ticket stands where it stood."""
        self._journal.set(self, "_policy", policy)
        if changed:
            kept = {key: group for key, group in self.groups.items() if group.queue not in changed}
            aging = {queue: list(groups) for queue, groups in self.aging.items() if queue not in changed}
            sided = {queue: list(groups) for queue, groups in self.sided.items() if queue not in changed}
            self._journal.set(self, "groups", kept)
            self._journal.set(self, "aging", aging)
            self._journal.set(self, "sided", sided)
            self.shapes += 1

    def group_of(self, ticket: Ticket) -> Group:
        """The group in which the ticket stands or would stand, at its stage."""
        policy = self._policy
        assert policy is not None, "nothing waits before the first configuration"
        labels, queue, stage = ticket.labels, policy.queues[ticket.queue], ticket.stage
        requires, slope = labels.requires, 0.0
        if queue.stages[stage].relaxes or ticket.relaxed is not None:
            requires = policy.needs_of(ticket.queue, stage, requires, labels.language, ticket.relaxed)
        if queue.slopes:
            slope = slope_of(ticket, queue)
        wide = ticket.wide
        if wide:
            wide = tuple(line for line in wide if line not in queue.stages[stage].lines)
        key = (ticket.queue, stage, wide, ticket.channel, labels.weight, requires, slope)
        group = self.groups.get(key)
        if group is None:
            group = Group(queue, stage, wide, ticket.channel, labels.weight, requires, slope)
            self.groups[key] = group
            self.shapes += 1
            self.weight_min = min(self.weight_min, labels.weight)
            self._list(group)
        return group

    def _list(self, group: Group) -> None:
        if group.ages is not None:
            self.aging.setdefault(group.queue, []).append(group)
        if group.sides is not None:
            self.sided.setdefault(group.queue, []).append(group)

    def enter(self, ticket: Ticket, key: OrderKey) -> Group:
        """The ticket waits from now on; the caller has edited it."""
        self._serial += 1
        group = self.group_of(ticket)
        ticket.place = entry = (key, ticket.arrival, self._serial, ticket, group)
        if ticket.declined:
            self._journal.put(group.picky, ticket.id, entry)
        else:
            group.count += 1
            self._journal.note(group.uncount)
            group.enter(entry)
        if group.ages is not None:
            group.ages.add(since_us(ticket), entry)
            self._aged[group] = None
        return group

    def leave(self, ticket: Ticket) -> None:
        """The ticket waits no more; the caller has edited it."""
        entry = ticket.place
        if entry is None:
            return
        group: Group = entry[4]
        ticket.place = None
        if group.ages is not None:
            self._aged[group] = None
        if self._journal.pop(group.picky, ticket.id) is None:
            group.count -= 1
            self._journal.note(group.recount, entry)

    def ripe(self, queue: str, now_us: int, count_max: int) -> list[Ticket]:
        """Tickets of the queue whose stage is over, longest waiting first."""
        found: list[tuple[int, int, str, Ticket]] = []
        for group in self.aging.get(queue, ()):
            if group.ages is None or group.ripens_us is None:
                continue
            ripe = group.ages.until(now_us - group.ripens_us)
            found += [(since_us(entry[3]), entry[1], entry[3].id, entry[3]) for entry in ripe[:count_max]]
        unique = {entry[2]: entry for entry in found}
        return [entry[3] for entry in sorted(unique.values(), key=lambda entry: entry[:3])[:count_max]]

    def ripens_at_us(self, queue: str) -> int | None:
        """When the first of the queue's tickets goes on to its next stage, in µs."""
        instants = (group.ripens_at_us() for group in self.aging.get(queue, ()))
        return min((at for at in instants if at is not None), default=None)

    def any_overdue(self, queue: str, now_us: int) -> bool:
        """Whether somebody overdue waits in a queue whose groups have `sides`."""
        return any(group.heads(None, now_us)[1] is not None for group in self.sided.get(queue, ()))

    def depth(self, queue: str) -> int:
        """Waiting tickets of a queue."""
        return sum(group.count + len(group.picky) for group in self.groups.values() if group.queue == queue)

    def stands_right(self, ticket: Ticket) -> bool:
        """Whether the ticket stands where its key and stage say. For tests and the auditor."""
        place, policy = ticket.place, self._policy
        if place is None or policy is None:
            return False
        return place[0] == order_key(ticket, policy.queues[ticket.queue]) and place[4] is self.group_of(ticket)

    def prune(self) -> None:
        """Drops empty groups when they are most, and from the others' ages what is stale. Only while nothing can be
        undone."""
        for group in self._aged:
            if group.ages is not None:
                group.ages.tidy(group.count + len(group.picky))
        self._aged.clear()
        if len(self.groups) > GROUPS_KEPT_MIN:
            kept = {key: group for key, group in self.groups.items() if group.count or group.picky}
            if len(kept) * 2 < len(self.groups):
                self.groups = kept
                self.aging, self.sided = {}, {}
                for group in kept.values():
                    self._list(group)
                self.shapes += 1
