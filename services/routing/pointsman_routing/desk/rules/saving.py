"""Rule 8, who can still be saved: in a queue with a `late_share` the overdue stand behind those in time, except that at
least this share of the queue's offers goes to the longest overdue.

A ticket is overdue when its due instant (`order.due_us`) is before the instant of the decision. Each queue has a credit
below a whole offer (`WHOLE_SHARE`), that only offers move, so that the same causes give the same order. Every offer of
one in time, while somebody overdue waits in the queue, adds the share. When the next share would make the credit whole
it is the turn of the longest overdue: that offer adds its share too, and takes a whole one off. A turn that an agent
cannot give, who may take none of the overdue, stays until somebody can; meanwhile nothing is added. Where an agent
could be offered nobody in time, the longest overdue needs no turn, and the credit stays as it is.

Between queues of equal rank heads compare by slack. An overdue head whose turn it is not stands behind those of other
queues too; the offer that it stood behind adds the share to its queue's credit, so that it is not passed over for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import is_overdue, micros, slack_us
from pointsman_routing.desk.state.policy import WHOLE_SHARE
from pointsman_routing.desk.state.waiting import Entry

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

Place = tuple[str, int]
"""A queue, and an agent's rank in it."""


def is_turn(desk: Desk, queue: str) -> bool:
    """Whether the queue's next offer is the turn of the longest overdue."""
    share = desk.policy.queues[queue].late_share
    return share is not None and desk.late_credits.get(queue, 0) + share >= WHOLE_SHARE


def first_of_sides(desk: Desk, in_time: Mapping[Place, Entry], overdue: Mapping[Place, Entry]) -> Ticket:
    """Of the heads of several queues on both sides the one that is served. Not both are empty."""
    queues = desk.policy.queues
    found: list[tuple[int, bool, int, int, str, Ticket]] = []
    for place in in_time.keys() | overdue.keys():
        queue, rank = place
        turn = is_turn(desk, queue)
        entry = in_time.get(place)
        lost = place in overdue and (turn or entry is None)
        if lost:
            entry = overdue[place]
        assert entry is not None
        ticket = entry[3]
        found.append((rank, lost and not turn, slack_us(ticket, queues[queue]), entry[1], ticket.id, ticket))
    return min(found)[5]


def count(desk: Desk, agent: Agent, ticket: Ticket) -> None:
    """Moves the credits by an offer that is about to be made out of the waiting tickets."""
    sharing = desk.policy.sharing
    if not sharing:
        return
    queue, now_us = ticket.queue, micros(desk.draft.now)
    in_time, overdue = desk.matcher.sides_for(desk, agent, ticket)
    for other in sorted(overdue - in_time - {queue}):
        _add(desk, other)
    if queue not in sharing:
        return
    if not is_overdue(ticket, desk.policy.queues[queue], now_us):
        if desk.waiting.any_overdue(queue, now_us):
            _add(desk, queue)
    elif in_time and is_turn(desk, queue):
        _set(desk, queue, _credit_and_share(desk, queue) - WHOLE_SHARE)


def reconfigured(desk: Desk, renamed: Mapping[str, str]) -> None:
    """A renamed queue keeps its credit; one that shares no more loses it."""
    for slug, to in sorted(renamed.items()):
        credit = desk.journal.pop(desk.late_credits, slug)
        if credit is not None:
            _set(desk, to, credit)
    for slug in sorted(desk.late_credits.keys() - desk.policy.sharing):
        desk.journal.pop(desk.late_credits, slug)


def _credit_and_share(desk: Desk, queue: str) -> int:
    share = desk.policy.queues[queue].late_share
    return desk.late_credits.get(queue, 0) + (share or 0)


def _add(desk: Desk, queue: str) -> None:
    """The share of one more offer, unless it is the overdue's turn already."""
    if not is_turn(desk, queue):
        _set(desk, queue, _credit_and_share(desk, queue))


def _set(desk: Desk, queue: str, credit: int) -> None:
    if credit != desk.late_credits.get(queue, 0):
        desk.journal.put(desk.late_credits, queue, credit)
