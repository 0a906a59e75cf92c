"""Rules 2 and 3: the weight is charged at the offer and freed exactly once; the router never goes above capacity.

Load, units and counts change only here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman_routing.desk.model import Agent, Charge, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.desk import Desk

NO_ROOM = -1
"""Less than any weight, also than that of a ticket that weighs nothing."""


def room_for(agent: Agent, channel: str) -> int:
    """Units that the agent has left for tickets of this channel; `NO_ROOM` when not even a weightless one may come.

    Reserved units of other channels count as taken as far as those channels do not use them already.
    """
    profile = agent.profile
    free = profile.capacity - agent.load
    if profile.uniform:
        return free if free >= 0 else NO_ROOM
    for other, units in profile.reserve.items():
        if other != channel:
            free -= max(0, units - agent.units.get(other, 0))
    return NO_ROOM if free < 0 or at_cap(agent, channel) else free


def takes_offers(agent: Agent, channel: str) -> bool:
    """Whether the agent is available for this channel, full or not."""
    return agent.state == "available" and (agent.channels is None or channel in agent.channels)


def has_room(agent: Agent, ticket: Ticket) -> bool:
    """Whether the agent is available and the ticket's weight fits."""
    return takes_offers(agent, ticket.channel) and room_for(agent, ticket.channel) >= ticket.labels.weight


def lack_of_room(agent: Agent, ticket: Ticket) -> str:
    """That the ticket is too much for the agent, in words."""
    return no_room_for(agent, ticket.channel, ticket.labels.weight)


def no_room_for(agent: Agent, channel: str, weight: int) -> str:
    """That so much of a channel is too much for the agent, in words."""
    if at_cap(agent, channel):
        most = agent.profile.caps[channel]
        return f"{agent.profile.name} has no room: {most} {channel} at once is the most (caps)"
    free = max(0, room_for(agent, channel))
    return f"{agent.profile.name} has room for {free} units of {channel}; the ticket weighs {weight}"


def at_cap(agent: Agent, channel: str) -> bool:
    """Whether the agent has as many tickets of the channel as their caps allow."""
    cap = agent.profile.caps.get(channel)
    return cap is not None and agent.counts.get(channel, 0) >= cap


def charge(desk: Desk, agent: Agent, ticket: Ticket, *, override: bool = False) -> None:
    """Takes the ticket's weight from the agent's capacity; with `override` a supervisor wants it above that. The caller
    has edited the ticket."""
    _add(desk, agent, ticket, 1)
    ticket.charged, ticket.charge = True, Charge(desk.draft.now, desk.policy.version, override)


def free(desk: Desk, agent: Agent, ticket: Ticket) -> None:
    """Gives the weight back, once; `settle` asks what waits for the agent. Nothing when it is not charged."""
    if not ticket.charged:
        return
    ticket.charged, ticket.charge = False, None
    desk.edit_agent(agent)
    agent.idle_since = desk.draft.now
    desk.draft.agents[agent.slug] = agent
    _add(desk, agent, ticket, -1)


def _add(desk: Desk, agent: Agent, ticket: Ticket, count: int) -> None:
    desk.edit_agent(agent)
    channel, weight = ticket.channel, ticket.labels.weight
    agent.load += count * weight
    agent.counts = {**agent.counts, channel: agent.counts.get(channel, 0) + count}
    agent.units = {**agent.units, channel: agent.units.get(channel, 0) + count * weight}
    if not (desk.draft.late and agent.slug in desk.draft.agents):
        desk.roster.place(agent)
