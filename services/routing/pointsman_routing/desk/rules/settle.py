"""Rules 1 and 6: every decision ends with `settle`, after which no ticket waits for which an eligible agent has room.

Before a decision that held (invariant 4). So only the tickets that entered the queue in it, and the agents that it gave
room or made available, can make a new pair: these are asked, and nobody else. Each offer costs what `state.waiting`
and `state.roster` say; no ticket without an eligible agent is in anybody's way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman_routing.desk.rules import auto_replies, declining, offers, queue_hours, reserved, saving
from pointsman_routing.desk.state.desk import Choice
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import is_overdue, micros, slack_us

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def settle(desk: Desk) -> None:
    """Carries out the rules of shut queues, then offers what this decision made possible; whom a full queue turns away
    is looked after in turn (rule 20)."""
    queue_hours.carry_out(desk)
    _offer(desk)
    while desk.draft.entered:
        queue_hours.turn_away(desk)
        _offer(desk)
    auto_replies.greet(desk)


def _offer(desk: Desk) -> None:
    """What was reserved for an agent first. Then tickets, in order, each to the best agent. An agent that just got room
    may have older tickets waiting: those it gets first. Then the agents with room take what waits for them.
    """
    draft = desk.draft
    if not (draft.tickets or draft.agents or draft.pools):
        return
    for pool in list(draft.pools):
        declining.review_pool(desk, pool)
    for ticket in list(draft.tickets.values()):
        if ticket.declined:
            declining.review(desk, ticket)
    if desk.reserved:
        for agent in draft.agents.values():
            reserved.give(desk, agent)
    waiting = [ticket for ticket in draft.tickets.values() if ticket.place is not None]
    if waiting:
        _place_agents(desk)
        if len(waiting) > 1:
            waiting.sort(key=lambda ticket: _in_line(desk, ticket))
        for ticket in waiting:
            _find_agent(desk, ticket, alone=len(waiting) == 1)
    for agent in draft.agents.values():
        _find_tickets(desk, agent)
    _place_agents(desk)
    draft.pools, draft.tickets, draft.agents, draft.late = {}, {}, {}, True


def _place_agents(desk: Desk) -> None:
    """Enters the agents anew whose load changed, before anybody looks at the roster; from then on at once."""
    draft = desk.draft
    if draft.late:
        draft.late = False
        for agent in draft.agents.values():
            desk.roster.place(agent)


def _in_line(desk: Desk, ticket: Ticket) -> tuple[bool, int, int]:
    queue = desk.queue_of(ticket)
    return is_overdue(ticket, queue, micros(desk.draft.now)), slack_us(ticket, queue), ticket.arrival


def _find_agent(desk: Desk, ticket: Ticket, *, alone: bool) -> None:
    """`alone`: no other ticket entered the queue, so that an agent who had room before has none before this one."""
    line = not alone and ticket.queue in desk.policy.sharing
    while ticket.place is not None:
        choice = desk.matcher.agent_for(desk, ticket)
        if choice is None:
            return
        first: Ticket | None = ticket
        if line or choice.agent.slug in desk.draft.agents:
            first = desk.matcher.ticket_for(desk, choice.agent)
        if first is None or first is ticket:
            saving.count(desk, choice.agent, ticket)
            offers.make(desk, ticket, choice)
        else:
            saving.count(desk, choice.agent, first)
            offers.make(desk, first, Choice(choice.agent))


def _find_tickets(desk: Desk, agent: Agent) -> None:
    while True:
        ticket = desk.matcher.ticket_for(desk, agent)
        if ticket is None:
            return
        saving.count(desk, agent, ticket)
        offers.make(desk, ticket, Choice(agent))
