"""How long an agent's tickets take, lately: the exponentially weighted mean of the times from assignment until the
ticket was resolved, set aside or let go. Older ones fade, so that nothing counts a lifetime against who returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman_routing.desk.state.model import Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

NEWEST_SHARE = 0.2
"""What the newest time weighs in the mean; the ten last make up nine tenths of it."""


def begin(ticket: Ticket) -> None:
    """The ticket is assigned. The caller has edited it."""
    ticket.assigned_at = ticket.at


def end(desk: Desk, ticket: Ticket) -> None:
    """Its holder works on it no more, for now or for good. The caller has edited it."""
    since, agent = ticket.assigned_at, desk.agent_of(ticket)
    ticket.assigned_at = None
    if since is None or agent is None:
        return
    desk.edit_agent(agent)
    seconds, mean = (ticket.at - since).total_seconds(), agent.handle_seconds
    agent.handle_seconds = seconds if mean is None else mean + NEWEST_SHARE * (seconds - mean)
