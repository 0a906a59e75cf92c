"""Rule 18, a customer who left: waiting in vain ends `abandoned` after `abandons_after_seconds`, unless they return.

An assigned agent is told, and the charge stays until they resolve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketCustomerLeft
from pointsman.contracts.shapes import SYSTEM
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import resolve
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import OPEN_STATES, WAITING_STATES, Ticket
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def left(desk: Desk, ticket: Ticket) -> Result:
    """The customer closed the window, or the provider ended the conversation."""
    if ticket.state not in OPEN_STATES or ticket.left_at is not None:
        return None
    at = desk.edit(ticket)
    ticket.left_at = at
    after = desk.policy.channels[ticket.channel].abandons_after
    if ticket.state in WAITING_STATES and after is not None:
        ticket.abandons_at = at + after
        desk.arm(kinds.ABANDON, ticket.id, ticket.abandons_at)
    desk.say(ticket, made(TicketCustomerLeft, ticket_id=ticket.id, at=at), _concerned(ticket))
    return None


def returned(desk: Desk, ticket: Ticket) -> None:
    """The customer is back, or wrote."""
    if ticket.left_at is None:
        return
    at = desk.edit(ticket)
    ticket.left_at = None
    if ticket.abandons_at is not None:
        ticket.abandons_at = None
        desk.arm(kinds.ABANDON, ticket.id, None)
    desk.say(ticket, made(TicketCustomerLeft, ticket_id=ticket.id, returned=True, at=at), _concerned(ticket))


def abandon(desk: Desk, cause: TimerCause) -> Result:
    """They did not return: the ticket is resolved, its offer rescinded."""
    ticket = desk.tickets[cause.subject]
    desk.edit(ticket)
    resolve.finish(desk, ticket, "abandoned", SYSTEM, reason="the customer left")
    return None


def _concerned(ticket: Ticket) -> str | None:
    return ticket.offer.agent if ticket.offer else ticket.agent
