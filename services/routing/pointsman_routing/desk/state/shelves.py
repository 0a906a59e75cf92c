"""Where a pool's available agents stand: in a heap, or a list by slug, for each number of free units.

Entries of another stamp than their agent's are stale, and dropped from a heap when they surface.
"""

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from sortedcontainers import SortedList

from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.order import micros

ANY = "any"
"""One shelf for all channels."""

LOAD, IDLE, SLUG = "load", "idle", "slug"
KEY_KIND: dict[str | None, str] = {
    None: LOAD,
    "least_loaded": LOAD,
    "longest_idle": IDLE,
    "best_skilled": IDLE,
    "round_robin": SLUG,
}
"""Choice mode → the kind of key that orders agents of equal standing score."""


class Entry(NamedTuple):
    """An agent as found in a shelf. `key` is total: it ends with the slug."""

    key: tuple[Any, ...]
    stamp: int
    agent: Agent


def choice_key(kind: str, agent: Agent) -> tuple[Any, ...]:
    """What orders agents of equal standing score: (load share, idle since, slug), (idle since, slug) or (slug)."""
    if kind == LOAD:
        return (agent.load / max(1, agent.profile.capacity), micros(agent.idle_since), agent.slug)
    if kind == IDLE:
        return (micros(agent.idle_since), agent.slug)
    return (agent.slug,)


class Shelf:
    """A pool's available agents, by free units."""

    __slots__ = ("buckets", "entered")

    def __init__(self) -> None:
        self.buckets: dict[int, list[Entry]] = {}
        self.entered = 0

    def add(self, free: int, entry: Entry) -> None:
        bucket = self.buckets.get(free)
        if bucket is None:
            bucket = self.buckets[free] = []
        heappush(bucket, entry)
        self.entered += 1
        if self.entered > 4096:
            self._sweep()

    def remove(self, free: int, entry: Entry) -> None:
        """Nothing to do: the agent's stamp has changed, and the entry is dropped when it surfaces."""

    def _sweep(self) -> None:
        """Drops the stale entries; once in thousands of additions, so that each pays a constant share."""
        for free, bucket in list(self.buckets.items()):
            kept = list({id(e.agent): e for e in bucket if e.agent.stamp == e.stamp}.values())
            heapify(kept)
            self.buckets[free] = kept
            if not kept:
                del self.buckets[free]
        self.entered = 0

    def best(self, weight: int, skip: Any = ()) -> Entry | None:
        """The first agent with at least `weight` units who is not to be skipped."""
        found: Entry | None = None
        for free, bucket in self.buckets.items():
            if free < weight:
                continue
            head = self._head(bucket, skip)
            if head is not None and (found is None or head < found):
                found = head
        return found

    def _head(self, bucket: list[Entry], skip: Any) -> Entry | None:
        aside: list[Entry] = []
        head: Entry | None = None
        while bucket:
            entry = bucket[0]
            if entry[2].stamp != entry[1]:
                heappop(bucket)
            elif skip and entry[2].slug in skip:
                aside.append(heappop(bucket))
            else:
                head = entry
                break
        for entry in aside:
            heappush(bucket, entry)
        return head


class CyclicShelf:
    """A pool's available agents by slug, for `round_robin`: exact lists, since one asks from the middle."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[int, Any] = {}

    def add(self, free: int, entry: Entry) -> None:
        bucket = self.buckets.get(free)
        if bucket is None:
            bucket = self.buckets[free] = SortedList()
        bucket.add(entry)

    def remove(self, free: int, entry: Entry) -> None:
        self.buckets[free].remove(entry)

    def next_after(self, last: str, weight: int, skip: Any) -> Entry | None:
        """The first agent after `last` in the circle of slugs."""
        found: Entry | None = None
        for free, bucket in self.buckets.items():
            if free < weight or not bucket:
                continue
            start = bucket.bisect_right(((last, "\uffff"),))
            for step in range(len(bucket)):
                entry = bucket[(start + step) % len(bucket)]
                if entry.agent.slug not in skip:
                    if found is None or turn_of(entry, last) < turn_of(found, last):
                        found = entry
                    break
        return found


def turn_of(entry: Entry, last: str) -> tuple[bool, str]:
    """What orders agents in the circle of slugs after `last`."""
    return entry.agent.slug <= last, entry.agent.slug
