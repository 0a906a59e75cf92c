"""The predicates of eligibility as questions: what keeps an agent from a ticket, in the order in which it is looked at.

An index never visits the refused (roster); these are asked for explanations only, about one agent at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pointsman_routing.desk.capacity import room_for, takes_offers
from pointsman_routing.desk.model import Agent, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.desk import Desk

REFUSAL_WORDS = {
    "queue_shut": "wait for its queue to open",
    "not_in_queue": "do not serve the queue",
    "lacks_skill": "lack a required skill",
    "not_available": "are not available",
    "channel_off": "take no tickets of this channel now",
    "declined": "declined it",
    "no_room": "have no room",
}
"""Code → what to say of several agents whom it refuses."""


class Failing(NamedTuple):
    """One predicate that refuses an agent: its code, what is so in words, and the figures behind it."""

    code: str
    says: str
    figures: dict[str, Any]


class Search(NamedTuple):
    """Among whom a ticket finds an agent (Desk.search_of), and its weight and channel."""

    lines: tuple[str, ...]
    waited_us: int
    requires: tuple[tuple[str, int], ...]
    channel: str
    weight: int


def search_for(desk: Desk, ticket: Ticket, stage: int | None = None) -> Search:
    """The ticket's search by now, or at a later stage."""
    lines, waited_us, requires = desk.search_of(ticket, stage=stage)
    return Search(lines, waited_us, tuple(sorted(requires)), ticket.channel, ticket.labels.weight)


def failing(search: Search, agent: Agent, *, declined: bool, holds: bool) -> list[Failing]:
    """Everything that keeps the agent from it; empty when nothing does. `declined` when they declined it, `holds` when
    they have it: then room is no question."""
    found, name, profile = [], agent.profile.name, agent.profile
    served = [line for line in search.lines if line in profile.ranks]
    opens_us = min((profile.opens_us[line] for line in served), default=None)
    if not profile.takes_tickets or opens_us is None:
        found.append(Failing("not_in_queue", f"{name} does not serve the queue {search.lines[0]}", {}))
    elif opens_us > search.waited_us:
        seconds = opens_us // 1_000_000
        said = f"{name} serves {served[0]} only after {seconds} seconds of waiting"
        found.append(Failing("not_in_queue", said, {"after_seconds": seconds}))
    for skill, level in search.requires:
        has = profile.skills.get(skill, 0)
        if has < level:
            said = f"has level {has}" if has else "does not have it"
            said = f"the ticket requires {skill} at level {level}; {name} {said}"
            found.append(Failing("lacks_skill", said, {"skill": skill, "level": level, "has": has}))
    if agent.state != "available":
        since = f" ({agent.reason})" if agent.reason else ""
        said = f"{name} is {agent.state}, set by {agent.set_by}{since}"
        found.append(Failing("not_available", said, {"state": agent.state}))
    elif not takes_offers(agent, search.channel):
        found.append(Failing("channel_off", f"{name} takes no {search.channel} tickets now", {}))
    if declined:
        said = f"{name} declined it and is asked again when everybody else has declined"
        found.append(Failing("declined", said, {}))
    room = room_for(agent, search.channel)
    if not holds and room < search.weight:
        free = max(0, room)
        said = f"{name} has room for {free} units of {search.channel}; the ticket weighs {search.weight}"
        found.append(Failing("no_room", said, {"room": free, "weight": search.weight}))
    return found


def failing_now(desk: Desk, ticket: Ticket, agent: Agent) -> list[Failing]:
    """The same, of a ticket as it stands."""
    held = ticket.offer.agent if ticket.offer else ticket.agent
    declined = bool(ticket.declined and agent.slug in ticket.declined)
    found = failing(search_for(desk, ticket), agent, declined=declined, holds=held == agent.slug)
    if ticket.held is not None:
        found.insert(0, Failing("queue_shut", f"the queue {ticket.queue} is shut and holds it", {"why": ticket.held}))
    return found
