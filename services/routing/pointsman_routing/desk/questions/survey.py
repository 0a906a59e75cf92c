"""How a ticket stands with all agents: whom each predicate refuses, who could take it, and who nearly."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from pointsman_routing.desk.rules.reasons import search_for
from pointsman_routing.desk.state.eligibility import Failing, failing, lasting, passing
from pointsman_routing.desk.state.model import Agent, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


class Survey(NamedTuple):
    """How a ticket stands with all agents: how many each predicate refuses first, an example of each in words, whom
    none refuses, and the nearest of those whom one alone refuses."""

    refused: Counter[str]
    examples: dict[str, str]
    able: list[str]
    near: list[tuple[Agent, Failing]]


def survey(desk: Desk, ticket: Ticket, near_max: int) -> Survey:
    """Looks at every agent once: at the configuration once a pool, at words once a reason."""
    search, declined = search_for(desk, ticket), ticket.declined or ()
    holder = ticket.offer.agent if ticket.offer else ticket.agent
    refused: Counter[str] = Counter()
    examples: dict[str, str] = {}
    able: list[str] = []
    near: list[tuple[float, str, Failing]] = []
    by_pool: dict[Any, list[Failing]] = {}
    for slug, agent in desk.agents.items():
        lasts = by_pool.get(agent.pool)
        if lasts is None or agent.pool is None:
            lasts = by_pool[agent.pool] = lasting(search, agent)
        if lasts and lasts[0].code in examples and (len(lasts) > 1 or agent.state != "available"):
            refused[lasts[0].code] += 1
            continue
        refusals = [*lasts, *passing(search, agent, declined=slug in declined, holds=holder == slug)]
        if not refusals:
            able.append(slug)
            continue
        refused[refusals[0].code] += 1
        if refusals[0].code not in examples:
            examples[refusals[0].code] = refusals[0].says
        if len(refusals) == 1 and refusals[0].code in _SIZE and agent.profile.takes_tickets:
            near.append((_size(refusals[0]), slug, refusals[0]))
    nearest = heapq.nsmallest(near_max, near, key=lambda one: one[:2])
    return Survey(refused, examples, sorted(able), [(desk.agents[slug], only) for _, slug, only in nearest])


# Time alone ends what is not here: a decline, a shut queue.
_SIZE = {"not_available": 1.0, "channel_off": 1.0, "no_room": 2.0, "lacks_skill": 100.0, "not_in_queue": 200.0}


def _size(only: Failing) -> float:
    """How much is to be changed for it to hold: presence before room before a level before a queue."""
    if only.code == "lacks_skill":
        return _SIZE[only.code] + float(only.figures["level"] - only.figures["has"])
    if only.code == "no_room":
        return _SIZE[only.code] + float(only.figures["weight"] - only.figures["room"])
    return _SIZE[only.code]


def failing_now(desk: Desk, ticket: Ticket, agent: Agent) -> list[Failing]:
    """What keeps one agent from a ticket as it stands."""
    holder = ticket.offer.agent if ticket.offer else ticket.agent
    declined = bool(ticket.declined and agent.slug in ticket.declined)
    return failing(search_for(desk, ticket), agent, declined=declined, holds=holder == agent.slug)
