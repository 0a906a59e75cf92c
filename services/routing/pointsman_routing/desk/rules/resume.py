"""Rule 17, where a ticket goes on: with its holder when they are available, still eligible and with room, else in the
queue. Whom a supervisor gave it by name need not be eligible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketReopened, TicketWoken
from pointsman.contracts.shapes import SYSTEM, Actor
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import absence, offers, queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.capacity import has_room, takes_offers
from pointsman_routing.desk.state.model import Agent, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def customer_wrote(desk: Desk, ticket: Ticket, at: Instant) -> None:
    """The consequences of a customer's message. Queued, offered, assigned: none; the offer and its deadline stand."""
    if ticket.state in ("pending", "snoozed"):
        wake(desk, ticket, "the customer wrote")
    elif ticket.state in ("resolved", "closed"):
        reopen(desk, ticket, Actor(kind="customer", id=ticket.customer_id), "the customer wrote", at)


def wake(desk: Desk, ticket: Ticket, reason: str) -> None:
    """A pending or snoozed ticket goes on: with its holder, or in the queue. The caller has edited the ticket."""
    ticket.pause = None
    desk.arm(kinds.PENDING, ticket.id, None)
    desk.say(ticket, made(TicketWoken, ticket_id=ticket.id, reason=reason), ticket.agent)
    _to_holder_or_queue(desk, ticket, ticket.agent, reason)


def reopen(desk: Desk, ticket: Ticket, by: Actor, reason: str, at: Instant) -> None:
    """A resolved ticket is open again. In wrap-up it goes back to the holder on the same charge; within
    `reopen_seconds` to the last holder if available, eligible and with room; else it queues, later than that for
    anybody alike. The caller has edited the ticket."""
    desk.say(ticket, made(TicketReopened, ticket_id=ticket.id, reason=reason, by=by), ticket.agent)
    recent = ticket.resolved_at is not None and at - ticket.resolved_at <= desk.policy.reopen
    if not recent:
        ticket.last_agent, ticket.affine = None, ()
    ticket.outcome = ticket.resolved_at = ticket.closed_at = ticket.closes_at = None
    desk.arm(kinds.CLOSE, ticket.id, None)
    if ticket.in_wrap_up and ticket.agent is not None:
        ticket.wrap_up_until = None
        desk.arm(kinds.WRAP_UP, ticket.id, None)
        agent = desk.agents[ticket.agent]
        offers.assign(desk, ticket, agent, SYSTEM, reason)
        if agent.gone_at is not None:
            absence.wait_for_return(desk, ticket, agent.gone_at)
        return
    _to_holder_or_queue(desk, ticket, ticket.last_agent if recent else None, reason)


def _to_holder_or_queue(desk: Desk, ticket: Ticket, holder: str | None, reason: str) -> None:
    agent = desk.agents.get(holder) if holder else None
    if agent is not None and _goes_on_with(desk, ticket, agent):
        offers.assign(desk, ticket, agent, SYSTEM, reason)
        return
    offers.release(desk, ticket)
    queueing.enqueue(desk, ticket, "woken" if ticket.state in ("pending", "snoozed") else "reopened", fresh=True)


def _goes_on_with(desk: Desk, ticket: Ticket, agent: Agent) -> bool:
    """Whether it may go back to the agent: there, with room unless its charge still stands, and one who takes such
    tickets, on the terms on which it was last given out."""
    there = takes_offers(agent, ticket.channel) if ticket.charged else has_room(agent, ticket)
    if not there or not agent.profile.takes_tickets:
        return False
    return ticket.entrusted_to == agent.slug or desk.may_take(agent, ticket, stage=ticket.stage)
