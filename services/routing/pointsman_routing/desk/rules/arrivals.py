"""A customer's message that begins a ticket: opened (`opening`) and queued, or the author's where an agent wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import SYSTEM
from pointsman_routing.desk.rules import messages, offers, opening, queueing
from pointsman_routing.desk.rules.opening import Opening
from pointsman_routing.desk.state.capacity import has_room

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def open_ticket(desk: Desk, message: MessageReceived) -> None:
    """Opens the ticket that a message begins, and offers it."""
    opening.total(desk, message, lambda found: _open(desk, message, found))


def _open(desk: Desk, message: MessageReceived, found: Opening) -> None:
    by_agent = message.author.kind == "agent"
    ticket = opening.ticket_of(
        desk,
        message,
        found,
        desk.draft.at,
        started_by="agent" if by_agent else "customer",
        affine=_affine(desk, message.customer),
    )
    opening.tell(desk, ticket, message, found)
    messages.note(desk, ticket, message)
    author = desk.agents.get(message.author.id) if by_agent else None
    if author is not None and author.profile.takes_tickets and has_room(author, ticket):
        offers.assign(desk, ticket, author, SYSTEM, "the agent began the conversation")
    else:
        desk.draft.greeted = ticket
        queueing.enqueue(desk, ticket, "opened", fresh=True)


def _affine(desk: Desk, customer: CustomerSeen) -> tuple[str, ...]:
    """Whom the customer knows: their owner, then their last agent (rule 11)."""
    known = (customer.owner, desk.last_agents.get(customer.id))
    return tuple(dict.fromkeys(slug for slug in known if slug))
