"""Rule 14, merge: two tickets of one matter become one. The source closes with `merged_into`: its charge is freed, its
offer rescinded, and intake leads its conversations to the target, which takes over what nobody has answered.

Who holds one of the two may merge one that nobody holds (it waits, or is offered to them), in either direction, and
holds the result. Who holds the source may give it up to a ticket that another holds. Supervisors merge everything.

Merged tickets make chains (A into B into C), never circles: a merged ticket is closed, and what is closed is merged
neither way. What is still said to a merged ticket is the target's at the end of the chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import OfferAccept, TicketMerge
from pointsman.contracts.desk import TicketClosed, TicketMerged
from pointsman.contracts.shapes import Actor
from pointsman.core.decision import Decision, refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import absence, offers, queueing, requeue, resolve, resume, wrap_up
from pointsman_routing.desk.state import conversations, recent, ticket_messages
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.capacity import lack_of_room, room_for
from pointsman_routing.desk.state.model import OPEN_STATES, SUPERVISING, WAITING_STATES, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def merge(desk: Desk, source: Ticket, command: TicketMerge) -> Result:
    """Into an open ticket of the same customer; of another customer only when they say that they mean it."""
    target = desk.tickets.get(command.into)
    refusal = _not_theirs(source, target, command.actor)
    if refusal is not None:
        return refusal
    if source.id == command.into:
        return invalid("a ticket cannot be merged into itself", "/into")
    if target is None:
        return refuse(404, "not-found", f"there is no ticket {command.into}")
    if source.state == "closed":
        return wrong_state(source, "what is closed cannot be merged")
    if target.state not in OPEN_STATES:
        where = f"merged into {target.merged_into}" if target.merged_into else target.state
        return refuse(409, "wrong-state", f"the ticket {target.id} is {where}; only into an open one can be merged")
    if source.customer_id != target.customer_id and not command.different_customers:
        said = f"{source.id} is {source.customer_id}'s, {target.id} is {target.customer_id}'s"
        return refuse(409, "different-customers", said, customers=[source.customer_id, target.customer_id])
    waiting_since, unanswered_since = source.waiting_since, source.unanswered_since
    holder = source.agent if command.actor.id == source.agent else None
    _end(desk, source, command)
    if holder is not None and target.agent is None:
        refusal = _hold(desk, target, holder, command)
        if refusal is not None:
            return refusal
    _take_over(desk, source, target, command, waiting_since, unanswered_since)
    return Answer(lambda: ticket_shape(source))


def _not_theirs(source: Ticket, target: Ticket | None, actor: Actor) -> Decision | None:
    """403: the actor holds neither, or the other is not free for them to take."""
    if actor.kind in SUPERVISING:
        return None
    if source.agent == actor.id:
        if target is None or target.agent is not None:
            return None
        free = target
    elif target is not None and target.agent == actor.id and source.agent is None:
        free = source
    else:
        return refuse(403, "not-holder", f"{source.agent or 'nobody'} holds the ticket", holder=source.agent)
    taken = free.offer.agent if free.offer is not None else free.reserved_for
    if taken is None or taken == actor.id:
        return None
    said = f"the ticket {free.id} is {'offered to' if free.offer else 'reserved for'} {taken}"
    return refuse(403, "not-holder", said, holder=None)


def _hold(desk: Desk, target: Ticket, holder: str, command: TicketMerge) -> Decision | None:
    """Who held the source holds the target; refused when it is too much for them."""
    agent, offer = desk.agents[holder], target.offer
    desk.edit(target)
    if offer is not None and offer.agent == holder:
        offers.accept(desk, target, offer, OfferAccept(offer_id=offer.id, actor=command.actor))
        return None
    requeue.let_go(desk, target, "merged with the ticket of its new holder")
    if room_for(agent, target.channel) < target.labels.weight:
        return refuse(409, "no-room", lack_of_room(agent, target), agent=holder)
    offers.assign(desk, target, agent, command.actor, f"merged with {command.ticket_id}, which they held")
    absence.mind_absence(desk, target, agent)
    return None


def _end(desk: Desk, source: Ticket, command: TicketMerge) -> None:
    at, holder = desk.edit(source), source.agent
    unanswered_since = source.unanswered_since
    resolve.put_down(desk, source, f"merged into {command.into}")
    if source.in_wrap_up:
        wrap_up.over(desk, source, command.actor)
    else:
        offers.release(desk, source)
    desk.arm(kinds.CLOSE, source.id, None)
    source.merged_into, source.closed_at, source.closes_at, source.entrusted_to = command.into, at, None, None
    queueing.enter_state(desk, source, "closed")
    fact = made(
        TicketMerged,
        ticket_id=source.id,
        into=command.into,
        unanswered_since=unanswered_since,
        reason=command.reason,
        by=command.actor,
    )
    desk.say(source, fact, holder)
    desk.say(source, made(TicketClosed, ticket_id=source.id, reason="merged", merged_into=command.into), holder)


def _take_over(
    desk: Desk,
    source: Ticket,
    target: Ticket,
    command: TicketMerge,
    waiting_since: Instant | None,
    unanswered_since: Instant | None,
) -> None:
    at = desk.edit(target)
    target.unanswered_since = _older(target.unanswered_since, unanswered_since)
    if target.state in WAITING_STATES or unanswered_since is not None:
        target.waiting_since = _older(target.waiting_since, waiting_since)
    there = ticket_messages.on_ticket(desk, target)
    recent.remember_all(target, [(one.id, one.direction == "in") for one in there if one.direction != "note"])
    conversations.speak_where(target, there)
    queueing.reorder(desk, target)
    fact = made(
        TicketMerged,
        ticket_id=target.id,
        source=source.id,
        unanswered_since=unanswered_since,
        reason=command.reason,
        by=command.actor,
    )
    desk.say(target, fact, target.offer.agent if target.offer else target.agent)
    if unanswered_since is not None:
        resume.customer_wrote(desk, target, at)


def _older(one: Instant | None, other: Instant | None) -> Instant | None:
    return min((each for each in (one, other) if each is not None), default=None)
