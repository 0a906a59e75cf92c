"""Rule 7 and escalation ladders: what sla carries out for a clock (`clock.escalated`), as far as it is the desk's.

A boost orders the ticket some classes higher, at most urgent, whatever its queue's order; priority, policy and target
stay. Boosts add up, and stand until the ticket is resolved. A relaxation drops what the ticket requires, an overflow
has further queues' agents asked: at once when it waits, else when it waits again in the same queueing; queued afresh
(transferred, reopened, woken) it begins with neither, as with offers. A ticket that is resolved, closed or merged is
left alone: the target of a merge has clocks of its own. None of this is a label, and none changes the ticket's version.

Each step acts once per clock and cycle: a repetition is for those who are notified, and what was told twice changes
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketEscalated
from pointsman.contracts.shapes import PRIORITIES
from pointsman.contracts.sla import ClockEscalated
from pointsman_routing.desk.rules import declining, queueing
from pointsman_routing.desk.state.model import Climb, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

CLIMBS_KEPT_MAX = 50
"""Steps that a ticket remembers, the newest; a boost is at its greatest long before."""
BOOST_MAX = len(PRIORITIES) - 1


def climb(desk: Desk, ticket: Ticket, fact: ClockEscalated) -> None:
    """Carries the step out for an open ticket and says so; nothing when it is none of the desk's."""
    queues = tuple(queue for queue in fact.overflow if queue in desk.policy.queues)
    if fact.repetition or not (fact.boost or fact.relax or queues):
        return
    done = Climb(fact.clock_id, fact.cycle, fact.step, fact.ladder, fact.boost, fact.relax, queues)
    if any(each[:3] == done[:3] for each in ticket.climbed or ()):
        return
    at = desk.edit(ticket)
    ticket.climbed = (*(ticket.climbed or ()), done)[-CLIMBS_KEPT_MAX:]
    ticket.escalated_at = ticket.escalated_at or at
    ticket.boost = min(BOOST_MAX, ticket.boost + fact.boost)
    if fact.relax is not None and ticket.relaxed != "all":
        ticket.relaxed = fact.relax
    declining.widen(ticket, queues)
    queueing.reorder(desk, ticket)
    desk.say(
        ticket,
        made(
            TicketEscalated,
            ticket_id=ticket.id,
            reason=_in_words(done),
            offers=ticket.offers,
            clock_id=fact.clock_id,
            metric=fact.metric,
            cycle=fact.cycle,
            policy=fact.policy,
            ladder=fact.ladder,
            step=fact.step,
            boost=fact.boost,
            relax=fact.relax,
            overflow=queues,
        ),
        ticket.agent,
    )


def _in_words(done: Climb) -> str:
    said = []
    if done.boost:
        said.append(f"ordered {done.boost} {'class' if done.boost == 1 else 'classes'} higher")
    if done.relax is not None:
        said.append("needs no skill any more" if done.relax == "all" else "needs its language no more")
    if done.overflow:
        said.append(f"offered to agents of {' and '.join(done.overflow)} too")
    return f"ladder {done.ladder}: {', '.join(said)}"
