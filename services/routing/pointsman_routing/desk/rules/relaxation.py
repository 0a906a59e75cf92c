"""Rule 10, relaxation and overflow: after some waiting a requirement drops or its level falls, agents of further queues
are asked too, agents' later ranks open. It widens the agents and never changes the ticket's queue.

What a queue's tickets go through is compiled to stages (policy.Stage). A timer of the queue is due when its first
ticket goes on to the next; the ticket then stands in another group of the waiting index, and `settle` asks for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.order import from_micros, micros
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

AT_ONCE_MAX = 200
"""Tickets that one decision moves on; the others follow at once, each in a decision of its own size."""


def ripen(desk: Desk, cause: TimerCause) -> Result:
    """Moves on the tickets whose stage is over, and arms the next."""
    queue, now_us = cause.subject, micros(desk.draft.now)
    desk.arm(kinds.RIPEN, queue, None)
    for ticket in desk.waiting.ripe(queue, now_us, AT_ONCE_MAX):
        desk.edit(ticket)
        desk.waiting.leave(ticket)
        queueing.wait(desk, ticket)
    next_us = desk.waiting.ripens_at_us(queue)
    if next_us is not None:
        # The cause's id has the instant in it: what is left of this one is another.
        desk.arm(kinds.RIPEN, queue, max(from_micros(next_us), cause.due + timedelta(microseconds=1)))
    return None
