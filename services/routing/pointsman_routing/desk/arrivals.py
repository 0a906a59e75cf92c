"""A new ticket: classified, opened, queued. Total: whatever classifying or routing raises, the ticket opens.

The raise is kept on the ticket (`marked`) and in `ticket.classified`; the ticket then waits where `otherwise` says.
"""

from __future__ import annotations

from pointsman.contracts.base import made
from pointsman.contracts.desk import TicketClassified, TicketOpened
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import PRIORITIES, SYSTEM, Evidence
from pointsman.core.journal import Mark
from pointsman_routing.desk import matching, messages, offers
from pointsman_routing.desk.capacity import has_room
from pointsman_routing.desk.desk import Desk
from pointsman_routing.desk.draft import Classified, Draft
from pointsman_routing.desk.model import Labels, Ticket
from pointsman_routing.desk.policy import needs

MARK_CHARACTERS_MAX = 300


def open_ticket(desk: Desk, message: MessageReceived) -> None:
    """Opens the ticket that a message begins, and offers it."""
    mark = desk.journal.mark()
    try:
        said = desk.classify(message)
        _open(desk, message, labels_of(desk, said), said.queue, classified_as(desk, message, said))
        matching.settle(desk)
        return
    except Exception as error:
        marked = f"{type(error).__name__}: {error}"[:MARK_CHARACTERS_MAX]
    _again(desk, mark)
    try:
        _open_marked(desk, message, marked)
        matching.settle(desk)
        return
    except Exception as error:
        marked = f"{marked}; then {type(error).__name__}: {error}"[:MARK_CHARACTERS_MAX]
    _again(desk, mark)
    _open_marked(desk, message, marked)
    desk.draft.tickets.clear()
    desk.draft.entered.clear()


def marked_as(desk: Desk, message: MessageReceived, marked: str) -> tuple[Labels, TicketClassified]:
    """The labels of a ticket that could not be classified: it waits in `otherwise`."""
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
    return desk.shared(labels), fact


def _again(desk: Desk, mark: Mark) -> None:
    """As if nothing had been tried."""
    draft = desk.draft
    desk.journal.undo(mark)
    desk.draft = Draft(draft.cause, draft.subject, draft.at, draft.now)


def _open_marked(desk: Desk, message: MessageReceived, marked: str) -> None:
    """Opens it in `otherwise` without a look at what it says."""
    labels, fact = marked_as(desk, message, marked)
    _open(desk, message, labels, desk.policy.otherwise, fact)


def _open(desk: Desk, message: MessageReceived, labels: Labels, queue: str, classified: TicketClassified) -> None:
    at, who = desk.draft.at, message.customer
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
        queue=desk.policy.queue_or_otherwise(queue),
        config_version=desk.policy.version,
        labels=labels,
        subject=message.subject,
        started_by="agent" if message.author.kind == "agent" else "customer",
        affine=_affine(desk, who),
    )
    ticket.marked, ticket.follow_up_of = classified.marked, message.follow_up_of
    desk.open(ticket)
    desk.say(
        ticket,
        made(
            TicketOpened,
            ticket_id=ticket.id,
            channel=ticket.channel,
            connector=ticket.connector,
            thread=ticket.thread,
            subject=ticket.subject,
            customer=ticket.customer,
            opened_at=at,
            started_by="agent" if message.author.kind == "agent" else "customer",
            message_id=message.message_id,
            automatic=message.automatic,
            follow_up_of=message.follow_up_of,
            config_version=desk.policy.version,
        ),
    )
    desk.say(ticket, classified)
    messages.note(desk, ticket, message)
    author = desk.agents.get(message.author.id) if message.author.kind == "agent" else None
    if author is not None and has_room(author, ticket):
        offers.assign(desk, ticket, author, SYSTEM, "the agent began the conversation")
    else:
        desk.draft.greeted = ticket
        desk.enqueue(ticket, "opened", fresh=True)


def _affine(desk: Desk, customer: CustomerSeen) -> tuple[str, ...]:
    """Whom the customer knows: their owner, then their last agent (rule 11)."""
    known = (customer.owner, desk.last_agents.get(customer.id))
    return tuple(dict.fromkeys(slug for slug in known if slug))


def labels_of(desk: Desk, said: Classified) -> Labels:
    """What a classifier says, as labels."""
    return desk.shared(
        Labels(
            language=said.language,
            category=said.category,
            priority=said.priority,
            tags=tuple(said.tags),
            requires=needs(said.requires),
            prefers=needs(said.prefers),
            weight=said.weight,
        )
    )


def classified_as(desk: Desk, message: MessageReceived, said: Classified) -> TicketClassified:
    """Validated, unlike the desk's own facts: whatever is wrong with what a classifier says is found here. A queue may
    have priorities of its own (in simulations), which the contract does not know."""
    queue = desk.policy.queues.get(said.queue)
    own = queue is not None and queue.priorities is not PRIORITIES and said.priority in queue.priorities
    return TicketClassified(
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
