"""What each of the desk's facts does to the rows of its ticket."""

from collections.abc import Callable
from typing import Any

from pointsman.contracts import desk
from pointsman.core.instant import Instant, seconds_between
from pointsman_metrics.fold.ticket import Beside, Handling, Ticket, Unresolved

TeamOf = Callable[[str], str | None]
"""The team of an agent in the workspace's document as it stands."""


def open_ticket(workspace: str, fact: desk.TicketOpened, beside: Beside) -> Ticket:
    """The row of a ticket that began. A customer's ticket is asked from its opening, unless no person wrote it."""
    asked = fact.opened_at if fact.started_by == "customer" and fact.automatic is None else None
    if fact.split_from is not None:
        asked = fact.unanswered_since
    ticket = Ticket(
        workspace=workspace,
        ticket_id=fact.ticket_id,
        channel=fact.channel,
        connector=fact.connector,
        customer_id=fact.customer.id,
        customer_tier=fact.customer.tier,
        started_by=fact.started_by,
        opened_at=fact.opened_at,
        config_version=fact.config_version,
        state_since=fact.opened_at,
        waiting_since=fact.opened_at,
        asked_first_at=asked,
        asked_at=asked,
    )
    _unresolved_again(ticket, fact.opened_at, beside)
    return ticket


def fold_ticket(ticket: Ticket, fact: Any, at: Instant, beside: Beside, team_of: TeamOf) -> None:
    """Folds one fact, decided at `at`, into the ticket. Facts that say nothing about its figures change nothing."""
    rule = RULES.get(type(fact))
    if rule is not None:
        rule(ticket, fact, at, beside)
        if ticket.agent is not None and isinstance(fact, desk.TicketAssigned):
            ticket.team = team_of(ticket.agent)


def _move(ticket: Ticket, state: str, at: Instant, waiting_on: str | None = None) -> None:
    """Charges the time since the last move to the state that ends, and enters the next."""
    since = ticket.state_since or ticket.opened_at
    at = max(at, since)
    spent = SPENT[ticket.state, ticket.waiting_on]
    setattr(ticket, spent, getattr(ticket, spent) + seconds_between(since, at))
    ticket.state, ticket.state_since, ticket.waiting_on = state, at, waiting_on


SPENT: dict[tuple[str, str | None], str] = {
    ("queued", None): "queued_seconds",
    ("offered", None): "offered_seconds",
    ("assigned", None): "assigned_seconds",
    ("pending", "customer"): "pending_customer_seconds",
    ("pending", "third_party"): "pending_third_party_seconds",
    ("snoozed", None): "snoozed_seconds",
    ("resolved", None): "resolved_seconds",
    ("closed", None): "resolved_seconds",
}


def _begin_handling(ticket: Ticket, agent: str, kind: str, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    ticket.handling_number += 1
    ticket.handling_agent, ticket.handling_kind, ticket.handling_since = agent, kind, at
    row = Handling(ticket.workspace, ticket.ticket_id, ticket.handling_number, agent, kind, at)
    beside.handlings[ticket.ticket_id, row.number] = row


def _end_handling(ticket: Ticket, at: Instant, beside: Beside) -> None:
    agent, kind, since = ticket.handling_agent, ticket.handling_kind, ticket.handling_since
    if agent is None or kind is None or since is None:
        return
    at = max(at, since)
    if kind == "wrap_up":
        ticket.wrap_up_seconds += seconds_between(since, at)
    row = Handling(ticket.workspace, ticket.ticket_id, ticket.handling_number, agent, kind, since, at)
    beside.handlings[ticket.ticket_id, row.number] = row
    ticket.handling_agent = ticket.handling_kind = ticket.handling_since = None


def _unresolved_again(ticket: Ticket, at: Instant, beside: Beside) -> None:
    ticket.unresolved_number += 1
    ticket.unresolved_since = at
    row = Unresolved(ticket.workspace, ticket.ticket_id, ticket.unresolved_number, at)
    beside.unresolved[ticket.ticket_id, row.number] = row


def _resolved(ticket: Ticket, at: Instant, beside: Beside) -> None:
    if ticket.unresolved_since is None:
        return
    since, ticket.unresolved_since = ticket.unresolved_since, None
    row = Unresolved(ticket.workspace, ticket.ticket_id, ticket.unresolved_number, since, max(at, since))
    beside.unresolved[ticket.ticket_id, row.number] = row


def _answer(ticket: Ticket, message_id: str, agent: str, at: Instant) -> None:
    """A public human reply at `at`: it answers what was asked before it. The same message counts once."""
    if message_id == ticket.last_reply_id:
        return
    ticket.last_reply_id = message_id
    ticket.reply_count += 1
    asked, ticket.asked_at = ticket.asked_at, None
    if ticket.first_response_seconds is None and ticket.asked_first_at is not None and at >= ticket.asked_first_at:
        ticket.first_response_at, ticket.first_response_agent = at, agent
        ticket.first_response_seconds = seconds_between(ticket.asked_first_at, at)
    elif asked is not None and at >= asked:
        ticket.answered.append(seconds_between(asked, at))
    else:
        ticket.asked_at = asked


def _message(ticket: Ticket, fact: desk.InboundNoted, at: Instant, beside: Beside) -> None:
    if fact.author.kind == "agent":
        _answer(ticket, fact.message_id, fact.author.id, fact.occurred_at)
    elif fact.author.kind == "customer" and fact.counts:
        ticket.inbound_count += 1
        if ticket.started_by == "agent":
            ticket.customer_id = fact.author.id  # Only now is known who it is.
        asked = max(at, ticket.opened_at)
        ticket.asked_first_at = ticket.asked_first_at or asked
        ticket.asked_at = ticket.asked_at or asked


def _replied(ticket: Ticket, fact: desk.TicketReplied, at: Instant, beside: Beside) -> None:
    if fact.author.kind == "bot":
        ticket.bot_reply_count += 1
    else:
        _answer(ticket, fact.message_id, fact.author.id, fact.occurred_at)


def _noted(ticket: Ticket, fact: desk.TicketNoted, at: Instant, beside: Beside) -> None:
    ticket.note_count += 1


def _classified(ticket: Ticket, fact: desk.TicketClassified, at: Instant, beside: Beside) -> None:
    ticket.category, ticket.language, ticket.priority = fact.category, fact.language, fact.priority
    ticket.tags, ticket.skills = list(fact.tags), list(fact.requires)
    ticket.queue, ticket.confidence = fact.queue, fact.confidence


def _labelled(ticket: Ticket, fact: desk.TicketLabelled, at: Instant, beside: Beside) -> None:
    ticket.category, ticket.language, ticket.priority = fact.category, fact.language, fact.priority
    ticket.tags, ticket.skills = list(fact.tags), list(fact.requires)
    ticket.queue = fact.queue or ticket.queue


def _queued(ticket: Ticket, fact: desk.TicketQueued, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "queued", at)
    ticket.queue, ticket.waiting_since = fact.queue, fact.waiting_since
    ticket.agent = ticket.team = None


def _offered(ticket: Ticket, fact: desk.OfferMade, at: Instant, beside: Beside) -> None:
    _move(ticket, "offered", at)
    ticket.offer_count += 1


def _accepted(ticket: Ticket, fact: desk.OfferAccepted, at: Instant, beside: Beside) -> None:
    ticket.accept_count += 1


def _rejected(ticket: Ticket, fact: desk.OfferRejected, at: Instant, beside: Beside) -> None:
    ticket.decline_count += 1
    _back_in_queue(ticket, at)


def _expired(ticket: Ticket, fact: desk.OfferExpired, at: Instant, beside: Beside) -> None:
    ticket.expiry_count += 1
    _back_in_queue(ticket, at)


def _rescinded(ticket: Ticket, fact: desk.OfferRescinded, at: Instant, beside: Beside) -> None:
    ticket.rescind_count += 1
    _back_in_queue(ticket, at)


def _back_in_queue(ticket: Ticket, at: Instant) -> None:
    if ticket.state == "offered":
        _move(ticket, "queued", at)


def _assigned(ticket: Ticket, fact: desk.TicketAssigned, at: Instant, beside: Beside) -> None:
    """The agent holds it. Going on with a ticket that was set aside is no new assignment."""
    resumed = ticket.state in ("pending", "snoozed", "assigned") and ticket.agent == fact.agent
    if not resumed:
        ticket.assignment_count += 1
    _move(ticket, "assigned", at)
    ticket.agent, ticket.queue = fact.agent, fact.queue
    if ticket.handling_kind != "assigned" or ticket.handling_agent != fact.agent:
        _begin_handling(ticket, fact.agent, "assigned", at, beside)


def _pended(ticket: Ticket, fact: desk.TicketPended, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "pending", at, fact.waiting_on)


def _snoozed(ticket: Ticket, fact: desk.TicketSnoozed, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "snoozed", at)


def _transferred(ticket: Ticket, fact: desk.TicketTransferred, at: Instant, beside: Beside) -> None:
    """Where it goes on is told next; nowhere when it stays pending or snoozed, without a holder."""
    ticket.transfer_count += 1
    ticket.agent = ticket.team = None
    if fact.requires is not None:
        ticket.skills = list(fact.requires)
    if fact.to_queue is not None:
        ticket.queue = fact.to_queue


def _moved(ticket: Ticket, fact: desk.TicketMoved, at: Instant, beside: Beside) -> None:
    ticket.queue = fact.queue


def _escalated(ticket: Ticket, fact: desk.TicketEscalated, at: Instant, beside: Beside) -> None:
    ticket.escalated_at = ticket.escalated_at or at


def _resolve(ticket: Ticket, fact: desk.TicketResolved, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "resolved", at)
    _resolved(ticket, at, beside)
    ticket.resolved_first_at = ticket.resolved_first_at or at
    ticket.resolved_last_at, ticket.outcome, ticket.asked_at = at, fact.outcome, None
    ticket.category = fact.category or ticket.category
    if fact.wrap_up_until is not None and fact.agent is not None:
        _begin_handling(ticket, fact.agent, "wrap_up", at, beside)


def _wrapped_up(ticket: Ticket, fact: desk.WrapUpFinished, at: Instant, beside: Beside) -> None:
    if ticket.handling_kind == "wrap_up":
        _end_handling(ticket, at, beside)


def _reopened(ticket: Ticket, fact: desk.TicketReopened, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "queued", at)
    _unresolved_again(ticket, at, beside)
    ticket.reopen_count += 1
    ticket.outcome = ticket.closed_at = None


def _closed(ticket: Ticket, fact: desk.TicketClosed, at: Instant, beside: Beside) -> None:
    _end_handling(ticket, at, beside)
    _move(ticket, "closed", at)
    _resolved(ticket, at, beside)
    ticket.closed_at, ticket.merged_into = at, fact.merged_into


def _merged(ticket: Ticket, fact: desk.TicketMerged, at: Instant, beside: Beside) -> None:
    """Of the ticket that goes on: what the other's customer asked, and nobody answered, is asked here."""
    if fact.source is None or fact.unanswered_since is None:
        return
    if ticket.first_response_seconds is None:
        ticket.asked_first_at = min(ticket.asked_first_at or fact.unanswered_since, fact.unanswered_since)
    ticket.asked_at = min(ticket.asked_at or fact.unanswered_since, fact.unanswered_since)


def _split(ticket: Ticket, fact: desk.TicketSplit, at: Instant, beside: Beside) -> None:
    """What went to another ticket was not asked here."""
    ticket.asked_at = fact.unanswered_since
    if ticket.first_response_seconds is None:
        ticket.asked_first_at = fact.unanswered_since


def _left(ticket: Ticket, fact: desk.TicketCustomerLeft, at: Instant, beside: Beside) -> None:
    ticket.left_at = None if fact.returned else fact.at


RULES: dict[type, Callable[[Ticket, Any, Instant, Beside], None]] = {
    desk.InboundNoted: _message,
    desk.TicketReplied: _replied,
    desk.TicketNoted: _noted,
    desk.TicketClassified: _classified,
    desk.TicketLabelled: _labelled,
    desk.TicketQueued: _queued,
    desk.OfferMade: _offered,
    desk.OfferAccepted: _accepted,
    desk.OfferRejected: _rejected,
    desk.OfferExpired: _expired,
    desk.OfferRescinded: _rescinded,
    desk.TicketAssigned: _assigned,
    desk.TicketPended: _pended,
    desk.TicketSnoozed: _snoozed,
    desk.TicketTransferred: _transferred,
    desk.TicketMoved: _moved,
    desk.TicketEscalated: _escalated,
    desk.TicketResolved: _resolve,
    desk.WrapUpFinished: _wrapped_up,
    desk.TicketReopened: _reopened,
    desk.TicketClosed: _closed,
    desk.TicketCustomerLeft: _left,
    desk.TicketMerged: _merged,
    desk.TicketSplit: _split,
}
