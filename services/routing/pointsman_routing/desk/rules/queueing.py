"""Rule 5, the queue: how a ticket enters it, its place there, and what entering another state ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketQueued
from pointsman.contracts.shapes import TicketState
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import holding
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.order import from_micros, order_key, since_us

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def enqueue(
    desk: Desk, ticket: Ticket, reason: str, *, fresh: bool, reserve: tuple[str, Instant] | None = None
) -> None:
    """The ticket waits; at the decision's end `settle` carries out the rule of a shut queue and finds it an agent.

    With `reserve` it waits for this agent alone until then, whether the queue is open or not.

    `fresh` when it comes from outside the queue (opened, reopened, woken): its round of offers begins anew, and
    without an unanswered message it waits from now. Else its place in the order stands (rule 5).
    """
    at = desk.edit(ticket)
    ticket.queue = desk.policy.queue_or_otherwise(ticket.queue)
    enter_state(desk, ticket, "queued")
    if fresh:
        ticket.queued_at = at
        ticket.waiting_since = ticket.unanswered_since or at
        begin_anew(ticket)
    elif ticket.waiting_since is None:
        ticket.queued_at = ticket.waiting_since = at
    elif ticket.queued_at is None:  # an agent began the conversation: it has never been queued
        ticket.queued_at = at
    if reserve is None:
        reason = holding.admit(desk, ticket, reason)
    else:
        holding.reserve_for(desk, ticket, *reserve)
    wait(desk, ticket)
    if ticket.left_at is not None:
        after = desk.policy.channels[ticket.channel].abandons_after
        ticket.abandons_at = None if after is None else max(at, ticket.left_at + after)
        desk.arm(kinds.ABANDON, ticket.id, ticket.abandons_at)
    since = ticket.waiting_since
    desk.say(
        ticket,
        made(
            TicketQueued,
            ticket_id=ticket.id,
            queue=ticket.queue,
            reason=reason,
            waiting_since=since,
            held=ticket.held,
        ),
    )


def wait(desk: Desk, ticket: Ticket) -> None:
    """(Re-)enters the waiting index with the key and the stage that hold now, unless it is held; what waits for one
    agent asks them. The caller has edited the ticket."""
    if ticket.held is not None:
        return
    if ticket.reserved_for is not None:
        agent = desk.agents[ticket.reserved_for]
        desk.edit_agent(agent)
        desk.draft.agents[agent.slug] = agent
        return
    queue = desk.queue_of(ticket)
    ticket.stage = desk.stage_of(ticket, queue)
    group = desk.waiting.enter(ticket, order_key(ticket, queue))
    if group.ripens_us is not None:
        ripens(desk, queue.slug, since_us(ticket) + group.ripens_us)
    desk.draft.tickets[ticket.id] = ticket


def reorder(desk: Desk, ticket: Ticket) -> None:
    """Something that the order reads has changed. The caller has edited the ticket."""
    if ticket.place is not None:
        desk.waiting.leave(ticket)
        wait(desk, ticket)


def ripens(desk: Desk, queue: str, at_us: int) -> None:
    """A ticket of the queue goes on to its next stage then: the queue's timer is due at the first of them."""
    at = from_micros(at_us)
    armed = desk.timers.armed_for(kinds.RIPEN, (desk.workspace, queue))
    if armed is None or at < armed:
        desk.arm(kinds.RIPEN, queue, at)


def enter_state(desk: Desk, ticket: Ticket, state: TicketState) -> None:
    """The state is another: so is the version (API.md). Only a queued ticket is held; a reservation ends."""
    if ticket.held is not None and state != "queued":
        holding.stop_holding(desk, ticket)
    ticket.state = state
    desk.renew(ticket)
    if ticket.reserved_for is not None:
        holding.end_reservation(desk, ticket)


def begin_anew(ticket: Ticket) -> None:
    """The ticket is queued afresh: nothing was offered, nobody declined, and nothing widens the search. A boost stands.
    The caller has edited the ticket."""
    ticket.declined, ticket.offers, ticket.retrying = None, 0, False
    ticket.escalated_at = ticket.offers_spent_at = None
    ticket.wide, ticket.relaxed = (), None
