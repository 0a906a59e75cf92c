"""Agents by what they can do and how much room they have, so that nobody scans them.

Agents with the same skills, queues, ranks and times at which ranks open stand in one `Pool`. A pool keeps its available
agents in a `Shelf` per channel (one for all channels where caps and reserves make no difference) and per kind of choice
key, and there in one heap per number of free units: the best agent with room for a weight is the smallest head among
the heaps of at least so many units. Moving an agent costs O(log n) in the agents of the pool; asking costs the number
of different free units, which capacities bound. A ticket asks the pools that are eligible for its requirement set, by
classes of equal standing score, and stops at the first class that has room; when fewer pools have any room than are
eligible, it asks those.

State are the agents' `stamp` and `shelved`, and the counts. Entries of another stamp are stale, and dropped when they
surface; undo puts those back that were dropped meanwhile.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pointsman.contracts.shapes import Channel
from pointsman.core.journal import Journal
from pointsman_routing.desk.state.capacity import NO_ROOM, room_for, takes_offers
from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.policy import Needs, Policy, Profile
from pointsman_routing.desk.state.shelves import ANY, KEY_KIND, SLUG, CyclicShelf, Entry, Shelf, choice_key, turn_of
from pointsman_routing.desk.state.waiting import Group, Waiting

CHANNELS: tuple[Channel, ...] = ("email", "chat", "social")


class Pool:
    """Agents alike: same skills, same queues, and ranks that open at the same times."""

    __slots__ = (
        "available",
        "groups",
        "groups_shapes",
        "kinds",
        "levels",
        "number",
        "opens_us",
        "ranks",
        "roomy",
        "shelves",
        "size",
        "skills",
    )

    def __init__(self, number: int, profile: Profile, kinds: tuple[str, ...]) -> None:
        self.number = number
        self.skills, self.ranks, self.opens_us, self.kinds = profile.skills, profile.ranks, profile.opens_us, kinds
        self.levels = sum(profile.skills.values())
        self.shelves: dict[tuple[str, str], Any] = {}
        self.available: dict[str, int] = dict.fromkeys(CHANNELS, 0)
        self.size = 0
        self.roomy = 0
        self.groups: list[tuple[Group, int]] = []
        self.groups_shapes = -1

    def holds(self, requires: Needs) -> bool:
        """Whether its agents have every required skill at its level."""
        skills = self.skills
        return all(skills.get(skill, 0) >= level for skill, level in requires)

    def rank_in(self, lines: Sequence[str], waited_us: int) -> int | None:
        """The lowest rank at which its agents serve tickets that stand in these queues and waited so long."""
        ranks, opens_us = self.ranks, self.opens_us
        found = [ranks[line] for line in lines if line in ranks and opens_us[line] <= waited_us]
        return min(found, default=None)

    def may_take(self, lines: Sequence[str], waited_us: int, requires: Needs) -> bool:
        return self.holds(requires) and self.rank_in(lines, waited_us) is not None

    def preferred_met(self, prefers: Needs) -> int:
        """How many of the preferred skills its agents have at their level."""
        skills = self.skills
        return sum(skills.get(skill, 0) >= level for skill, level in prefers)

    def groups_served(self, waiting: Waiting) -> list[tuple[Group, int]]:
        """The groups whose tickets its agents may take, each with their rank in it; looked up again only when there are
        new groups."""
        if self.groups_shapes != waiting.shapes:
            self.groups = [
                (group, rank)
                for group in waiting.groups.values()
                if self.holds(group.requires) and (rank := self.rank_in(group.lines, group.opened_us)) is not None
            ]
            self.groups_shapes = waiting.shapes
        return self.groups

    def seek(self, channel: str, kind: str, weight: int, skip: Any, last: str) -> Entry | None:
        """The best agent for a kind of choice by which nobody is ordered here, found by looking at all: for the few
        tickets that another configuration once let these agents have."""
        shelf = self.shelves.get((channel, self.kinds[0]))
        if shelf is None:
            return None
        able = {
            entry.agent.slug: Entry(choice_key(kind, entry.agent), entry.stamp, entry.agent)
            for free, bucket in shelf.buckets.items()
            for entry in bucket
            if free >= weight and entry.stamp == entry.agent.stamp and entry.agent.slug not in skip
        }
        if kind == SLUG:
            return min(able.values(), key=lambda entry: turn_of(entry, last), default=None)
        return min(able.values(), default=None)

    def shelf(self, channel: str, kind: str) -> Any:
        found = self.shelves.get((channel, kind))
        if found is None:
            found = self.shelves[channel, kind] = CyclicShelf() if kind == SLUG else Shelf()
        return found


class Eligible(NamedTuple):
    """The pools that may take the tickets of a group that prefer the same: by standing score, best first, and each
    pool's score. The counts are for explanations."""

    tiers: tuple[tuple[tuple[int, ...], tuple[Pool, ...]], ...]
    score: dict[Pool, tuple[int, ...]]
    without_queue: int
    without_skill: int


ELIGIBLE_KEPT_MAX = 4096


def standing_score(mode: str | None, pool: Pool, prefers: Needs) -> tuple[int, ...]:
    """What skills say in rule 9's chain or a mode, smallest best: it never changes while the configuration holds."""
    if mode is None:
        return (-pool.preferred_met(prefers), len(pool.skills))
    if mode == "best_skilled":
        return (-pool.preferred_met(prefers), -pool.levels)
    return ()


class Roster:
    """The pools of one version of the configuration."""

    __slots__ = ("_eligible", "_journal", "_policy", "_stamps", "agents", "pools", "roomy")

    def __init__(self, policy: Policy, journal: Journal) -> None:
        self._journal, self._policy = journal, policy
        self._stamps = 0
        self._eligible: dict[tuple[Group, Needs], Eligible] = {}
        self.pools: dict[tuple[Any, ...], Pool] = {}
        self.roomy: dict[Pool, None] = {}
        self.agents = 0

    def join(self, agent: Agent) -> None:
        """Puts an agent into the pool of its profile, without a place yet. The caller has edited the agent."""
        profile = agent.profile
        ranks, opens_us = frozenset(profile.ranks.items()), frozenset(profile.opens_us.items())
        key = (frozenset(profile.skills.items()), ranks, opens_us)
        pool = self.pools.get(key)
        if pool is None:
            modes = {mode for queue in profile.ranks for mode in self._policy.modes_reaching(queue)}
            kinds = tuple(sorted({KEY_KIND[mode] for mode in modes}))
            pool = self.pools[key] = Pool(len(self.pools), profile, kinds)
            self._eligible.clear()
        agent.pool, agent.stamp, agent.shelved, agent.open = pool, 0, (), ()
        pool.size += 1
        self.agents += 1

    def place(self, agent: Agent) -> None:
        """Enters the agent anew after its load or presence changed. The caller has edited the agent."""
        pool: Pool | None = agent.pool
        if pool is None:
            return
        self._stamps += 1
        agent.stamp = stamp = self._stamps
        before, roomy = agent.shelved, pool.roomy
        after: list[Any] = []
        was, now = bool(before) and before[0][1] > 0, False
        for channel, free in _rooms(agent):
            now = now or free > 0
            for kind in pool.kinds:
                after.append((pool.shelf(channel, kind), free, Entry(choice_key(kind, agent), stamp, agent)))
        if now and len(after) > 1:
            after.sort(key=_most_room_first)
        agent.shelved = tuple(after)
        self._journal.note(self._back, pool, before, agent.shelved, pool.available, roomy)
        for shelf, free, entry in before:
            shelf.remove(free, entry)
        for shelf, free, entry in after:
            shelf.add(free, entry)
        opened = _open_channels(agent)
        if opened != agent.open:
            counts = dict(pool.available)
            for channel in agent.open:
                counts[channel] -= 1
            for channel in opened:
                counts[channel] += 1
            pool.available, agent.open = counts, opened
        if was != now:
            self._set_roomy(pool, roomy + (1 if now else -1))

    def _set_roomy(self, pool: Pool, count: int) -> None:
        pool.roomy = count
        if count:
            self.roomy[pool] = None
        else:
            self.roomy.pop(pool, None)

    def _back(self, pool: Pool, before: Any, after: Any, available: dict[str, int], roomy: int) -> None:
        """The inverse of `place`, but for the agent, whose own attributes are restored by its edit."""
        for shelf, free, entry in after:
            shelf.remove(free, entry)
        for shelf, free, entry in before:
            shelf.add(free, entry)
        pool.available = available
        self._set_roomy(pool, roomy)

    def eligible(self, group: Group, prefers: Needs) -> Eligible:
        """Who may take such tickets, by standing score. Looked up once per configuration."""
        found = self._eligible.get((group, prefers))
        if found is None:
            if len(self._eligible) >= ELIGIBLE_KEPT_MAX:
                self._eligible.clear()
            found = self._eligible[group, prefers] = self._find_eligible(group, prefers)
        return found

    def _find_eligible(self, group: Group, prefers: Needs) -> Eligible:
        serving = [pool for pool in self.pools.values() if pool.rank_in(group.lines, group.opened_us) is not None]
        able = [pool for pool in serving if pool.holds(group.requires)]
        mode = self._policy.queues[group.queue].choice
        score = {pool: standing_score(mode, pool, prefers) for pool in able}
        tiers: dict[tuple[int, ...], list[Pool]] = {}
        for pool in sorted(able, key=lambda pool: (score[pool], pool.number)):
            tiers.setdefault(score[pool], []).append(pool)
        serving_count = sum(pool.size for pool in serving)
        return Eligible(
            tiers=tuple((each, tuple(pools)) for each, pools in tiers.items()),
            score=score,
            without_queue=self.agents - serving_count,
            without_skill=serving_count - sum(pool.size for pool in able),
        )


def _most_room_first(shelved: Any) -> int:
    return -int(shelved[1])


_NO_CHANNELS: tuple[str, ...] = ()


def _open_channels(agent: Agent) -> tuple[str, ...]:
    if agent.state != "available":
        return _NO_CHANNELS
    if agent.channels is None:
        return CHANNELS
    return tuple(channel for channel in CHANNELS if channel in agent.channels)


def _rooms(agent: Agent) -> Sequence[tuple[str, int]]:
    """Free units by shelf: one for any channel where channels make no difference."""
    if agent.state != "available":
        return ()
    if agent.channels is None and agent.profile.uniform:
        free = agent.profile.capacity - agent.load
        return () if free < 0 else ((ANY, free),)
    rooms = [(channel, room_for(agent, channel)) for channel in CHANNELS if takes_offers(agent, channel)]
    return [(channel, free) for channel, free in rooms if free != NO_ROOM]
