"""Closing: `close_after_seconds` after the resolution the ticket is history, and leaves the resident desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketClosed
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import queueing, wrap_up
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

from pointsman.contracts.shapes import SYSTEM


def close(desk: Desk, cause: TimerCause) -> Result:
    """Nobody came back to it: intake lets the thread go, a later message begins a new ticket. It leaves the resident
    desk with the commit: what had been threaded before reopens it (rule 17)."""
    ticket: Ticket = desk.tickets[cause.subject]
    at = desk.edit(ticket)
    if ticket.in_wrap_up:
        wrap_up.over(desk, ticket, SYSTEM)
    ticket.closed_at, ticket.closes_at, ticket.entrusted_to = at, None, None
    desk.arm(kinds.CLOSE, ticket.id, None)
    queueing.enter_state(desk, ticket, "closed")
    desk.say(ticket, made(TicketClosed, ticket_id=ticket.id))
    return None
