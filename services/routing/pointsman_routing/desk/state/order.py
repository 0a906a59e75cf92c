"""Rule 8, order: one key per ticket, that only causes change; the smallest is served first. Rule 7: a priority is a
head start in minutes, so that nothing starves.

Keys are microseconds since the epoch (`strict`: a class before them). Keys of one queue compare with one another;
between queues of equal rank heads compare by `slack_us`, which every ticket has. Where a queue's offers are shared with
the overdue (`late_share`), the instant from which a ticket is overdue stands in its key, after the slack (`sides`).

`accumulating` (Kleinrock 1964): urgency is the priority's slope times the time waited, so two tickets of different
slopes overtake one another without any cause. Those of one slope do not: a heap holds them, by age, and only the heads
are compared, with the urgency that they have `now`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pointsman.core.instant import EPOCH, Instant
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.desk.state.policy import QueuePolicy

_US = timedelta(microseconds=1)

OrderKey = Any
"""An `int` of microseconds, or a pair: for `strict` class and microseconds, with a `late_share` slack and due."""


def micros(at: Instant) -> int:
    """Microseconds since the epoch."""
    return (at - EPOCH) // _US


def from_micros(us: int) -> Instant:
    """The instant of so many microseconds since the epoch."""
    return EPOCH + us * _US


def effective_priority(ticket: Ticket, queue: QueuePolicy) -> str:
    """The priority that the order reads: a boost raises it, at most to urgent (rule 7)."""
    if not ticket.boost:
        return ticket.labels.priority
    return queue.priorities[max(0, queue.priorities.index(ticket.labels.priority) - ticket.boost)]


def since_us(ticket: Ticket) -> int:
    """What order counts from (rule 5)."""
    return micros(ticket.waiting_since or ticket.queued_at or ticket.opened_at)


def due_us(ticket: Ticket, queue: QueuePolicy) -> int:
    """The instant after which the ticket is overdue: the earliest running response's breach, else the queue's wait
    target."""
    first, second = ticket.first_breach_at, ticket.next_breach_at
    if first is None and second is None:
        return since_us(ticket) + queue.wait_target_us
    if first is not None and second is not None:
        return micros(min(first, second))
    return micros(first or second)  # type: ignore[arg-type]


def is_overdue(ticket: Ticket, queue: QueuePolicy, now_us: int) -> bool:
    """Whether the queue sets the overdue apart, and the ticket is one of them."""
    return queue.late_share is not None and due_us(ticket, queue) < now_us


def slack_us(ticket: Ticket, queue: QueuePolicy) -> int:
    """The instant after which the ticket is overdue, less its head start."""
    return due_us(ticket, queue) - queue.head_start_us[effective_priority(ticket, queue)]


def _fifo(ticket: Ticket, queue: QueuePolicy) -> OrderKey:
    return since_us(ticket)


def _priority(ticket: Ticket, queue: QueuePolicy) -> OrderKey:
    return since_us(ticket) - queue.head_start_us[effective_priority(ticket, queue)]


def _strict(ticket: Ticket, queue: QueuePolicy) -> OrderKey:
    return queue.priorities.index(effective_priority(ticket, queue)), since_us(ticket)


ORDERS: dict[str, Callable[[Ticket, QueuePolicy], OrderKey]] = {
    "fifo": _fifo,
    "priority": _priority,
    "strict": _strict,
    "urgency": slack_us,
    "accumulating": _fifo,
}


def slope_of(ticket: Ticket, queue: QueuePolicy) -> float:
    """The urgency gained per unit waited; 0 where the order is not `accumulating`."""
    return queue.slopes[effective_priority(ticket, queue)] if queue.slopes else 0.0


def head_key(key: OrderKey, slope: float, now_us: int) -> Any:
    """What heads of one queue compare by: the key, or with a slope the urgency at this instant."""
    return -slope * (now_us - key) if slope else key


def order_key(ticket: Ticket, queue: QueuePolicy) -> OrderKey:
    """The ticket's key in its queue."""
    key = ORDERS[queue.order](ticket, queue)
    return key if queue.late_share is None else (key, due_us(ticket, queue))
