"""Rule 20, queue hours and limits: what becomes of a ticket that enters a queue which is shut or full.

Shut is a queue outside its hours, or closed by a supervisor; full is one in which more than `max_waiting` tickets are
queued. The queue's `closed` or `full` rule runs once per ticket: an automatic reply, then `hold`, another queue, or
resolve. Hours concern who enters later; a supervisor's closing also who waits already. Offers stand.

`hold` keeps a ticket in a shut queue, counted and in its place in time, but offered to nobody until the queue opens:
whenever it enters one, also when the rule ran for it before. A full queue that holds lets the ticket wait like any
other. A ticket for which something raised (`marked`) is let in: a person should look at it.

What a queue holds, and the timer that opens it, are in `rules.holding`; opening costs what the tickets held there cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pointsman.contracts.base import made
from pointsman.contracts.commands import QueueClose, QueueOpen
from pointsman.contracts.document.queues import Elsewhere, Shut
from pointsman.contracts.shapes import SYSTEM, Actor
from pointsman.contracts.workspace import QueueClosed, QueueOpened
from pointsman.core.cause import TimerCause
from pointsman.core.decision import refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import auto_replies, holding, queueing, resolve
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Closing, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

# -- entering ----------------------------------------------------------------------------------------------------------


def carry_out(desk: Desk) -> None:
    """Before anything is offered: the rest of a shut queue's rule for those who entered it and still wait, in the order
    in which they came: the reply, and the end of the matter if the rule says so. All that the decision says of a ticket
    for another reason is said by then."""
    closed, desk.draft.closed = desk.draft.closed, {}
    for ticket, rule in closed.values():
        if ticket.state != "queued":
            continue
        desk.edit(ticket)
        auto_replies.send(desk, ticket, rule.reply)
        if rule.then == "resolve":
            resolve.finish(desk, ticket, "no_reply_needed", SYSTEM, reason=f"the queue {ticket.queue} is closed")


def turn_away(desk: Desk) -> None:
    """After everything possible was offered: the rule of a full queue for those who entered it and wait after all, the
    last first."""
    entered, desk.draft.entered = desk.draft.entered, {}
    for ticket in reversed(entered.values()):
        queue = desk.policy.document.queues[ticket.queue]
        if queue.max_waiting is None or ticket.place is None or ticket.turned_away:
            continue
        if holding.waiting_count(desk, ticket.queue) > queue.max_waiting:
            _turn_away(desk, ticket, queue.full)


def _turn_away(desk: Desk, ticket: Ticket, rule: Shut) -> None:
    desk.edit(ticket)
    ticket.turned_away = True
    auto_replies.send(desk, ticket, rule.reply)
    if isinstance(rule.then, Elsewhere):
        desk.waiting.leave(ticket)
        ticket.queue = rule.then.to
        queueing.enqueue(desk, ticket, "full", fresh=False)
    elif rule.then == "resolve":
        resolve.finish(desk, ticket, "no_reply_needed", SYSTEM, reason=f"the queue {ticket.queue} is full")


# -- holding -----------------------------------------------------------------------------------------------------------


def _release(desk: Desk, slug: str) -> None:
    """The queue is open: its held tickets wait like others, each in its place in time."""
    held = sorted(
        desk.held.get(slug, {}).values(), key=lambda ticket: (ticket.waiting_since or ticket.at, ticket.arrival)
    )
    for ticket in held:
        desk.edit(ticket)
        queueing.enqueue(desk, ticket, "queue opened", fresh=False)


# -- opening and closing -----------------------------------------------------------------------------------------------


def close(desk: Desk, command: QueueClose) -> Result:
    """A supervisor closes the queue: the rule runs for whoever enters, and for who waits already."""
    slug, queues = command.queue, desk.policy.queues
    if slug not in queues:
        return refuse(404, "not-found", f"there is no queue {slug}")
    if command.until is not None and command.until <= desk.draft.at:
        return invalid("until is in the past", "/until")
    then = None if command.then is None else _plain(command.then)
    if isinstance(then, dict) and (then["to"] not in queues or then["to"] == slug):
        said = "a queue cannot send its tickets to itself" if then["to"] == slug else f"there is no queue {then['to']}"
        return invalid(said, "/then/to")
    at = desk.draft.at
    closing = Closing("closed", command.until, command.reason, then, command.actor.id, at)
    desk.journal.put(desk.closings, slug, closing)
    fact = made(
        QueueClosed, queue=slug, until=command.until, reason=command.reason, then=command.then, by=command.actor
    )
    desk.say_about(f"queue:{slug}", at, fact)
    there = [ticket for ticket in desk.tickets.values() if ticket.place is not None and ticket.queue == slug]
    for ticket in sorted(there, key=lambda ticket: (ticket.waiting_since or ticket.at, ticket.arrival)):
        desk.edit(ticket)
        desk.waiting.leave(ticket)
        queueing.enqueue(desk, ticket, "closed", fresh=False)
    holding.arm_opening(desk, slug, at)
    return Answer(lambda: holding.queue_shape(desk, slug, desk.draft.now))


def open_again(desk: Desk, command: QueueOpen) -> Result:
    """A supervisor opens the queue: a closing ends, and outside its hours it is open until they begin."""
    slug, at = command.queue, desk.draft.at
    if slug not in desk.policy.queues:
        return refuse(404, "not-found", f"there is no queue {slug}")
    if holding.closure_at(desk, slug, at) is not None:
        desk.journal.pop(desk.closings, slug)
        outside = holding.closure_at(desk, slug, at)
        if outside is not None:
            opened = Closing("open", outside.until, command.reason, None, command.actor.id, at)
            desk.journal.put(desk.closings, slug, opened)
        _opened(desk, slug, at, command.actor, command.reason)
        _release(desk, slug)
        holding.arm_opening(desk, slug, at)
    return Answer(lambda: holding.queue_shape(desk, slug, desk.draft.now))


def opening(desk: Desk, cause: TimerCause) -> Result:
    """The time has come at which the queue opens, or what a supervisor said of it is over."""
    slug = cause.subject
    closing = desk.closings.get(slug)
    if closing is not None and closing.until is not None and closing.until <= cause.due:
        desk.journal.pop(desk.closings, slug)
        if closing.state == "closed" and holding.closure_at(desk, slug, cause.due) is None:
            _opened(desk, slug, cause.due, SYSTEM, "the closing is over")
    closure = holding.closure_at(desk, slug, cause.due)
    if closure is None:
        _release(desk, slug)
    for ticket in list(desk.held.get(slug, {}).values()):
        if closure is not None and ticket.held != closure.why:
            desk.edit(ticket)
            ticket.held = closure.why
    holding.arm_opening(desk, slug, cause.due)
    return None


def reconfigured(desk: Desk, gone: Mapping[str, str], renamed: Mapping[str, str]) -> None:
    """A new version holds: tickets that another queue or other hours hold no more wait, the others go on being held.
    What a supervisor said of a queue holds of it under its new name (`renamed`), and names others by theirs (`gone`:
    queues that are no more, and where their tickets went)."""
    at = desk.draft.at
    for slug in sorted(desk.closings.keys() - desk.policy.queues.keys()):
        closing = desk.journal.pop(desk.closings, slug)
        desk.arm(kinds.OPENING, slug, None)
        if closing is not None and slug in renamed and renamed[slug] not in desk.closings:
            desk.journal.put(desk.closings, renamed[slug], closing)
    for slug, closing in sorted(desk.closings.items()):
        if isinstance(closing.then, dict) and closing.then["to"] in gone:
            then = {"to": gone[closing.then["to"]]}
            desk.journal.put(desk.closings, slug, closing._replace(then=None if then["to"] == slug else then))
    for slug in sorted(desk.held):
        for ticket in list(desk.held[slug].values()):
            closure = holding.closure_at(desk, ticket.queue, at)
            if closure is None:
                desk.edit(ticket)
                queueing.enqueue(desk, ticket, "queue opened", fresh=False)
            elif ticket.queue != slug:
                desk.edit(ticket)
                holding.stop_holding(desk, ticket)
                holding.hold(desk, ticket, closure)
    holding.arm_openings(desk, at)


def _opened(desk: Desk, slug: str, at: Instant, by: Actor, reason: str | None) -> None:
    desk.say_about(f"queue:{slug}", at, made(QueueOpened, queue=slug, reason=reason, by=by))


def _plain(then: Any) -> Any:
    return then if isinstance(then, str) else {"to": then.to}
