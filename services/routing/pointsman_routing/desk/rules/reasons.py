"""Rule 16, why this agent: a sentence for people, and what is stored with the offer, at most 2 KB.

What stored reasons share with explanations is here too: among whom a ticket looks, and what ladders did to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman_routing.desk.state.desk import Choice
from pointsman_routing.desk.state.eligibility import Search
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.policy import QueuePolicy

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

SEARCH_SKILLS_MAX = 20
"""A search for more skills is not stored: 2 KB is the limit."""

_MODE_WORDS = {
    "longest_idle": "is idle the longest",
    "least_loaded": "has the lowest load share",
    "best_skilled": "has the best skills",
    "round_robin": "is next in turn",
}


def sentence(ticket: Ticket, choice: Choice, queue: QueuePolicy) -> str:
    """Why this agent, in one sentence for people."""
    agent = choice.agent
    name, load = agent.profile.name, f"{agent.load} of {agent.profile.capacity} units"
    if choice.by == "affinity":
        return f"{name} knows the matter or the customer, can take it and has room ({load} taken)"
    if choice.by == "line":
        return f"{name} has room again ({load} taken) and this is the first ticket in line for them"
    if queue.choice is not None:
        return f"{name} can do it, has room ({load} taken) and {_MODE_WORDS[queue.choice]}"
    wishes = len(ticket.labels.prefers)
    preferred = f"meets {-choice.score[0]} of {wishes} preferred skills, " if wishes and choice.score else ""
    return f"{name} can do it, {preferred}has room ({load} taken), and among equals the lowest load or the longest idle"


def why(desk: Desk, ticket: Ticket, choice: Choice) -> dict[str, Any]:
    """What is stored with the offer (rule 16)."""
    policy, eligible = desk.policy, desk.eligible(ticket)
    return {
        "cause": desk.draft.cause,
        "change": desk.change,
        "search": _searched(desk, ticket),
        "asked": "agent" if choice.by == "line" else "ticket",
        "by": choice.by,
        "order": policy.queues[ticket.queue].order,
        "key": ticket.place[0] if ticket.place else None,
        **climbed(ticket),
        "choice": policy.queues[ticket.queue].choice or "chain",
        "score": choice.score,
        "candidates": [(entry.agent.slug, entry.key) for entry in choice.visited],
        "refused": {"not_in_queue": eligible.without_queue, "lacks_skill": eligible.without_skill},
        "config_version": policy.version,
    }


def climbed(ticket: Ticket) -> dict[str, Any]:
    """What ladders did to it, if any did."""
    found: dict[str, Any] = {}
    if ticket.boost:
        found |= {"boost": ticket.boost, "boosted_by": boosted_by(ticket)}
    if ticket.relaxed is not None:
        found |= {"relaxed": ticket.relaxed, "relaxed_by": relaxed_by(ticket)}
    return found


def _searched(desk: Desk, ticket: Ticket) -> dict[str, Any] | None:
    """Among whom the ticket looked: the same for its whole group."""
    group = ticket.place[4] if ticket.place is not None else None
    if group is not None and group.search is not None:
        found: dict[str, Any] = group.search
    else:
        found = search_for(desk, ticket)._asdict()
        if group is not None:
            group.search = found
    return found if len(found["requires"]) <= SEARCH_SKILLS_MAX else None


def boosted_by(ticket: Ticket) -> list[str]:
    """The ladders that have the ticket ordered higher."""
    return list(dict.fromkeys(each.ladder for each in ticket.climbed or () if each.boost)) if ticket.boost else []


def relaxed_by(ticket: Ticket) -> list[str]:
    """The ladders that dropped requirements in this queueing."""
    if ticket.relaxed is None:
        return []
    return list(dict.fromkeys(each.ladder for each in ticket.climbed or () if each.relax))


def search_for(desk: Desk, ticket: Ticket, stage: int | None = None) -> Search:
    """The ticket's search by now, or at a later stage."""
    lines, waited_us, requires = desk.search_of(ticket, stage=stage)
    return Search(lines, waited_us, tuple(sorted(requires)), ticket.channel, ticket.labels.weight, ticket.held)
