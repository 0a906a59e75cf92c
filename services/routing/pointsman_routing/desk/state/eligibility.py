"""The predicates of eligibility: what keeps an agent from a ticket, in the order in which it is looked at.

An index never visits the refused (roster); these are asked for explanations only, about one agent at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pointsman_routing.desk.state.capacity import at_cap, no_room_for, room_for, takes_offers
from pointsman_routing.desk.state.model import Agent

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
    """Among whom a ticket finds an agent (rules.reasons), its weight and channel, and why a shut queue holds it."""

    lines: tuple[str, ...]
    waited_us: int
    requires: tuple[tuple[str, int], ...]
    channel: str
    weight: int
    held: str | None = None


def failing(search: Search, agent: Agent, *, declined: bool, holds: bool) -> list[Failing]:
    """Everything that keeps the agent from it; empty when nothing does. `declined` when they declined it, `holds` when
    they have it: then room is no question."""
    return [*lasting(search, agent), *passing(search, agent, declined=declined, holds=holds)]


def lasting(search: Search, agent: Agent) -> list[Failing]:
    """What the configuration says against the agent: the same for all agents of a pool."""
    found, name, profile = [], agent.profile.name, agent.profile
    if search.held is not None:
        said = f"the queue {search.lines[0]} is shut and holds it"
        found.append(Failing("queue_shut", said, {"why": search.held}))
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
    return found


def passing(search: Search, agent: Agent, *, declined: bool, holds: bool) -> list[Failing]:
    """What says against the agent now, and may not in a moment."""
    found, name = [], agent.profile.name
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
        figures: dict[str, Any] = {"room": max(0, room), "weight": search.weight}
        if at_cap(agent, search.channel):
            figures["cap"] = agent.profile.caps[search.channel]
        found.append(Failing("no_room", no_room_for(agent, search.channel, search.weight), figures))
    return found
