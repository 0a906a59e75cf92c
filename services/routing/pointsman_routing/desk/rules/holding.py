"""Which queued tickets are offered to nobody for now: those that a shut queue holds (rule 20), and those that wait for
one agent alone (rule 14). Neither stands in the waiting index.

State is `Desk.held` (queue → its held tickets), `Desk.closings` (queue → what a supervisor said) and `Desk.reserved`
(agent → the tickets that wait for them). One timer per queue, armed while it holds a ticket or a supervisor said
something of it, opens it. What a queue's rule then does is in `queue_hours`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pointsman.contracts.document.queues import Elsewhere, Shut
from pointsman.core.instant import Instant
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

GOING_BACK = frozenset({"rejected", "expired", "rescinded"})
"""Why a ticket is queued again after an offer: it has not entered the queue anew."""


class Closure(NamedTuple):
    """Why a queue is shut, until when (None: until somebody says so, or for ever), and what it does with tickets."""

    why: Literal["hours", "closed"]
    until: Instant | None
    reason: str | None
    rule: Shut


def closure_at(desk: Desk, slug: str, at: Instant) -> Closure | None:
    """Why the queue is shut at an instant; None when it is open."""
    closing, hours = desk.closings.get(slug), desk.policy.hours.get(slug)
    if closing is None and hours is None:
        return None
    rule = desk.policy.document.queues[slug].closed
    if closing is not None and (closing.until is None or at < closing.until):
        if closing.state == "open":
            return None
        if closing.then is not None:
            rule = Shut(reply=rule.reply, then=_rule_of(closing.then))
        return Closure("closed", closing.until, closing.reason, rule)
    if hours is None:
        return None
    is_open, until = hours.at(at)
    return None if is_open else Closure("hours", until, None, rule)


def admit(desk: Desk, ticket: Ticket, reason: str) -> str:
    """Before the ticket waits in its queue: holds it or sends it on, and notes the rule of a shut queue, which `settle`
    carries out (queue_hours). Why it is queued then. The caller has edited the ticket."""
    if ticket.held is not None:
        stop_holding(desk, ticket)
    if ticket.marked is not None:
        return reason
    closure = closure_at(desk, ticket.queue, ticket.at)
    if closure is None:
        if desk.policy.document.queues[ticket.queue].max_waiting is not None and reason not in GOING_BACK:
            desk.draft.entered[ticket.id] = ticket
        return reason
    if closure.why == "hours" and reason in GOING_BACK:
        return reason
    rule, first = closure.rule, not ticket.turned_away
    ticket.turned_away = True
    if first:
        desk.draft.closed[ticket.id] = ticket, rule
    if rule.then == "hold":
        hold(desk, ticket, closure)
    elif first and isinstance(rule.then, Elsewhere):
        ticket.queue, reason = desk.policy.queue_or_otherwise(rule.then.to), "closed"
        beyond = closure_at(desk, ticket.queue, ticket.at)
        if beyond is not None and beyond.rule.then == "hold":
            hold(desk, ticket, beyond)
    return reason


def hold(desk: Desk, ticket: Ticket, closure: Closure) -> None:
    """The shut queue holds the ticket. The caller has edited it."""
    ticket.held = closure.why
    tickets = desk.held.get(ticket.queue)
    if tickets is None:
        tickets = desk.held[ticket.queue] = {}
    desk.journal.put(tickets, ticket.id, ticket)
    arm_opening(desk, ticket.queue, ticket.at)


def stop_holding(desk: Desk, ticket: Ticket) -> None:
    """The ticket is not held any more. The caller has edited it."""
    ticket.held = None
    for tickets in desk.held.values():
        desk.journal.pop(tickets, ticket.id)


def waiting_count(desk: Desk, slug: str) -> int:
    """Tickets queued there, held ones and those that wait for one agent included."""
    return desk.waiting.depth(slug) + len(desk.held.get(slug, ())) + reserved_count(desk, slug)


def arm_openings(desk: Desk, at: Instant) -> None:
    """Arms the timers of every queue that holds tickets or of which a supervisor said something."""
    for slug in sorted({*desk.held, *desk.closings}):
        arm_opening(desk, slug, at)


def will_open(desk: Desk, slug: str) -> bool:
    """Whether what the queue holds will wait again: by its timer, or by a supervisor where only they can."""
    closing, hours = desk.closings.get(slug), desk.policy.hours.get(slug)
    if desk.timers.armed_for(kinds.OPENING, (desk.workspace, slug)) is not None:
        return True
    if closing is not None:
        return closing.until is None
    return hours is not None and hours.at(desk.draft.now) == (False, None)


def arm_opening(desk: Desk, slug: str, at: Instant) -> None:
    """The timer that looks at the queue again: when a supervisor's word ends, or when what is held there may go."""
    closing = desk.closings.get(slug)
    due: Instant | None = None
    if closing is not None:
        due = closing.until
    elif desk.held.get(slug) and slug in desk.policy.hours:
        is_open, until = desk.policy.hours[slug].at(at)
        due = at if is_open else until
    desk.arm(kinds.OPENING, slug, due)


def reserve_for(desk: Desk, ticket: Ticket, agent: str, until: Instant) -> None:
    """A ticket that enters its queue waits for this agent alone. The caller has edited it (`queueing.enqueue`)."""
    ticket.reserved_for, ticket.reserved_until = agent, until
    desk.journal.put(desk.reserved, agent, (*desk.reserved.get(agent, ()), ticket.id))
    desk.arm(kinds.RESERVE, ticket.id, until)


def end_reservation(desk: Desk, ticket: Ticket) -> None:
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


def reserved_count(desk: Desk, queue: str) -> int:
    """How many of a queue's tickets wait for one agent."""
    return sum(desk.tickets[id].queue == queue for ids in desk.reserved.values() for id in ids)


def queue_shape(desk: Desk, slug: str, now: Instant) -> dict[str, Any]:
    """How the queue stands now: `state` open, closed or full, until when and why, and the tickets that it holds."""
    queue = desk.policy.document.queues[slug]
    closure = closure_at(desk, slug, now)
    full = queue.max_waiting is not None and waiting_count(desk, slug) >= queue.max_waiting
    why = None
    if closure is not None:
        why = closure.reason or ("closed by a supervisor" if closure.why == "closed" else f"outside {queue.hours}")
    elif full:
        why = f"{queue.max_waiting} tickets may wait"
    return {
        "queue": slug,
        "state": "closed" if closure is not None else "full" if full else "open",
        "until": closure.until if closure is not None else None,
        "reason": why,
        "held": len(desk.held.get(slug, ())),
    }


def _rule_of(plain: Any) -> Any:
    return Elsewhere(to=plain["to"]) if isinstance(plain, dict) else plain
