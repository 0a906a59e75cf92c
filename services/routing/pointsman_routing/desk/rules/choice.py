"""Rule 9, choice of agent, and its counterpart: which ticket a released agent gets (rules 6 and 8).

An agent must hold every required skill. Without `choice` a queue prefers who has more of the preferred skills, then the
narrowest skill set, then the lowest load share, then who is longest idle. A mode replaces all of that:
`longest_idle`, `least_loaded` (then longest idle), `best_skilled` (preferred met, level sum, then longest idle),
`round_robin` (cyclic by slug). Ties end at the slug. What skills say is the standing score of a pool (roster), the
rest is the agent's key in it.

Rule 11, affinity: for the channel's `affinity_seconds` after queueing the ticket's last agent, then the customer's
owner, then the customer's last agent goes before all of that, if they may take the ticket and have room. No ticket
waits for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import saving
from pointsman_routing.desk.rules.saving import Place
from pointsman_routing.desk.state.capacity import NO_ROOM, has_room, room_for, takes_offers
from pointsman_routing.desk.state.desk import Choice
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import micros, slack_us
from pointsman_routing.desk.state.roster import Pool
from pointsman_routing.desk.state.shelves import ANY, KEY_KIND, SLUG, CyclicShelf, Entry, Shelf
from pointsman_routing.desk.state.sides import due_of
from pointsman_routing.desk.state.waiting import Entry as IndexEntry
from pointsman_routing.desk.state.waiting import first_key

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

VISITED_MAX = 5


class IndexedMatcher:
    """Asks the indexes. The costs are said in `state.waiting` and `state.roster`."""

    def agent_for(self, desk: Desk, ticket: Ticket) -> Choice | None:
        labels, queue = ticket.labels, ticket.queue
        weight, roomy = labels.weight, desk.roster.roomy
        if weight and not roomy:
            return None
        near = affine(desk, ticket)
        if near is not None:
            return Choice(near, by="affinity")
        eligible = desk.eligible(ticket)
        mode = desk.policy.queues[queue].choice
        kind = KEY_KIND[mode]
        last = desk.round_robin.get(queue, "") if kind == SLUG else ""
        skip: Any = ticket.declined or ()
        tiers: Any = eligible.tiers
        if weight and len(roomy) < len(eligible.score):
            tiers = _tiers_among(roomy, eligible.score)
        for score, pools in tiers:
            visited = []
            for pool in pools:
                if weight and not pool.roomy:
                    continue
                for channel in (ANY, ticket.channel):
                    if kind not in pool.kinds:
                        entry = pool.seek(channel, kind, weight, skip, last)
                    else:
                        shelf = pool.shelves.get((channel, kind))
                        entry = None if shelf is None else _best(shelf, weight, skip, last)
                    if entry is not None:
                        visited.append(entry)
            if visited:
                if kind == SLUG:
                    visited.sort(key=lambda entry: (entry.agent.slug <= last, entry.agent.slug))
                elif len(visited) > 1:
                    visited.sort()
                return Choice(visited[0].agent, score, tuple(visited[:VISITED_MAX]), "choice")
        return None

    def ticket_for(self, desk: Desk, agent: Agent) -> Ticket | None:
        pool: Pool | None = agent.pool
        if pool is None or agent.state != "available":
            return None
        if agent.profile.capacity - agent.load < desk.waiting.weight_min:
            return None
        best, overdue = self._heads(desk, agent, pool)
        return saving.first_of_sides(desk, best, overdue) if overdue else first_of_queues(desk, best)

    def sides_for(self, desk: Desk, agent: Agent, ticket: Ticket) -> tuple[frozenset[str], frozenset[str]]:
        pool: Pool | None = agent.pool
        assert pool is not None, "who is offered a ticket stands in a pool"
        lines, waited_us, _ = desk.search_of(ticket)
        own = pool.rank_in(lines, waited_us)
        in_time, overdue = (
            frozenset(queue for queue, rank in heads if rank == own) for heads in self._heads(desk, agent, pool)
        )
        return in_time, overdue

    def _heads(self, desk: Desk, agent: Agent, pool: Pool) -> tuple[dict[Place, IndexEntry], dict[Place, IndexEntry]]:
        """The first ticket that the agent may take now of each queue and rank; of queues with sides the first in time,
        and the longest overdue."""
        rooms: dict[str, int] = {}
        best: dict[Place, IndexEntry] = {}
        overdue: dict[Place, IndexEntry] = {}
        now_us = micros(desk.draft.now) if desk.policy.sharing else 0
        for group, rank in pool.groups_served(desk.waiting):
            if not group.count and not group.picky:
                continue
            channel = group.channel
            room = rooms.get(channel)
            if room is None:
                room = rooms[channel] = room_for(agent, channel) if takes_offers(agent, channel) else NO_ROOM
            if room < group.weight:
                continue
            entry = group.heap[0] if group.heap else None
            place = (group.queue, rank)
            if entry is None or group.picky or entry[3].place is not entry:
                if group.sides is None:
                    entry = group.head(agent.slug)
                else:
                    entry, lost = group.heads(agent.slug, now_us)
                    if lost is not None and (place not in overdue or due_of(lost) < due_of(overdue[place])):
                        overdue[place] = lost
            if entry is None:
                continue
            found = best.get(place)
            if found is None or _goes_before(entry, found, desk.draft.now):
                best[place] = entry
        return best, overdue


def _goes_before(one: IndexEntry, other: IndexEntry, now: Instant) -> bool:
    """Whether one head of a queue is served before another."""
    if not one[4].slope:
        return one < other
    return first_key(one, micros(now)) < first_key(other, micros(now))


def affine(desk: Desk, ticket: Ticket) -> Agent | None:
    """Who is preferred for having dealt with the ticket or its customer, while that counts."""
    if ticket.last_agent is None and not ticket.affine:
        return None
    queued_at = ticket.queued_at
    if queued_at is None or desk.draft.now >= queued_at + desk.policy.channels[ticket.channel].affinity:
        return None
    for slug in (ticket.last_agent, *ticket.affine):
        agent = desk.agents.get(slug) if slug is not None else None
        if agent is None or slug in (ticket.declined or ()):
            continue
        if has_room(agent, ticket) and desk.may_take(agent, ticket):
            return agent
    return None


def first_of_queues(desk: Desk, best: dict[tuple[str, int], IndexEntry]) -> Ticket | None:
    """Of the heads of several queues ((queue, rank) → entry), that of the lowest rank; at equal rank the least
    slack."""
    if not best:
        return None
    if len(best) == 1:
        (entry,) = best.values()
        return entry[3]
    queues = desk.policy.queues
    return min(
        best.items(),
        key=lambda item: (item[0][1], slack_us(item[1][3], queues[item[0][0]]), item[1][1], item[1][3].id),
    )[1][3]


def _best(shelf: Shelf | CyclicShelf, weight: int, skip: Any, last: str) -> Entry | None:
    if isinstance(shelf, CyclicShelf):
        return shelf.next_after(last, weight, skip)
    return shelf.best(weight, skip)


def _tiers_among(pools: Iterable[Pool], score: dict[Pool, tuple[int, ...]]) -> Iterator[tuple[Any, list[Pool]]]:
    """The tiers of those pools that are eligible, best first."""
    tiers: dict[tuple[int, ...], list[Pool]] = {}
    for pool in pools:
        standing = score.get(pool)
        if standing is not None:
            tiers.setdefault(standing, []).append(pool)
    for standing in sorted(tiers):
        yield standing, tiers[standing]
