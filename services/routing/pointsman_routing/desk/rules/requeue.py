"""How a ticket leaves whoever has it and waits again (rules 5 and 14): transfers, handovers, a supervisor's requeueing.

It waits from the oldest unanswered message, or from now when all are answered. Its round of offers begins anew; who had
it counts as having declined, so that it does not come straight back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import AgentHandover, AgentRequeue, RequeueTo
from pointsman.contracts.desk import TicketTransferred, TicketWoken
from pointsman.contracts.shapes import Actor
from pointsman.core.decision import refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import holding, offers, queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

HELD_STATES = frozenset({"assigned", "pending", "snoozed"})


def handover(desk: Desk, agent: Agent, command: AgentHandover) -> Result:
    """The agent gives tickets that they hold back to their queues: those named, else all. What waits on somebody else
    goes on doing so, with no holder to return to. Refused whole when they do not hold one that is named."""
    return _hand_back(desk, agent, _in_hand(desk, agent), command, None)


def requeue(desk: Desk, agent: Agent, command: AgentRequeue) -> Result:
    """A supervisor does the same for an agent who leaves: of some channels perhaps, and into another queue."""
    if command.to_queue is not None and command.to_queue not in desk.policy.queues:
        return invalid(f"there is no queue {command.to_queue}", "/to")
    tickets = _in_hand(desk, agent)
    if command.channels is not None:
        tickets = [ticket for ticket in tickets if ticket.channel in command.channels]
    return _hand_back(desk, agent, tickets, command, command.to_queue)


def one(desk: Desk, ticket: Ticket, to: RequeueTo, by: Actor) -> Result:
    """Gives one ticket that somebody holds back to its queue, or to another."""
    if to.to_queue is not None and to.to_queue not in desk.policy.queues:
        return invalid(f"there is no queue {to.to_queue}", "/action/requeue/to")
    if ticket.state not in HELD_STATES:
        return wrong_state(ticket, "only a ticket that somebody holds can be requeued")
    leave_holder(desk, ticket, to.to_queue or ticket.queue, by, to.reason)
    return None


def leave_holder(desk: Desk, ticket: Ticket, queue: str, by: Actor, reason: str) -> None:
    """The ticket has no holder any more, whoever took it from them. Assigned, it waits in the queue; set aside, it
    goes on waiting on somebody else, and has no holder to return to."""
    desk.edit(ticket)
    holder = ticket.agent
    waits = ticket.state == "assigned"
    if waits:
        let_go(desk, ticket, reason)
    else:
        offers.release(desk, ticket)
        desk.renew(ticket)
    ticket.queue = queue
    said = made(TicketTransferred, ticket_id=ticket.id, from_agent=holder, to_queue=queue, reason=reason, by=by)
    desk.say(ticket, said, holder)
    if waits:
        agent = desk.agents.get(holder) if holder is not None else None
        asked_again = agent is not None and agent.profile.takes_tickets and agent.active
        wait_again(desk, ticket, "handed back", holder if asked_again else None)


def let_go(desk: Desk, ticket: Ticket, reason: str) -> str | None:
    """Takes an open ticket from whoever has it, out of its pause and out of the queue; who held it. Where it goes on
    is the caller's."""
    desk.edit(ticket)
    holder = ticket.agent
    offers.rescind(desk, ticket, reason)
    desk.waiting.leave(ticket)
    if ticket.held is not None:
        holding.stop_holding(desk, ticket)
    if ticket.pause is not None:
        ticket.pause = None
        desk.arm(kinds.PENDING, ticket.id, None)
        desk.say(ticket, made(TicketWoken, ticket_id=ticket.id, reason=reason), holder)
    offers.release(desk, ticket)
    return holder


def wait_again(
    desk: Desk, ticket: Ticket, reason: str, skip: str | None, *, reserve: tuple[str, Instant] | None = None
) -> None:
    """A ticket that nobody has any more enters its queue; `skip` is not asked before the others. With `reserve` it
    waits for one agent first."""
    at = desk.edit(ticket)
    offers.stop_retrying(desk, ticket)
    ticket.queue = desk.policy.queue_or_otherwise(ticket.queue)
    ticket.queued_at = at
    ticket.waiting_since = ticket.unanswered_since or at
    queueing.begin_anew(ticket)
    ticket.declined = {skip: desk.draft.now + desk.queue_of(ticket).retry} if skip is not None else None
    queueing.enqueue(desk, ticket, reason, fresh=False, reserve=reserve)


def _in_hand(desk: Desk, agent: Agent) -> list[Ticket]:
    tickets = [desk.tickets[id] for id in sorted(agent.hand)]
    return [ticket for ticket in tickets if ticket.state in HELD_STATES]


def _hand_back(
    desk: Desk, agent: Agent, tickets: list[Ticket], command: AgentHandover | AgentRequeue, queue: str | None
) -> Result:
    if command.ticket_ids is not None:
        known = {ticket.id: ticket for ticket in tickets}
        errors = [
            {"pointer": f"/ticket_ids/{place}", "detail": f"{agent.slug} does not hold {id}"}
            for place, id in enumerate(command.ticket_ids)
            if id not in known
        ]
        if errors:
            return refuse(409, "not-holder", errors[0]["detail"], holder=None, errors=errors)
        tickets = [known[id] for id in dict.fromkeys(command.ticket_ids)]
    for ticket in tickets:
        leave_holder(desk, ticket, queue or ticket.queue, command.actor, command.reason)
    return Answer(
        lambda: {
            "items": [
                {"ticket_id": ticket.id, "state": ticket.state, "queue": ticket.queue, "agent": ticket.agent}
                for ticket in tickets
            ]
        }
    )
