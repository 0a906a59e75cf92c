"""What waits for an answer: first_response, next_response and update, as messages come, go over in a merge, and
are answered.
"""

from dataclasses import replace
from typing import get_args

from pointsman.contracts.shapes import Metric, Outcome
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import Clock

UNANSWERED_MAX = 100
"""How many unanswered messages of a customer are told apart; of more, the oldest and the newest."""

OUTCOMES = frozenset(get_args(Outcome))

RESPONSES: tuple[Metric, Metric] = ("first_response", "next_response")


def customer_wrote(course: Course, at: int, learned: bool = False) -> None:
    """The customer wrote at `at`; `learned`: that is known only now."""
    ticket = course.ticket
    unanswered = _told_apart((*ticket.unanswered, at))
    first = at if ticket.customer_since is None else ticket.customer_since
    course.update(unanswered=unanswered, customer_since=first, shelved=())
    if ticket.open:
        await_response(course, at, learned)


def await_response(course: Course, since: int, learned: bool = False) -> None:
    """The response clock that is due runs from `since`, if none does."""
    metric: Metric = "next_response" if course.ticket.responded else "first_response"
    if course.active(metric) is None:
        course.start(metric, since, learned=learned)


def person_answered(course: Course, at: int) -> None:
    """A person answered publicly at `at`, which lies before the record's time when it was written elsewhere."""
    for metric in RESPONSES:
        clock = course.clocks.get(metric)
        if clock is None or clock.started_at > at:
            continue
        if clock.active or _ended_later(clock, at):
            course.meet(clock, at)
    ticket = course.ticket
    first = ticket.customer_since
    left = tuple(message for message in ticket.unanswered if message > at)
    shelved = tuple(message for message in ticket.shelved if message > at)
    answered_at = at if ticket.answered_at is None else max(at, ticket.answered_at)
    responded = ticket.responded or (first is not None and first <= at)
    course.update(unanswered=left, shelved=shelved, responded=responded, answered_at=answered_at)
    if not ticket.open:
        return
    if left:
        await_response(course, left[0])
    update = course.active("update")
    if update is not None and update.started_at < at:
        course.meet(update, at)
        update = None
    if update is None:
        course.start("update", at)


def _ended_later(clock: Clock, at: int) -> bool:
    """Whether an answer at `at`, told late, comes before what ended the clock: a later answer, or the ticket's end."""
    if clock.ended_at is None or clock.ended_at < at:
        return False
    if clock.breached_at is not None and at <= clock.breach_at:
        return True
    return clock.ended_at > at and (clock.state == "met" or clock.reason in OUTCOMES)


def take_over(course: Course, since: int, origin: Clock | None) -> None:
    """Responses are due since the oldest unanswered message of this ticket and of another (`since`), which goes on in
    this one. `origin` is the response clock of that, as it ended: a miss is one miss."""
    ticket, since = course.ticket, min(course.at, since)
    unanswered = _told_apart(tuple(sorted({*ticket.unanswered, since})))
    first = since if ticket.customer_since is None else min(ticket.customer_since, since)
    course.update(unanswered=unanswered, customer_since=first)
    if ticket.open:
        respond_since(course, unanswered[0], "merged", origin if unanswered[0] == since else None)


def respond_since(course: Course, since: int | None, reason: str, origin: Clock | None = None) -> None:
    """The response that is due counts from another message, or (None) nothing waits for one. `origin` is the clock of
    that message in another ticket."""
    metric: Metric = "next_response" if course.ticket.responded else "first_response"
    clock = course.active(metric)
    if clock is not None and clock.started_at != since:
        course.cancel(clock, reason)
        before, clock = course.clocks[metric], None
        if reason == "merged" and before.breached_at is not None and (origin is None or origin.breached_at is None):
            origin = replace(before, alerts=course.alerts_before(before.id))
    if clock is None and since is not None:
        course.start(metric, since, learned=True, origin=origin)
        now = course.active(metric)
        if now is not None and origin is not None:
            course.gone_on(origin.id, now.id)


def _told_apart(unanswered: tuple[int, ...]) -> tuple[int, ...]:
    """With one more than are told apart, the second oldest is forgotten."""
    return unanswered if len(unanswered) <= UNANSWERED_MAX else (unanswered[0], *unanswered[2:])
