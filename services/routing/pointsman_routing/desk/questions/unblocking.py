"""Rule 16, what would free a waiting ticket: the smallest changes, found by looking at who fails by one thing only, and
for presence and room proved by trying: apply, look, undo.

Time costs nobody anything and comes first: a relaxation, an overflow, a retry, the queue's
opening. Then whose
presence, then room, then a level, then a place in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import settle
from pointsman_routing.desk.rules.reasons import search_for
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.eligibility import Failing, failing
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import micros
from pointsman_routing.desk.state.sides import due_of, in_turn
from pointsman_routing.desk.state.waiting import Group, first_key

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

CHANGES_MAX = 5
NEAR_MAX = 10
"""Agents for whom a change is looked for, the nearest first."""
AHEAD_MAX = 50
"""Tickets that go before this one, beyond which nobody counts and nothing is tried."""


def changes(desk: Desk, ticket: Ticket, near: Iterable[tuple[Agent, Failing]]) -> list[dict[str, Any]]:
    """What would free the ticket, the smallest first: each `{change, sentence, …}`, with the agent or the instant.
    `near` are the agents whom one predicate alone refuses, the nearest first.

    `tried` tells that the desk did offer the ticket when the change was made for a moment; `ahead` how many tickets
    that agent would be offered before it.
    """
    if ticket.state != "queued":
        return []
    found = list(_by_time(desk, ticket))
    if ticket.held is not None:
        return found
    for agent, only in near:
        change = _by_agent(desk, ticket, agent, only)
        if change is not None:
            found.append(change)
        if len(found) >= CHANGES_MAX:
            break
    return found[:CHANGES_MAX]


def _by_time(desk: Desk, ticket: Ticket) -> Iterator[dict[str, Any]]:
    """What comes by itself, if somebody with room is there for it now."""
    if ticket.held is not None:
        at = desk.timers.armed_for(kinds.OPENING, (desk.workspace, ticket.queue))
        until = f" at {_clock(at)}" if at else " when somebody opens it"
        yield {"change": "opening", "at": at, "sentence": f"The queue {ticket.queue} is shut and opens{until}."}
        return
    if ticket.reserved_until is not None:
        said = f"At {_clock(ticket.reserved_until)} it is offered to others than {ticket.reserved_for} too."
        yield {"change": "reserved", "at": ticket.reserved_until, "sentence": said}
        return
    if ticket.retry_at is not None:
        said = f"Who declined it is asked again at {_clock(ticket.retry_at)}."
        yield {"change": "retry", "at": ticket.retry_at, "sentence": said}
    stages, since = desk.policy.queues[ticket.queue].stages, ticket.waiting_since
    for number in range(ticket.stage + 1, len(stages)):
        agent = _able_at(desk, ticket, number)
        if agent is not None and since is not None:
            at = since + stages[number].after
            said = f"At {_clock(at)} it has waited long enough for {agent.profile.name} to be asked."
            yield {"change": "waiting", "at": at, "agent": agent.slug, "sentence": said}
            return


def _able_at(desk: Desk, ticket: Ticket, stage: int) -> Agent | None:
    """Somebody who could take it now if it had waited that long."""
    search, declined = search_for(desk, ticket, stage), ticket.declined or ()
    for slug in sorted(desk.agents):
        if not failing(search, desk.agents[slug], declined=slug in declined, holds=False):
            return desk.agents[slug]
    return None


def _by_agent(desk: Desk, ticket: Ticket, agent: Agent, only: Failing) -> dict[str, Any] | None:
    name, figures = agent.profile.name, only.figures
    if only.code == "lacks_skill":
        skill, level = figures["skill"], figures["level"]
        said = f"{name} would do with {skill} at level {level} (now {figures['has'] or 'none'})."
        return {"change": "skill", "agent": agent.slug, "skill": skill, "level": level, "sentence": said}
    if only.code == "not_in_queue":
        if "after_seconds" in figures:
            return None
        said = f"{name} would do, if they served the queue {ticket.queue}."
        return {"change": "queue", "agent": agent.slug, "queue": ticket.queue, "sentence": said}
    ahead = _ahead(desk, ticket, agent)
    many = len(ahead) >= AHEAD_MAX
    behind = f", after {len(ahead)}{' or more' if many else ''} that go before it" if ahead else ""
    found = {"agent": agent.slug, "ahead": len(ahead)}
    if only.code != "no_room":
        change = "presence" if only.code == "not_available" else "channel"
        wish = "available" if change == "presence" else f"taking {ticket.channel} tickets"
        freed = not many and _frees(desk, ticket, agent, 0)
        would = f"It would be offered as soon as {name} is {wish}"
        said = f"{would}{behind}." if freed else f"{would} and through with what goes before it."
        return {"change": change, **found, "tried": freed, "sentence": said}
    if "cap" in figures:
        said = f"{only.says}; one more would free it{behind}."
        return {
            "change": "cap",
            **found,
            "tried": not many and _frees(desk, ticket, agent, 1 + len(ahead)),
            "sentence": said,
        }
    units = figures["weight"] - figures["room"] + sum(other.labels.weight for other in ahead)
    said = f"{units} more {'unit' if units == 1 else 'units'} of room with {name} would free it{behind}."
    freed = not many and _frees(desk, ticket, agent, units)
    return {"change": "capacity", **found, "units": units, "tried": freed, "sentence": said}


def _ahead(desk: Desk, ticket: Ticket, agent: Agent) -> list[Ticket]:
    """The tickets that this agent would be offered before it: no more than `AHEAD_MAX` of them, found from the tops of
    the heaps."""
    place = ticket.place
    if place is None or agent.pool is None:
        return []
    now_us = micros(desk.draft.now)
    mine, ranks = first_key(place, now_us), dict(agent.pool.groups_served(desk.waiting))
    own = ranks.get(place[4])
    if own is None:
        return []
    found: list[Ticket] = []
    if place[4].sides is not None:
        line = [group for group, rank in ranks.items() if rank == own and group.queue == ticket.queue]
        found += _ahead_on_both_sides(desk, ticket, line)
    for group, rank in ranks.items():
        if rank < own:
            found += [entry[3] for entry in group.first(AHEAD_MAX - len(found))]
        elif group.sides is None and rank == own and group.queue == ticket.queue:
            before = (entry for entry in group.first(AHEAD_MAX - len(found)) if first_key(entry, now_us) < mine)
            found += [entry[3] for entry in before]
        if len(found) >= AHEAD_MAX:
            break
    return found


def _ahead_on_both_sides(desk: Desk, ticket: Ticket, line: Sequence[Group]) -> list[Ticket]:
    """The same in a queue that shares its offers with the overdue, by the credit that they have now."""
    share, now_us = desk.queue_of(ticket).late_share or 0, micros(desk.draft.now)
    entries = [entry for group in line for entry in group.entries()]
    in_time = nsmallest(AHEAD_MAX + 1, (entry for entry in entries if entry[0][1] >= now_us))
    overdue = nsmallest(AHEAD_MAX + 1, (entry for entry in entries if entry[0][1] < now_us), key=due_of)
    found: list[Ticket] = []
    for entry in in_turn(share, desk.late_credits.get(ticket.queue, 0), in_time, overdue):
        if entry[3] is ticket or len(found) == AHEAD_MAX:
            break
        found.append(entry[3])
    return found


def _frees(desk: Desk, ticket: Ticket, agent: Agent, units: int) -> bool:
    """Whether the desk offers the ticket once the agent is there, with so many units and tickets of a channel more."""
    mark = desk.journal.mark()
    desk.edit_agent(agent)
    agent.state, agent.channels = "available", None
    if units:
        profile = agent.profile
        caps = {channel: count + units for channel, count in profile.caps.items()}
        agent.profile = replace(profile, capacity=profile.capacity + units, caps=caps)
    desk.roster.place(agent)
    desk.draft.agents[agent.slug] = agent
    if agent.pool is not None:
        desk.draft.pools[agent.pool] = None
    settle.settle(desk)
    freed = ticket.offer is not None or ticket.agent is not None
    desk.journal.undo(mark)
    return freed


def _clock(at: Instant) -> str:
    return f"{(at + timedelta(milliseconds=999)).replace(microsecond=0):%Y-%m-%d %H:%M:%S} UTC"
