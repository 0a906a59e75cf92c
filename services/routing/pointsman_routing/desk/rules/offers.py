"""Rules 2 and 4, offers: the weight is charged when the ticket is shown, and each offer ends in exactly one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import OfferAccept, OfferReject
from pointsman.contracts.desk import (
    OfferAccepted,
    OfferMade,
    OfferRejected,
    OfferRescinded,
    TicketAssigned,
)
from pointsman.contracts.shapes import SYSTEM, Actor
from pointsman.core.decision import Refusal
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import charging, declining, handle_time, queueing
from pointsman_routing.desk.rules.reasons import sentence, why
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.desk import Choice
from pointsman_routing.desk.state.model import Agent, Offer, Ticket
from pointsman_routing.desk.state.result import Answer, Result
from pointsman_routing.desk.state.shapes import offer_shape, ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def make(desk: Desk, ticket: Ticket, choice: Choice) -> None:
    """Shows the ticket to the agent until the queue's timeout, or assigns it at once where the queue auto-accepts."""
    at, now, agent, queue = desk.edit(ticket), desk.draft.now, choice.agent, desk.queue_of(ticket)
    reason = sentence(ticket, choice, queue)
    stored = why(desk, ticket, choice)
    desk.waiting.leave(ticket)
    stop_retrying(desk, ticket)
    charging.charge(desk, agent, ticket)
    desk.journal.put(agent.hand, ticket.id, None)
    if queue.choice == "round_robin":
        desk.journal.put(desk.round_robin, queue.slug, agent.slug)
    expires_at = now if queue.auto_accept else now + queue.offer_timeout
    id = desk.new_id("off", ticket.id)
    offer = Offer(id, ticket.id, agent.slug, ticket.labels.weight, reason, now, expires_at)
    desk.journal.put(
        desk.changes.offers_made,
        offer.id,
        {
            "id": offer.id,
            "ticket_id": ticket.id,
            "agent": agent.slug,
            "queue": ticket.queue,
            "reason": reason,
            "weight": ticket.labels.weight,
            "offered_at": now,
            "expires_at": expires_at,
            "why": stored,
            "config_version": desk.policy.version,
            "change": desk.change,
        },
    )
    desk.say(
        ticket,
        made(
            OfferMade,
            ticket_id=ticket.id,
            offer_id=offer.id,
            agent=agent.slug,
            queue=ticket.queue,
            weight=ticket.labels.weight,
            expires_at=expires_at,
            offered_at=None if at == now else now,
            reason=reason,
        ),
        agent.slug,
    )
    if queue.auto_accept:
        _note_end(desk, offer, "accepted", now, "auto_accept")
        desk.say(ticket, made(OfferAccepted, ticket_id=ticket.id, offer_id=offer.id, agent=agent.slug), agent.slug)
        _assign(desk, ticket, agent, offer, SYSTEM, now)
        return
    ticket.offer = offer
    queueing.enter_state(desk, ticket, "offered")
    desk.journal.put(desk.offers, offer.id, offer)
    desk.journal.put(agent.shown, ticket.id, None)
    desk.arm(kinds.OFFER, offer.id, expires_at)


def accept(desk: Desk, ticket: Ticket, offer: Offer, command: OfferAccept) -> Result:
    """The agent takes the offer; the charge made at the offer stays."""
    at = desk.edit(ticket)
    end(desk, ticket, offer, "accepted", None)
    desk.say(ticket, made(OfferAccepted, ticket_id=ticket.id, offer_id=offer.id, agent=offer.agent), offer.agent)
    _assign(desk, ticket, desk.agents[offer.agent], offer, command.actor, at)
    return Answer(lambda: offer_shape(offer, "accepted", ticket_shape(ticket)))


def reject(desk: Desk, ticket: Ticket, offer: Offer, command: OfferReject) -> Result:
    """The agent declines; the ticket asks others, and this agent not before it may (rule 4)."""
    desk.edit(ticket)
    end(desk, ticket, offer, "rejected", command.reason)
    desk.say(
        ticket,
        made(OfferRejected, ticket_id=ticket.id, offer_id=offer.id, agent=offer.agent, reason=command.reason),
        offer.agent,
    )
    fail(desk, ticket, offer, "rejected")
    return Answer(lambda: offer_shape(offer, "rejected", ticket_shape(ticket)))


def rescind(desk: Desk, ticket: Ticket, reason: str) -> None:
    """Takes the pending offer back; what becomes of the ticket is the caller's."""
    offer = ticket.offer
    if offer is None:
        return
    desk.edit(ticket)
    end(desk, ticket, offer, "rescinded", reason)
    desk.say(
        ticket,
        made(OfferRescinded, ticket_id=ticket.id, offer_id=offer.id, agent=offer.agent, reason=reason),
        offer.agent,
    )


def refuse_ended(desk: Desk, offer_id: str) -> Refusal:
    """The refusal of an answer that came too late: who holds the ticket now."""
    ticket_id = desk.ended.get(offer_id)
    if ticket_id is None:
        return Refusal(404, "not-found", f"there is no offer {offer_id}")
    ticket = desk.tickets.get(ticket_id)
    holder = ticket.agent if ticket else None
    state = ticket.state if ticket else "closed"
    where = f"{holder} holds the ticket" if holder else f"the ticket is {state}"
    return Refusal(
        409, "offer-gone", f"the offer has ended; {where}", {"ticket_id": ticket_id, "holder": holder, "state": state}
    )


def assign(desk: Desk, ticket: Ticket, agent: Agent, by: Actor, reason: str, *, override: bool = False) -> None:
    """Gives the ticket to an agent without an offer; charges it unless the charge still stands. `override`: a
    supervisor puts the agent above capacity."""
    at = desk.edit(ticket)
    desk.waiting.leave(ticket)
    if not ticket.charged:
        charging.charge(desk, agent, ticket, override=override)
    desk.journal.put(agent.hand, ticket.id, None)
    _hold(desk, ticket, agent)
    desk.append(
        desk.changes.assignments,
        {
            "ticket_id": ticket.id,
            "agent": agent.slug,
            "offer_id": None,
            "reason": reason,
            "why": {
                "cause": desk.draft.cause,
                "by": by.kind,
                "actor": by.id,
                "reason": reason,
                "override": override,
            },
            "config_version": desk.policy.version,
            "at": at,
            "change": desk.change,
        },
    )
    desk.say(
        ticket,
        made(
            TicketAssigned,
            ticket_id=ticket.id,
            agent=agent.slug,
            queue=ticket.queue,
            weight=ticket.labels.weight,
            by=by,
            reason=reason,
            override=override,
        ),
        agent.slug,
    )


def release(desk: Desk, ticket: Ticket) -> None:
    """The holder lets go: the charge is freed, once, and the ticket has no agent. The caller has edited the ticket."""
    handle_time.end(desk, ticket)
    agent = desk.agent_of(ticket)
    ticket.last_agent, ticket.agent = ticket.agent or ticket.last_agent, None
    if agent is not None:
        charging.free(desk, agent, ticket)
        desk.journal.pop(agent.hand, ticket.id)
    if ticket.requeues_at is not None:
        ticket.requeues_at = None
        desk.arm(kinds.GRACE, ticket.id, None)


def _assign(desk: Desk, ticket: Ticket, agent: Agent, offer: Offer, by: Actor, at: Instant) -> None:
    _hold(desk, ticket, agent)
    desk.say(
        ticket,
        made(
            TicketAssigned,
            ticket_id=ticket.id,
            agent=agent.slug,
            queue=ticket.queue,
            weight=ticket.labels.weight,
            offer_id=offer.id,
            by=by,
            assigned_at=None if at == ticket.at else at,
        ),
        agent.slug,
    )


def _hold(desk: Desk, ticket: Ticket, agent: Agent) -> None:
    """The agent is the holder: what only counts in the queue ends."""
    ticket.agent = ticket.last_agent = agent.slug
    ticket.declined, ticket.offers, ticket.retrying = None, 0, False
    stop_retrying(desk, ticket)
    handle_time.begin(ticket)
    queueing.enter_state(desk, ticket, "assigned")
    if ticket.abandons_at is not None:
        ticket.abandons_at = None
        desk.arm(kinds.ABANDON, ticket.id, None)


def fail(desk: Desk, ticket: Ticket, offer: Offer, reason: str) -> None:
    """Back into the queue after an offer without success; `waiting_since` stands."""
    escalates = declining.count_failure(desk, ticket, offer.agent)
    queueing.enqueue(desk, ticket, reason, fresh=False)
    if escalates:
        declining.say(desk, ticket)


def end(desk: Desk, ticket: Ticket, offer: Offer, state: str, reason: str | None) -> None:
    """The offer's only end: its timer, and unless it was accepted its charge."""
    _note_end(desk, offer, state, ticket.at, reason)
    desk.journal.pop(desk.offers, offer.id)
    desk.arm(kinds.OFFER, offer.id, None)
    agent = desk.agents[offer.agent]
    desk.journal.pop(agent.shown, ticket.id)
    ticket.offer = None
    if state != "accepted":
        charging.free(desk, agent, ticket)
        desk.journal.pop(agent.hand, ticket.id)


def _note_end(desk: Desk, offer: Offer, state: str, at: Instant, reason: str | None) -> None:
    desk.journal.put(desk.ended, offer.id, offer.ticket_id)
    ended_at = max(at, offer.offered_at)
    row = {"id": offer.id, "state": state, "ended_at": ended_at, "reason": reason, "change": desk.change}
    desk.journal.put(desk.changes.offers_ended, offer.id, row)


def stop_retrying(desk: Desk, ticket: Ticket) -> None:
    """Nobody who declined is waited for any more. The caller has edited the ticket."""
    if ticket.retry_at is not None:
        ticket.retry_at = None
        desk.arm(kinds.RETRY, ticket.id, None)
