"""Where a waiting ticket stands in its queue, as far as sla knows: the queue's order without ladders' boosts."""

from pointsman.contracts.shapes import PRIORITIES
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.queue_order import QueueOrder

_CLASS = 10**17
"""More microseconds than any instant has."""


def rank_of(ticket: Ticket, order: QueueOrder) -> int | None:
    """What a waiting ticket is ordered by, the smallest first; None when it does not wait. Microseconds, before which
    `strict` sets the priority's class."""
    if ticket.phase != "queued":
        return None
    since = ticket.unanswered[0] if ticket.unanswered else ticket.phases[-1][0]
    priority = ticket.labels.priority
    if order.kind == "priority":
        return since - order.head_start.get(priority, 0)
    if order.kind == "strict":
        return PRIORITIES.index(priority) * _CLASS + since
    if order.kind == "urgency":
        running = [
            clock.breach_at
            for metric in ("first_response", "next_response")
            if (clock := ticket.clocks.get(metric)) is not None and clock.active and clock.state == "running"
        ]
        return min(running, default=since + order.wait_target) - order.head_start.get(priority, 0)
    return since
