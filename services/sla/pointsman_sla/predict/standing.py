"""Where a waiting ticket stands in its queue, as far as sla knows: the queue's order without ladders' boosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pointsman.contracts.document.queues import HEAD_START_MINUTES
from pointsman.contracts.shapes import PRIORITIES
from pointsman_sla.micros import MICROS

if TYPE_CHECKING:
    from pointsman_sla.clocks.model import Ticket

WAIT_TARGET_SECONDS = 3600
_CLASS = 10**17
"""More microseconds than any instant has."""


@dataclass(frozen=True, slots=True)
class Line:
    """How a queue orders its tickets."""

    order: str = "fifo"
    wait_target: int = WAIT_TARGET_SECONDS * MICROS
    head_start: Mapping[str, int] = field(
        default_factory=lambda: {p: minutes * 60 * MICROS for p, minutes in HEAD_START_MINUTES.items()}
    )


FIFO = Line()


ORDERING = ("order", "wait_target_seconds", "head_start_minutes")
"""The keys of a queue that say how it orders."""


def lines_of(queues: Mapping[str, Any]) -> dict[str, Line]:
    """The queues of a document, as it is written."""
    return {slug: _line(queue or {}) for slug, queue in queues.items()}


def _line(queue: Mapping[str, Any]) -> Line:
    minutes = {**HEAD_START_MINUTES, **(queue.get("head_start_minutes") or {})}
    return Line(
        order=queue.get("order") or "fifo",
        wait_target=int(queue.get("wait_target_seconds") or WAIT_TARGET_SECONDS) * MICROS,
        head_start={priority: int(each) * 60 * MICROS for priority, each in minutes.items()},
    )


def rank_of(ticket: Ticket, line: Line) -> int | None:
    """What a waiting ticket is ordered by, the smallest first; None when it does not wait. Microseconds, before which
    `strict` sets the priority's class."""
    if ticket.phase != "queued":
        return None
    since = ticket.unanswered[0] if ticket.unanswered else ticket.phases[-1][0]
    priority = ticket.labels.priority
    if line.order == "priority":
        return since - line.head_start.get(priority, 0)
    if line.order == "strict":
        return PRIORITIES.index(priority) * _CLASS + since
    if line.order == "urgency":
        running = [
            clock.breach_at
            for metric in ("first_response", "next_response")
            if (clock := ticket.clocks.get(metric)) is not None and clock.active and clock.state == "running"
        ]
        return min(running, default=since + line.wait_target) - line.head_start.get(priority, 0)
    return since
