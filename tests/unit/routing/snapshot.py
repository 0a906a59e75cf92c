"""A desk's whole state as plain data, so that two states can be compared: indexes by what they hold, not how."""

from typing import Any

from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.model import AGENT_FIELDS, TICKET_FIELDS, Agent, Ticket
from pointsman_routing.desk.state.shelves import CyclicShelf
from pointsman_routing.desk.state.waiting import Group

_DERIVED = ("close", "ripen")
_INDEXED = ("place", "pool", "stamp", "shelved", "change")


def snapshot(desk: Desk, *, changes: bool = True, resident: bool = True) -> dict[str, Any]:
    """The state. Without `changes` what is still to be written is left out; without `resident` resolved tickets and
    what is only kept for late answers."""
    tickets = {
        id: _plain(ticket, TICKET_FIELDS)
        for id, ticket in desk.tickets.items()
        if resident or ticket.state != "resolved" or ticket.in_wrap_up
    }
    state: dict[str, Any] = {
        "version": desk.policy.version if desk.configured else None,
        "tickets": tickets,
        "agents": {slug: _agent(agent) for slug, agent in desk.agents.items()},
        "offers": dict(desk.offers),
        "tokens": dict(desk.tokens),
        "round_robin": dict(desk.round_robin),
        "late_credits": {queue: credit for queue, credit in desk.late_credits.items() if credit},
        "closings": dict(desk.closings),
        "held": {queue: sorted(tickets) for queue, tickets in desk.held.items() if tickets},
        "jobs": dict(desk.jobs),
        "moves": desk.moves,
        "untold": list(desk.unexplained),
        "reserved": {agent: sorted(ids) for agent, ids in desk.reserved.items()},
        "timers": sorted(timer for timer in desk.timers.armed(desk.workspace) if resident or timer[0] not in _DERIVED),
    }
    if desk.configured:
        state["waiting"] = {
            (g.queue, g.lines, g.opened_us, g.channel, g.weight, g.requires, g.slope): _waiting(g)
            for g in desk.waiting.groups.values()
            if g.count or g.picky
        }
        state["roster"] = {key: _pool(pool) for key, pool in desk.roster.pools.items()}
    if changes:
        state["change"] = desk.change
        state["ended"] = dict(desk.ended)
        for name in desk.changes.__slots__:
            value = getattr(desk.changes, name)
            state[f"changes.{name}"] = sorted(value) if name in ("tickets", "agents") else value.copy()
    return state


def _waiting(group: Group) -> Any:
    ages = group.ages
    standing = () if ages is None else zip(ages.since, ages.entries, strict=True)
    by_age = sorted({(since, entry[1]) for since, entry in standing if entry[3].place is entry})
    return [entry[:2] for entry in group.entries()], group.count, sorted(group.picky), by_age


def _plain(thing: Ticket | Agent, names: tuple[str, ...]) -> dict[str, Any]:
    plain = {name: getattr(thing, name) for name in names if name not in _INDEXED}
    if isinstance(thing, Ticket):
        plain["waits_at"] = thing.place[0] if thing.place else None
    return plain


def _agent(agent: Agent) -> dict[str, Any]:
    plain = _plain(agent, AGENT_FIELDS)
    for name in ("hand", "shown", "sessions"):
        plain[name] = dict(sorted(plain[name].items()))
    for name in ("counts", "units"):
        plain[name] = {channel: count for channel, count in plain[name].items() if count}
    return plain


def _pool(pool: Any) -> Any:
    shelves = {}
    for place, shelf in pool.shelves.items():
        held = set()
        for free, bucket in shelf.buckets.items():
            for entry in bucket:
                if entry.stamp == entry.agent.stamp:
                    held.add((free, entry.key))
                else:
                    assert not isinstance(shelf, CyclicShelf), "a cyclic shelf holds no stale entry"
        if held:
            shelves[place] = sorted(held)
    return {"available": pool.available, "roomy": pool.roomy, "size": pool.size, "shelves": shelves}
