"""Taking: an agent helps themselves from a queue that says `pull: true`, within what they may take and have room for.

The router goes on offering what waits there; taking what is offered to oneself accepts the offer. A queue that is shut
offers nothing, and lets agents take: what it holds too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.commands import OfferAccept, TicketTake
from pointsman.core.decision import refuse
from pointsman_routing.desk.rules import offers
from pointsman_routing.desk.state.capacity import lack_of_room, room_for
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.result import Answer, Result, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def take(desk: Desk, ticket: Ticket, command: TicketTake) -> Result:
    """Assigns a waiting ticket to the caller, who need not be available but signed in."""
    agent = desk.agents.get(command.actor.id)
    if agent is None or not agent.profile.takes_tickets:
        return refuse(403, "not-eligible", f"{command.actor.id} is no agent who takes tickets")
    if not desk.policy.document.queues[ticket.queue].pull:
        return refuse(403, "no-pull", f"the queue {ticket.queue} gives its tickets out itself")
    offer = ticket.offer
    if offer is not None and offer.agent == agent.slug:
        offers.accept(desk, ticket, offer, OfferAccept(offer_id=offer.id, actor=command.actor))
        return Answer(lambda: ticket_shape(ticket))
    holder = offer.agent if offer is not None else ticket.agent or ticket.reserved_for
    if holder is not None:
        had = "is offered to" if offer else "is held by" if ticket.agent else "is reserved for"
        return refuse(409, "already-taken", f"the ticket {had} {holder}", holder=holder, state=ticket.state)
    if ticket.state != "queued":
        return wrong_state(ticket, "only a waiting ticket can be taken")
    if not desk.may_take(agent, ticket):
        missing = " and ".join(f"{skill} at level {level}" for skill, level in sorted(ticket.labels.requires))
        said = f"the ticket is one of {ticket.queue}" + (f" and requires {missing}" if missing else "")
        return refuse(403, "not-eligible", said)
    if not agent.present:
        return refuse(409, "agent-absent", f"no app of {agent.slug} is signed in")
    if room_for(agent, ticket.channel) < ticket.labels.weight:
        return refuse(409, "no-room", lack_of_room(agent, ticket), agent=agent.slug)
    offers.assign(desk, ticket, agent, command.actor, "taken from the queue")
    return Answer(lambda: ticket_shape(ticket))
