"""How a ticket opens: what begins it is classified, the ticket is made and told, and goes where it belongs. One way for
what customers write, for what agents start, and for what is split off.

Total: whatever classifying or routing raises, the ticket opens. The raise is kept on the ticket (`marked`) and in
`ticket.classified`; the ticket is then one of the queue of `otherwise`, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketClassified, TicketOpened
from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import PRIORITIES, Evidence
from pointsman.core.decision import Decision
from pointsman.core.instant import Instant
from pointsman.core.journal import Mark
from pointsman_routing.desk.rules import settle
from pointsman_routing.desk.state.draft import Classified, Draft
from pointsman_routing.desk.state.model import Labels, Ticket
from pointsman_routing.desk.state.policy import needs
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

MARK_CHARACTERS_MAX = 300


class Opening(NamedTuple):
    """As what a ticket opens: its labels, its queue, and the fact that says so."""

    labels: Labels
    queue: str
    classified: TicketClassified


def total(desk: Desk, message: MessageReceived, begin: Callable[[Opening], Result]) -> Result:
    """Opens a ticket by `begin`, which may refuse, and makes the offers that follow. `begin` is asked again from the
    state before, with the ticket marked, when it or they raise; the last time without an offer. What it edits, the
    caller has not, or not in this part of the decision (`Desk.begin_part`)."""
    before = None
    if desk.draft.facts_of:
        before = desk.draft.copied()
        desk.begin_part()
    mark = desk.journal.mark()
    try:
        return _settled(desk, begin(_classified(desk, message)))
    except Exception as error:
        marked = f"{type(error).__name__}: {error}"[:MARK_CHARACTERS_MAX]
    _again(desk, mark, before)
    try:
        return _settled(desk, begin(_marked(desk, message, marked)))
    except Exception as error:
        marked = f"{marked}; then {type(error).__name__}: {error}"[:MARK_CHARACTERS_MAX]
    _again(desk, mark, before)
    result = begin(_marked(desk, message, marked))
    desk.draft.tickets.clear()
    desk.draft.entered.clear()
    return result


def ticket_of(
    desk: Desk,
    message: MessageReceived,
    opening: Opening,
    at: Instant,
    *,
    started_by: Literal["customer", "agent"] = "customer",
    affine: tuple[str, ...] = (),
) -> Ticket:
    """The ticket that the message begins. It is nowhere yet."""
    who = message.customer
    ticket = Ticket(
        id=message.ticket_id,
        channel=message.channel,
        connector=message.connector,
        thread=message.thread,
        customer_id=who.id,
        customer_name=who.name,
        customer_tier=who.tier,
        customer_organization=who.organization,
        opened_at=at,
        at=at,
        queue=desk.policy.queue_or_otherwise(opening.queue),
        config_version=desk.policy.version,
        labels=opening.labels,
        subject=message.subject,
        started_by=started_by,
        affine=affine,
    )
    ticket.marked, ticket.follow_up_of = opening.classified.marked, message.follow_up_of
    return ticket


def tell(desk: Desk, ticket: Ticket, message: MessageReceived, opening: Opening, **more: Any) -> None:
    """Makes the ticket resident, and says that it opened, with `more` of how, and as what."""
    desk.open(ticket)
    opened = made(
        TicketOpened,
        ticket_id=ticket.id,
        channel=ticket.channel,
        connector=ticket.connector,
        thread=ticket.thread,
        subject=ticket.subject,
        customer=ticket.customer,
        opened_at=ticket.opened_at,
        started_by=ticket.started_by,
        message_id=message.message_id,
        automatic=message.automatic,
        follow_up_of=message.follow_up_of,
        config_version=ticket.config_version,
        **more,
    )
    desk.say(ticket, opened)
    desk.say(ticket, opening.classified)


def _settled(desk: Desk, result: Result) -> Result:
    if not isinstance(result, Decision):
        settle.settle(desk)
    return result


def _again(desk: Desk, mark: Mark, before: Draft | None) -> None:
    """As if nothing had been tried."""
    draft = desk.draft
    desk.journal.undo(mark)
    desk.draft = Draft(draft.cause, draft.subject, draft.at, draft.now) if before is None else before.copied()
    desk.draft.made = draft.made


def _classified(desk: Desk, message: MessageReceived) -> Opening:
    """What the classifier says. Validated, unlike the desk's own facts: whatever is wrong with it is found here. A
    queue may have priorities of its own (in simulations), which the contract does not know."""
    said: Classified = desk.classify(message)
    queue = desk.policy.queues.get(said.queue)
    own = queue is not None and queue.priorities is not PRIORITIES and said.priority in queue.priorities
    labels = Labels(
        language=said.language,
        category=said.category,
        priority=said.priority,
        tags=tuple(said.tags),
        requires=needs(said.requires),
        prefers=needs(said.prefers),
        weight=said.weight,
    )
    fact = TicketClassified(
        ticket_id=message.ticket_id,
        language=said.language,
        category=said.category,
        priority="normal" if own else said.priority,
        tags=tuple(said.tags),
        queue=said.queue,
        requires=dict(said.requires),
        prefers=dict(said.prefers),
        weight=said.weight,
        confidence=said.confidence,
        band=said.band,
        evidence=tuple(said.evidence),
    )
    return Opening(desk.shared(labels), said.queue, fact)


def _marked(desk: Desk, message: MessageReceived, marked: str) -> Opening:
    """Without a look at what the message says."""
    policy = desk.policy
    labels = Labels(weight=policy.channels[message.channel].weight)
    fact = made(
        TicketClassified,
        ticket_id=message.ticket_id,
        language=labels.language,
        category=labels.category,
        priority=labels.priority,
        queue=policy.otherwise,
        weight=labels.weight,
        confidence=0.0,
        band="human",
        evidence=(Evidence(kind="default", id="otherwise", says="classifying or routing failed"),),
        marked=marked,
    )
    return Opening(desk.shared(labels), policy.otherwise, fact)
