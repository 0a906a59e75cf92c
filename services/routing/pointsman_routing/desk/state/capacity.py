"""Rule 3, capacity: how much room an agent has for tickets of a channel. The router never goes above it."""

from pointsman_routing.desk.state.model import Agent, Ticket

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
