"""What sla says of a ticket's clocks: when a running response breaches (rule 8), warnings (rule 12), steps of
ladders, the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman.contracts.sla import (
    AlertOpened,
    ClockBreached,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockPaused,
    ClockRestated,
    ClockResumed,
    ClockStarted,
    ClockWarned,
)
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import absence, ladders, queueing
from pointsman_routing.desk.state.model import OPEN_STATES, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

_BREACH_FIELD = {"first_response": "first_breach_at", "next_response": "next_breach_at"}


def ticket_of(fact: Any) -> str | None:
    """The ticket that a fact of sla is about."""
    if isinstance(fact, AlertOpened):
        return fact.clock.ticket if fact.clock else None
    return getattr(fact, "ticket_id", None)


def note(desk: Desk, ticket: Ticket | None, ticket_id: str | None, fact: Any, at: Instant) -> None:
    """Keeps the fact for the ticket's timeline and the list of events; an open ticket's order and its vanished holder
    hear of it. Alerts that are about no ticket have no `ticket_id`."""
    draft = desk.draft
    draft.serial += 1
    row = {"ticket_id": ticket_id, "subject": draft.subject, "at": at, "type": fact.type, "cause": draft.cause}
    row |= {"body": fact.wire(), "change": desk.change, "number": draft.serial}
    desk.append(desk.changes.clock_facts, row)
    if ticket is None or ticket.state not in OPEN_STATES:
        return
    if isinstance(fact, (ClockStarted, ClockResumed)):
        _set_breach(desk, ticket, fact.metric, fact.breach_at)
        if isinstance(fact, ClockStarted) and fact.breached_at is not None:
            _warn(desk, ticket)
    elif isinstance(fact, ClockRestated):
        if not fact.breach_stands:
            _set_breach(desk, ticket, fact.metric, fact.breach_at if fact.state == "running" else None)
    elif isinstance(fact, (ClockPaused, ClockMet, ClockCancelled)):
        _set_breach(desk, ticket, fact.metric, None)
    elif isinstance(fact, ClockEscalated):
        ladders.climb(desk, ticket, fact)
    elif isinstance(fact, (ClockWarned, ClockBreached)):
        _warn(desk, ticket)


def _warn(desk: Desk, ticket: Ticket) -> None:
    if ticket.warned:
        return
    desk.edit(ticket)
    ticket.warned = True
    agent = desk.agent_of(ticket)
    if agent is not None and agent.gone_at is not None:
        absence.wait_for_return(desk, ticket, agent.gone_at)


def _set_breach(desk: Desk, ticket: Ticket, metric: str, breach_at: Instant | None) -> None:
    name = _BREACH_FIELD.get(metric)
    if name is None or getattr(ticket, name) == breach_at:
        return
    desk.edit(ticket)
    setattr(ticket, name, breach_at)
    queueing.reorder(desk, ticket)
