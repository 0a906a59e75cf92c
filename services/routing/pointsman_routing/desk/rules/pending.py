"""Pending: the ticket waits on somebody else. It frees the charge, except where the channel says `pending_holds`.

It ends by a customer's message, at `until` (it returns, or resolves), or by itself as `solved` in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketPend
from pointsman.contracts.desk import TicketPended
from pointsman.contracts.shapes import SYSTEM, TicketState
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import charging, handle_time, queueing, resolve, resume
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Pause, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


PAUSABLE = frozenset({"assigned", "pending", "snoozed"})


def pend(desk: Desk, ticket: Ticket, command: TicketPend) -> Result:
    """The holder sets the ticket aside. Without `until` it resolves after `pending_resolves_after_seconds`."""
    if ticket.state not in PAUSABLE:
        return wrong_state(ticket, "only a ticket that somebody holds can be pended")
    if command.until is not None and command.until <= desk.draft.at:
        return invalid("until is in the past", "/until")
    at = desk.edit(ticket)
    resolves_at = at + desk.policy.pending_resolves_after if command.until is None else None
    pause = Pause(command.waiting_on, command.until, command.then, command.reason, resolves_at)
    frees = set_aside(desk, ticket, "pending", pause)
    desk.say(
        ticket,
        made(
            TicketPended,
            ticket_id=ticket.id,
            agent=ticket.agent,
            waiting_on=command.waiting_on,
            until=command.until,
            reason=command.reason,
            then=command.then,
            frees=frees,
            by=command.actor,
        ),
        ticket.agent,
    )
    return Answer(lambda: ticket_shape(ticket))


def set_aside(desk: Desk, ticket: Ticket, state: TicketState, pause: Pause) -> bool:
    """The ticket is pending or snoozed until the pause ends; whether that frees the charge."""
    desk.edit(ticket)
    handle_time.end(desk, ticket)
    ticket.pause = pause
    queueing.enter_state(desk, ticket, state)
    desk.arm(kinds.PENDING, ticket.id, pause.ends_at)
    frees = not desk.policy.channels[ticket.channel].pending_holds
    agent = desk.agent_of(ticket)
    if frees and agent is not None:
        charging.free(desk, agent, ticket)
    if ticket.requeues_at is not None:
        ticket.requeues_at = None
        desk.arm(kinds.GRACE, ticket.id, None)
    return frees


def end(desk: Desk, cause: TimerCause) -> Result:
    """The time is up: back to work, or resolved as `solved`."""
    ticket = desk.tickets[cause.subject]
    pause = ticket.pause
    assert pause is not None, "the timer is armed only while the ticket is set aside"
    desk.edit(ticket)
    if pause.until is not None and pause.then == "return":
        resume.wake(desk, ticket, "the time was up")
    else:
        resolve.finish(desk, ticket, "solved", SYSTEM, reason="pending timeout")
    return None
