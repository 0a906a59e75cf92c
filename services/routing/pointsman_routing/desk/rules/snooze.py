"""Rule 13, snooze: the holder sets the ticket aside until an instant. It frees the charge, except where the channel
says `pending_holds`. Then, or when the customer writes, or somebody reopens it, it wakes: with its holder if they are
available, still eligible and with room, which charges again, else in its queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketSnooze
from pointsman.contracts.desk import TicketSnoozed
from pointsman_routing.desk.rules import pending
from pointsman_routing.desk.state.model import Pause, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def snooze(desk: Desk, ticket: Ticket, command: TicketSnooze) -> Result:
    """Only what somebody holds can be snoozed; again, it is another instant."""
    if ticket.state not in pending.PAUSABLE:
        return wrong_state(ticket, "only a ticket that somebody holds can be snoozed")
    if command.until <= desk.draft.at:
        return invalid("until is in the past", "/until")
    frees = pending.set_aside(desk, ticket, "snoozed", Pause(None, command.until, "return", None, None))
    desk.say(
        ticket,
        made(
            TicketSnoozed,
            ticket_id=ticket.id,
            agent=ticket.agent,
            until=command.until,
            frees=frees,
            by=command.actor,
        ),
        ticket.agent,
    )
    return Answer(lambda: ticket_shape(ticket))
