"""A supervisor's assignment (rule 3): to anybody who takes tickets, present or not, whatever their queues and skills;
above capacity only with `override`, which the fact and the assignment's row tell with actor and reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketAssign
from pointsman.contracts.desk import TicketTransferred
from pointsman.core.decision import refuse
from pointsman_routing.desk.rules import absence, offers, requeue
from pointsman_routing.desk.state.capacity import lack_of_room, room_for
from pointsman_routing.desk.state.model import OPEN_STATES, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def assign(desk: Desk, ticket: Ticket, command: TicketAssign) -> Result:
    """From any open state: an offer is rescinded, a holder lets go, a pause ends. An absent agent's ticket goes back to
    its queue after the time that any vanished agent's does (rule 12)."""
    agent = desk.agents.get(command.agent)
    if agent is None:
        return invalid(f"there is no agent {command.agent}", "/agent")
    if not agent.profile.takes_tickets:
        return invalid(f"{command.agent} takes no tickets", "/agent")
    if command.override and not command.reason.strip():
        return invalid("an assignment above capacity needs a reason", "/reason")
    if ticket.state not in OPEN_STATES:
        return wrong_state(ticket, "only an open ticket can be assigned")
    if ticket.state == "assigned" and ticket.agent == agent.slug:
        return refuse(409, "wrong-state", f"{agent.slug} holds the ticket already", state=ticket.state)
    holder = requeue.let_go(desk, ticket, "a supervisor assigned the ticket")
    above = room_for(agent, ticket.channel) < ticket.labels.weight
    if above and not command.override:
        return refuse(409, "no-room", lack_of_room(agent, ticket), agent=agent.slug)
    if holder is not None and holder != agent.slug:
        handed = made(
            TicketTransferred,
            ticket_id=ticket.id,
            from_agent=holder,
            to_agent=agent.slug,
            reason=command.reason,
            by=command.actor,
        )
        desk.say(ticket, handed, holder)
    ticket.entrusted_to = agent.slug
    offers.assign(desk, ticket, agent, command.actor, command.reason, override=above)
    absence.mind_absence(desk, ticket, agent)
    return Answer(lambda: ticket_shape(ticket))
