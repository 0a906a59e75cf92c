"""How the facts of a ticket move its clocks: the table of domain terms, one function a fact.

| metric | starts | stops |
|---|---|---|
| first_response | the ticket is opened by a customer (or the customer first writes) | a person's first public reply |
| next_response | the oldest unanswered customer message after that | a person's public reply |
| update | a person's public reply while unresolved | the next one |
| resolution | opened | resolved `solved` |
| requester_wait | opened | resolved |
| agent_work | assigned | resolved |
| assignment | queued | assigned |
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pointsman.contracts import desk
from pointsman.contracts.shapes import Metric
from pointsman.core.instant import Instant
from pointsman_sla.clocks.course import Books, Course
from pointsman_sla.clocks.model import METRICS, NO_TARGET, Phase, Ticket
from pointsman_sla.clocks.policy import Labels
from pointsman_sla.clocks.responses import (
    OUTCOMES,
    RESPONSES,
    await_response,
    customer_wrote,
    person_answered,
    respond_since,
    take_over,
)
from pointsman_sla.micros import micros


def advance(ticket: Ticket | None, workspace: str, bodies: Sequence[Any], at: Instant, books: Books) -> Course | None:
    """The course of one desk record over its ticket; None when the ticket is not known and does not begin here."""
    fresh = ticket is None
    if ticket is None:
        opened = next((body for body in bodies if isinstance(body, desk.TicketOpened)), None)
        if opened is None:
            return None
        ticket = _begun(opened, workspace)
    labels = _labels_after(ticket.labels, bodies)
    relabelled = labels != ticket.labels
    course = Course(ticket, max(micros(at), ticket.last_at), books)
    if relabelled:
        course.update(labels=labels)
    if relabelled and not fresh:
        _reevaluate(course)
    opening = None  # the message that opened the ticket is part of its opening
    for body in bodies:
        if isinstance(body, desk.TicketOpened):
            if not fresh:
                continue
            opening = body.message_id
        elif isinstance(body, desk.InboundNoted) and body.message_id == opening:
            continue
        handler = _HANDLERS.get(type(body))
        if handler is not None:
            handler(course, body)
    return course


def _begun(opened: desk.TicketOpened, workspace: str) -> Ticket:
    at = micros(opened.opened_at)
    return Ticket(
        id=opened.ticket_id,
        workspace=workspace,
        config_version=opened.config_version,
        opened_at=at,
        last_at=at,
        labels=Labels(
            channel=opened.channel,
            connector=opened.connector,
            customer_tier=opened.customer.tier,
            organization=opened.customer.organization,
        ),
        phases=((at, "queued"),),
    )


_NAMING_QUEUES = (
    *(desk.TicketClassified, desk.TicketQueued, desk.TicketAssigned, desk.TicketLabelled),
    desk.TicketMoved,
)


def _labels_after(labels: Labels, bodies: Sequence[Any]) -> Labels:
    for body in bodies:
        if isinstance(body, desk.TicketClassified | desk.TicketLabelled):
            labels = replace(
                labels, priority=body.priority, category=body.category, language=body.language, tags=body.tags
            )
        if isinstance(body, _NAMING_QUEUES):
            labels = replace(labels, queue=body.queue or labels.queue)
        if isinstance(body, desk.TicketTransferred) and body.to_queue is not None:
            labels = replace(labels, queue=body.to_queue)
    return labels


def _reevaluate(course: Course) -> None:
    """A field that policies match on changed: running clocks get the target that holds now, and what is measured only
    now starts when it would have."""
    for metric in tuple(course.clocks):
        _retarget(course, metric)
    start_what_is_due(course)


def _retarget(course: Course, metric: Metric) -> None:
    """The metric's clock, if it has not ended, gets the target that the ticket's labels select now."""
    clock, policy = course.active(metric), course.policy
    if clock is None:
        return
    if policy is None:
        course.cancel(clock, NO_TARGET)
    else:
        course.retarget(clock, policy)


def start_what_is_due(course: Course) -> None:
    """Starts what would be running had the ticket's policy measured it from the beginning."""
    for metric in METRICS:
        if course.active(metric) is None:
            since = _due_to_run_since(course, metric)
            if since is not None:
                course.start(metric, since, retargeted=since < course.at)


def _due_to_run_since(course: Course, metric: Metric) -> int | None:
    """Since when the clock would be running, had its policy measured it; None when it would not."""
    ticket = course.ticket
    before = course.clocks.get(metric)
    if not ticket.open or (before is not None and before.reason != NO_TARGET):
        return None
    if metric in RESPONSES:
        wanted = ticket.unanswered and ticket.responded == (metric == "next_response")
        return ticket.unanswered[0] if wanted else None
    if metric in ("resolution", "requester_wait"):
        return ticket.opened_at
    if metric == "update":
        return ticket.answered_at
    if metric == "agent_work":
        return next((since for since, phase in ticket.phases if phase == "assigned"), None)
    return ticket.phases[-1][0] if ticket.phase == "queued" else None


# -- messages ----------------------------------------------------------------------------------------------------------


def _opened(course: Course, body: desk.TicketOpened) -> None:
    course.start("resolution", course.ticket.opened_at)
    course.start("requester_wait", course.ticket.opened_at)
    if body.split_from is not None:
        if body.unanswered_since is not None:
            customer_wrote(course, min(course.at, micros(body.unanswered_since)), learned=True)
    elif body.started_by == "customer" and body.automatic is None:
        customer_wrote(course, course.ticket.opened_at)


def _message_received(course: Course, body: desk.InboundNoted) -> None:
    if body.author.kind == "customer":
        if body.counts and body.automatic is None:
            customer_wrote(course, course.at)
    elif body.author.kind == "agent" and body.counts:
        person_answered(course, max(course.ticket.opened_at, min(course.at, micros(body.occurred_at))))


def _replied(course: Course, body: desk.TicketReplied) -> None:
    if body.author.kind == "agent":
        at = course.at if body.deliver else min(course.at, micros(body.occurred_at))
        person_answered(course, max(course.ticket.opened_at, at))


def _merged(course: Course, body: desk.TicketMerged) -> None:
    """Another ticket goes on in this one."""
    if body.source is not None and body.unanswered_since is not None:
        take_over(course, micros(body.unanswered_since), None)


def _split(course: Course, body: desk.TicketSplit) -> None:
    """Messages went to another ticket: responses are due since the oldest that stays and is unanswered."""
    since = None if body.unanswered_since is None else min(course.at, micros(body.unanswered_since))
    if since is None:
        course.update(unanswered=())
    else:
        stays = tuple(message for message in course.ticket.unanswered if message >= since)
        course.update(unanswered=stays or (since,))
    clock = course.active("next_response" if course.ticket.responded else "first_response")
    if clock is not None and (since is None or since > clock.started_at):
        respond_since(course, since, "split")


# -- where the ticket is -----------------------------------------------------------------------------------------------


def _queued(course: Course, body: desk.TicketQueued) -> None:
    course.update(agent=None)
    course.enter("queued")
    if course.active("assignment") is None:
        course.start("assignment", course.at)


def _assigned(course: Course, body: desk.TicketAssigned) -> None:
    course.update(agent=body.agent)
    assignment = course.active("assignment")
    if assignment is not None:
        course.meet(assignment, course.at)
    course.enter("assigned")
    work = course.clocks.get("agent_work")
    if work is None or (not work.active and work.reason != NO_TARGET):
        course.start("agent_work", course.at)


def _pended(course: Course, body: desk.TicketPended) -> None:
    _leave_the_queue(course, body.waiting_on)


def _snoozed(course: Course, body: desk.TicketSnoozed) -> None:
    _leave_the_queue(course, "snoozed")


def _transferred(course: Course, body: desk.TicketTransferred) -> None:
    course.update(agent=None)


def _leave_the_queue(course: Course, phase: Phase) -> None:
    assignment = course.active("assignment")
    if assignment is not None:
        course.cancel(assignment, phase)
    course.enter(phase)


def _woken(course: Course, body: desk.TicketWoken) -> None:
    course.enter("queued")


# -- the end, and going on ---------------------------------------------------------------------------------------------


def _resolved(course: Course, body: desk.TicketResolved) -> None:
    if not course.ticket.open:
        return
    for clock in tuple(course.clocks.values()):
        if not clock.active:
            continue
        met = clock.metric in ("requester_wait", "agent_work") or (
            clock.metric == "resolution" and body.outcome == "solved"
        )
        if met:
            course.meet(clock, course.at)
        else:
            course.cancel(clock, body.outcome)
    course.enter("resolved")
    course.update(unanswered=(), shelved=course.ticket.unanswered)


def _closed(course: Course, body: desk.TicketClosed) -> None:
    for clock in tuple(course.clocks.values()):
        if clock.active:
            course.cancel(clock, "merged" if body.merged_into else "closed")
    course.enter("closed")
    course.update(unanswered=(), shelved=())


def _reopened(course: Course, body: desk.TicketReopened) -> None:
    ticket = course.ticket
    if ticket.open:
        return
    course.enter("queued")
    goes_on = course.policy is None or course.policy.reopen_continues
    metrics: tuple[Metric, ...] = ("resolution", "requester_wait", "agent_work")
    for metric in metrics:
        clock = course.clocks.get(metric)
        if clock is not None and clock.reason != NO_TARGET and goes_on:
            course.resume_ended(clock)
            _retarget(course, metric)
        elif metric != "agent_work":
            course.start(metric, course.at)
    if ticket.unanswered:
        await_response(course, ticket.unanswered[0])
    else:
        _ask_again(course, goes_on)


def _ask_again(course: Course, goes_on: bool) -> None:
    """Nobody wrote since the ticket was resolved: what was unanswered then is so again, and an update is due again."""
    ticket = course.ticket
    course.update(unanswered=ticket.shelved, shelved=())
    if not ticket.responded and ticket.customer_since is not None:
        await_response(course, course.at)
    elif ticket.shelved:
        _go_on(course, "next_response", ticket.shelved[0], goes_on)
    if ticket.answered_at is not None:
        _go_on(course, "update", ticket.answered_at, goes_on)


def _go_on(course: Course, metric: Metric, since: int, goes_on: bool) -> None:
    """The clock that resolving ended goes on, or (`goes_on` is not so) its next cycle begins. One that was not measured
    then, and is now, counts from `since`."""
    clock = course.clocks.get(metric)
    if clock is not None and (clock.active or clock.reason not in OUTCOMES):
        return
    if not goes_on:
        course.start(metric, course.at)
    elif clock is None:
        course.start(metric, since, learned=True)
    else:
        course.resume_ended(clock)
        _retarget(course, metric)


_HANDLERS: dict[type, Callable[[Course, Any], None]] = {
    desk.TicketOpened: _opened,
    desk.InboundNoted: _message_received,
    desk.TicketReplied: _replied,
    desk.TicketQueued: _queued,
    desk.TicketAssigned: _assigned,
    desk.TicketPended: _pended,
    desk.TicketSnoozed: _snoozed,
    desk.TicketTransferred: _transferred,
    desk.TicketWoken: _woken,
    desk.TicketResolved: _resolved,
    desk.TicketClosed: _closed,
    desk.TicketReopened: _reopened,
    desk.TicketMerged: _merged,
    desk.TicketSplit: _split,
}

CONCERNING: frozenset[type] = frozenset(_HANDLERS) | {
    *(desk.TicketClassified, desk.TicketLabelled, desk.TicketMoved),
    desk.TicketEscalated,
}
"""The facts that this service looks at; a record without any of them needs nothing read."""
