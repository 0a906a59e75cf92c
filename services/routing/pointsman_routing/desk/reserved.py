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
from pointsman.core.instant import Instant
from pointsman_routing.desk import offers
from pointsman_routing.desk import timers as kinds
from pointsman_routing.desk.capacity import has_room
from pointsman_routing.desk.model import Agent, Ticket
from pointsman_routing.desk.order import since_us
from pointsman_routing.desk.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.desk import Desk


def keep(desk: Desk, ticket: Ticket, agent: str, until: Instant) -> None:
    """A ticket that enters its queue waits for this agent alone. The caller has edited it (`Desk.enqueue`)."""
    ticket.reserved_for, ticket.reserved_until = agent, until
    desk.journal.put(desk.reserved, agent, (*desk.reserved.get(agent, ()), ticket.id))
    desk.arm(kinds.RESERVE, ticket.id, until)


def end(desk: Desk, ticket: Ticket) -> None:
    """It waits for nobody in particular. The caller has edited it, and says where it is."""
    agent = ticket.reserved_for
    if agent is None:
        return
    others = tuple(id for id in desk.reserved[agent] if id != ticket.id)
    if others:
        desk.journal.put(desk.reserved, agent, others)
    else:
        desk.journal.pop(desk.reserved, agent)
    ticket.reserved_for = ticket.reserved_until = None
    desk.arm(kinds.RESERVE, ticket.id, None)


def count(desk: Desk, queue: str) -> int:
    """How many of a queue's tickets wait for one agent."""
    return sum(desk.tickets[id].queue == queue for ids in desk.reserved.values() for id in ids)


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
    desk.enqueue(ticket, "waited for its agent in vain", fresh=False)
    return None
