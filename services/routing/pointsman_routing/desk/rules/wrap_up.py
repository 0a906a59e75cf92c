"""Wrap-up: after the resolution the agent keeps the charge until the after-work is done. It is no ticket state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import WrapUpFinish
from pointsman.contracts.desk import WrapUpFinished
from pointsman.contracts.shapes import SYSTEM, Actor
from pointsman.core.cause import TimerCause
from pointsman.core.decision import refuse
from pointsman_routing.desk.rules import offers
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.result import Answer, Result
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def finish(desk: Desk, ticket: Ticket, command: WrapUpFinish) -> Result:
    """The agent is done before the time."""
    if not ticket.in_wrap_up:
        return refuse(409, "wrong-state", "the ticket is not in wrap-up")
    desk.edit(ticket)
    over(desk, ticket, command.actor)
    return Answer(lambda: ticket_shape(ticket))


def end(desk: Desk, cause: TimerCause) -> Result:
    """The time is up."""
    ticket = desk.tickets[cause.subject]
    desk.edit(ticket)
    over(desk, ticket, SYSTEM)
    return None


def over(desk: Desk, ticket: Ticket, by: Actor) -> None:
    """Frees the charge. The caller has edited the ticket."""
    agent = ticket.agent
    assert agent is not None, "a ticket in wrap-up has its agent"
    ticket.wrap_up_until = None
    desk.renew(ticket)
    desk.arm(kinds.WRAP_UP, ticket.id, None)
    offers.release(desk, ticket)
    desk.say(ticket, made(WrapUpFinished, ticket_id=ticket.id, agent=agent, by=by), agent)
