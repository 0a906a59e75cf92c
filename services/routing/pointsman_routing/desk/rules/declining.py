"""Rule 4, declining: who declined is skipped until everybody eligible has, and at least `retry_seconds`; after
`offers_max` the ticket escalates, and the agents of the queue in `then` are asked too. It is never dropped.

Eligible for this rule is who serves the queue, holds the skills and is available, full or not. What the ladders of sla
do to a ticket is in `ladders`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketEscalated
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.capacity import takes_offers
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.result import Result
from pointsman_routing.desk.state.roster import Pool

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def count_failure(desk: Desk, ticket: Ticket, agent: str) -> bool:
    """Notes that an agent declined (or let the offer expire); whether the ticket escalates now.

    It escalates so once for each time it enters the queue. The caller has edited the ticket.
    """
    queue = desk.queue_of(ticket)
    ticket.offers += 1
    ticket.declined = {**(ticket.declined or {}), agent: desk.draft.now + queue.retry}
    if ticket.offers < queue.offers_max or ticket.offers_spent_at is not None:
        return False
    ticket.offers_spent_at = ticket.at
    ticket.escalated_at = ticket.escalated_at or ticket.at
    if queue.escalates_to is not None:
        widen(ticket, (queue.escalates_to,))
    ticket.declined, ticket.retrying = None, False
    return True


def say(desk: Desk, ticket: Ticket) -> None:
    """Tells of the escalation, and whom the document wants to be told."""
    queue = desk.queue_of(ticket)
    fact = made(
        TicketEscalated,
        ticket_id=ticket.id,
        reason=f"{ticket.offers} offers without success",
        offers=ticket.offers,
        notify=queue.escalates_with,
        overflow=() if queue.escalates_to is None else (queue.escalates_to,),
    )
    desk.say(ticket, fact)


def widen(ticket: Ticket, queues: tuple[str, ...]) -> None:
    """The agents of these queues are asked too, until the ticket is queued afresh. The caller has edited it."""
    ticket.wide = tuple(dict.fromkeys((*ticket.wide, *queues)))


def review_pool(desk: Desk, pool: Pool) -> None:
    """An agent of the pool became available or stopped being so: that may complete rounds of declining."""
    for group, _ in pool.groups_served(desk.waiting):
        for entry in sorted(group.picky.values()):
            review(desk, entry[3])


def review(desk: Desk, ticket: Ticket) -> None:
    """Lets those ask again whose time has come, once everybody eligible has declined; else arms the next moment."""
    if not ticket.declined or ticket.place is None:
        return
    if not ticket.retrying:
        if not everybody_declined(desk, ticket):
            return
        desk.edit(ticket)
        ticket.retrying = True
    still = {agent: until for agent, until in ticket.declined.items() if until > desk.draft.now}
    next_at = min(still.values()) if still else None
    if len(still) < len(ticket.declined):
        desk.edit(ticket)
        desk.waiting.leave(ticket)
        ticket.declined = still or None
        queueing.wait(desk, ticket)
    if ticket.retry_at != next_at:
        desk.edit(ticket)
        ticket.retry_at = next_at
        desk.arm(kinds.RETRY, ticket.id, next_at)


def everybody_declined(desk: Desk, ticket: Ticket) -> bool:
    """Whether somebody is eligible, and all of them declined."""
    channel = ticket.channel
    eligible = desk.eligible(ticket)
    available = sum(pool.available[channel] for pool in eligible.score)
    if not available:
        return False
    declined = 0
    for slug in ticket.declined or ():
        agent = desk.agents.get(slug)
        declined += agent is not None and agent.pool in eligible.score and takes_offers(agent, channel)
    return declined >= available


def retry(desk: Desk, cause: TimerCause) -> Result:
    """The time of one who declined is over."""
    ticket = desk.tickets[cause.subject]
    desk.edit(ticket)
    ticket.retry_at = None
    desk.arm(kinds.RETRY, ticket.id, None)
    if ticket.place is not None:
        desk.draft.tickets[ticket.id] = ticket
    return None
