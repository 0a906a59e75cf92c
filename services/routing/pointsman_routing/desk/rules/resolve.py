"""Resolution: the matter is done. What charged is freed, at once or at the end of the wrap-up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketReopen, TicketResolve
from pointsman.contracts.desk import TicketResolved
from pointsman.contracts.shapes import Actor, Outcome
from pointsman.core.decision import refuse
from pointsman_routing.desk.rules import handle_time, offers, queueing, resume
from pointsman_routing.desk.rules.relabel import with_category
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import OPEN_STATES, Ticket
from pointsman_routing.desk.state.result import Answer, Result, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

WRAP_UP_SECONDS_MAX = 86_400


def resolve(desk: Desk, ticket: Ticket, command: TicketResolve) -> Result:
    """The holder (or a supervisor) resolves; the holder's after-work keeps the charge for `wrap_up_seconds`."""
    if ticket.state not in OPEN_STATES:
        return refuse(409, "wrong-state", f"the ticket is {ticket.state} already")
    if command.category is not None and command.category not in desk.policy.document.category_names:
        return refuse(422, "invalid", f"there is no category {command.category!r}")
    asked = command.wrap_up_seconds
    if asked is not None and not 0 <= asked <= WRAP_UP_SECONDS_MAX:
        return refuse(422, "invalid", f"wrap_up_seconds must be from 0 to {WRAP_UP_SECONDS_MAX}")
    desk.edit(ticket)
    wrap_up = desk.policy.channels[ticket.channel].wrap_up if asked is None else timedelta(seconds=asked)
    if command.actor.id != ticket.agent:
        wrap_up = timedelta()
    if command.category is not None:
        ticket.labels = with_category(desk, ticket.labels, command.category)
    finish(desk, ticket, command.outcome, command.actor, wrap_up=wrap_up, category=command.category)
    return Answer(lambda: ticket_shape(ticket))


def finish(
    desk: Desk,
    ticket: Ticket,
    outcome: Outcome,
    by: Actor,
    *,
    reason: str | None = None,
    category: str | None = None,
    wrap_up: timedelta = timedelta(),
) -> None:
    """Resolves the ticket from any open state. The caller has edited it."""
    at, agent = ticket.at, desk.agent_of(ticket)
    put_down(desk, ticket, reason or "the ticket is resolved")
    ticket.outcome, ticket.resolved_at = outcome, at
    ticket.closes_at = at + desk.policy.close_after
    desk.arm(kinds.CLOSE, ticket.id, ticket.closes_at)
    queueing.enter_state(desk, ticket, "resolved")
    holder = ticket.agent
    if wrap_up and agent is not None and ticket.charged:
        handle_time.end(desk, ticket)
        ticket.wrap_up_until = at + wrap_up
        desk.arm(kinds.WRAP_UP, ticket.id, ticket.wrap_up_until)
        if ticket.requeues_at is not None:
            ticket.requeues_at = None
            desk.arm(kinds.GRACE, ticket.id, None)
    else:
        offers.release(desk, ticket)
    desk.say(
        ticket,
        made(
            TicketResolved,
            ticket_id=ticket.id,
            outcome=outcome,
            agent=holder,
            category=category,
            wrap_up_until=ticket.wrap_up_until,
            by=by,
            reason=reason,
        ),
        holder,
    )


def put_down(desk: Desk, ticket: Ticket, reason: str) -> None:
    """Nobody is to do anything about the ticket any more: its offer, its waiting and their timers end; what its holder
    charges is the caller's. The caller has edited it."""
    offers.rescind(desk, ticket, reason)
    desk.waiting.leave(ticket)
    if ticket.pause is not None:
        desk.arm(kinds.PENDING, ticket.id, None)
    if ticket.abandons_at is not None:
        desk.arm(kinds.ABANDON, ticket.id, None)
    if ticket.retry_at is not None:
        desk.arm(kinds.RETRY, ticket.id, None)
    ticket.pause, ticket.abandons_at, ticket.left_at = None, None, None
    ticket.retry_at, ticket.declined, ticket.offers, ticket.retrying = None, None, 0, False
    ticket.unanswered_since = ticket.waiting_since = None
    ticket.first_breach_at = ticket.next_breach_at = None
    ticket.warned = False
    ticket.boost, ticket.climbed = 0, None


def reopen(desk: Desk, ticket: Ticket, command: TicketReopen) -> Result:
    """A person opens a resolved ticket again, or wakes one that is set aside; where it goes on is rule 17's."""
    at = desk.edit(ticket)
    reason = command.reason or "reopened"
    if ticket.state in ("pending", "snoozed"):
        resume.wake(desk, ticket, reason)
    elif ticket.state == "resolved":
        resume.reopen(desk, ticket, command.actor, reason, at)
    else:
        return wrong_state(ticket, "only a ticket that is resolved, pending or snoozed can be reopened")
    return Answer(lambda: ticket_shape(ticket))
