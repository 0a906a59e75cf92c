"""Rule 2, charging: the weight is charged at the offer and freed exactly once.

Load, units and counts change only here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman_routing.desk.state.model import Agent, Charge, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


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
