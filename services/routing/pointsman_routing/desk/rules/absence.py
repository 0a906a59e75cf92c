"""Rule 12, what becomes of a vanished agent's tickets: live chats queue again after the grace time; email when a
warning fired on a running clock, or at the latest after `at_latest_seconds` (`presence.gone` in the workspace)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.core.cause import TimerCause
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import offers, queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def left(desk: Desk, agent: Agent, at: Instant) -> None:
    """No session of the agent lives since `at`: each assigned ticket gets its time to wait for the return."""
    desk.edit_agent(agent)
    agent.gone_at = at
    for ticket_id in sorted(agent.hand):
        wait_for_return(desk, desk.tickets[ticket_id], at)


def wait_for_return(desk: Desk, ticket: Ticket, gone_at: Instant) -> None:
    """Arms the ticket's requeueing, by its channel's rule."""
    if ticket.state != "assigned":
        return
    rule = desk.policy.channels[ticket.channel]
    due: Instant | None
    if rule.gone_requeue == "after_grace" or (rule.gone_requeue == "on_warning" and ticket.warned):
        due = gone_at + desk.policy.grace
    elif rule.gone_requeue == "on_warning" and rule.gone_at_latest is not None:
        due = gone_at + max(rule.gone_at_latest, desk.policy.grace)
    else:
        due = None
    if due != ticket.requeues_at:
        desk.edit(ticket)
        ticket.requeues_at = due
        desk.arm(kinds.GRACE, ticket.id, due)


def mind_absence(desk: Desk, ticket: Ticket, agent: Agent) -> None:
    """A person gave the ticket to an agent of whom no session lives: it waits for them like the tickets of one who has
    just vanished."""
    if agent.present:
        return
    if agent.gone_at is None:
        desk.edit_agent(agent)
        agent.gone_at = desk.draft.now
    wait_for_return(desk, ticket, desk.draft.now)


def returned(desk: Desk, agent: Agent) -> None:
    """The agent is back before that."""
    desk.edit_agent(agent)
    agent.gone_at = None
    for ticket_id in sorted(agent.hand):
        ticket = desk.tickets[ticket_id]
        if ticket.requeues_at is not None:
            desk.edit(ticket)
            ticket.requeues_at = None
            desk.arm(kinds.GRACE, ticket.id, None)


def requeue(desk: Desk, cause: TimerCause) -> Result:
    """The time to wait for the agent is over: the ticket is queued again, in its old place."""
    ticket = desk.tickets[cause.subject]
    desk.edit(ticket)
    offers.release(desk, ticket)
    queueing.enqueue(desk, ticket, "agent gone", fresh=False)
    return None
