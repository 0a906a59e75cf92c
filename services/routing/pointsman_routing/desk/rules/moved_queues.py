"""Rule 14, a queue that is renamed or deleted with `moves`: all its tickets go on in another, resolved ones too.

Open tickets move with the version that says so. Resolved ones are not resident: each moves when it is next touched, to
where its queue went since then, however often (`Desk.moves`, in order; a ticket's `change` tells which of them it has
seen). A queue that is gone without a word is the catch-all's from then on. So an open ticket's queue always exists.

A ticket that moves keeps its state, its offer or holder, and its place in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pointsman_routing.desk.rules import queueing
from pointsman_routing.desk.state.model import Move, Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

MOVES_KEPT_MAX = 500
"""The newest; a resolved ticket is closed long before so many queues are renamed."""


def remember(desk: Desk, moves: Mapping[str, str]) -> None:
    """Queues that are no more: what is in them, or comes back to them, goes to these from now on."""
    said = tuple(Move(desk.change, queue, to) for queue, to in sorted(moves.items()))
    if said:
        desk.journal.set(desk, "moves", (*desk.moves, *said)[-MOVES_KEPT_MAX:])


def catch_up(desk: Desk, ticket: Ticket) -> None:
    """Moves the ticket if its queue went elsewhere, before anything looks at the queue (`Desk.edit` does it)."""
    if desk.queue_now(ticket) != ticket.queue:
        desk.edit(ticket)


def widen_elsewhere(desk: Desk, moves: Mapping[str, str]) -> None:
    """What escalations widened to a queue that is no more asks the agents of the other."""
    for ticket in desk.tickets.values() if moves else ():
        if not moves.keys().isdisjoint(ticket.wide):
            desk.edit(ticket)
            ticket.wide = tuple(dict.fromkeys(moves.get(queue, queue) for queue in ticket.wide))
            queueing.reorder(desk, ticket)
