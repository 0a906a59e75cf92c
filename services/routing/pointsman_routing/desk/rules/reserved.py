"""Rule 14, waiting for one agent: a ticket that was transferred to somebody absent or full waits a stated time.

Such a ticket is queued, and does not stand in the waiting index (`place` is None): nobody else may have it. An agent's
reserved tickets are few. `settle` gives them, the longest waiting first, as soon as their agent is available with room,
before anything from the queues. When the time is over the ticket waits in its queue like any other. Whatever state a
ticket enters, its reservation is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.shapes import SYSTEM
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import offers, queueing
from pointsman_routing.desk.state.capacity import has_room
from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.order import since_us
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def give(desk: Desk, agent: Agent) -> None:
    """Assigns the agent what was reserved for them, as far as there is room."""
    waiting = [desk.tickets[id] for id in desk.reserved.get(agent.slug, ())]
    for ticket in sorted(waiting, key=lambda ticket: (since_us(ticket), ticket.arrival)):
        if has_room(agent, ticket):
            offers.assign(desk, ticket, agent, SYSTEM, "it was transferred to them and has waited for them")


def lapse(desk: Desk, cause: TimerCause) -> Result:
    """The agent did not get to it: the ticket's queue does, and it keeps its place in time."""
    ticket = desk.tickets[cause.subject]
    desk.edit(ticket)
    queueing.enqueue(desk, ticket, "waited for its agent in vain", fresh=False)
    return None
