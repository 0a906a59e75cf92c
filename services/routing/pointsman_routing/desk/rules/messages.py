"""Rule 17, a customer's message in each state of its ticket; and agents' replies and notes.

Automatic mail, reactions, edits and bots are put on the ticket and do nothing else: they never wake or reopen it.
A message that an agent wrote in the provider's own app is a reply that needs no delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketReply
from pointsman.contracts.desk import (
    DeliveryFailed,
    DeliveryNoted,
    InboundNoted,
    MessageChanged,
    TicketNoted,
    TicketReplied,
)
from pointsman.contracts.requests import CustomerSeen, MessageDelivered, MessageFailed, MessageReceived
from pointsman.contracts.shapes import Attachment, Author, Customer
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import attachments, customer_left, queueing, resume
from pointsman_routing.desk.state import ticket_messages
from pointsman_routing.desk.state.model import WAITING_STATES, Conversation, Inbound, Ticket, Written
from pointsman_routing.desk.state.result import Answer, Result, invalid

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

EXCERPT_CHARACTERS_MAX = 500
RECENT_MAX = 10
COUNTING_KINDS = frozenset({"message", "comment", "review"})
_CHANGES: dict[str, Literal["edited", "deleted"]] = {"edit": "edited", "delete": "deleted"}


def receive(desk: Desk, ticket: Ticket, message: MessageReceived) -> Result:
    """A further message on a ticket that exists."""
    at = desk.edit(ticket)
    if message.author.kind == "customer":
        know_customer(desk, ticket, message.customer)
    note(desk, ticket, message)
    if counts(message):
        customer_left.returned(desk, ticket)
        resume.customer_wrote(desk, ticket, at)
    return None


def know_customer(desk: Desk, ticket: Ticket, seen: CustomerSeen) -> None:
    """Of a ticket that an agent started: who the customer turned out to be. The caller has edited the ticket."""
    if ticket.started_by != "agent" or ticket.customer_id == seen.id:
        return
    for name in ("id", "name", "tier", "organization"):
        desk.journal.set(ticket, f"customer_{name}", getattr(seen, name))


def counts(message: MessageReceived) -> bool:
    """Whether a person, the customer, says something that wants an answer."""
    return message.author.kind == "customer" and message.automatic is None and message.kind in COUNTING_KINDS


def note(desk: Desk, ticket: Ticket, message: MessageReceived) -> None:
    """Puts the message on the ticket, without its consequences for the state. The caller has edited the ticket."""
    by_customer = message.author.kind == "customer"
    desk.draft.serial += 1
    desk.append(desk.changes.inbound, Inbound(message, ticket.id, desk.change, desk.draft.serial))
    _remember(ticket, message.message_id, by_customer=by_customer)
    if message.author.kind == "agent" and message.kind in COUNTING_KINDS:
        _replied_elsewhere(desk, ticket, message)
        return
    counting = counts(message)
    desk.say(
        ticket,
        made(
            InboundNoted,
            ticket_id=ticket.id,
            message_id=message.message_id,
            author=message.author,
            excerpt=(message.reply_text or message.text)[:EXCERPT_CHARACTERS_MAX],
            kind=message.kind,
            replaces=message.replaces_id,
            automatic=message.automatic,
            counts=counting,
            occurred_at=message.occurred_at,
            received_at=message.received_at,
        ),
        ticket.agent,
    )
    change = _CHANGES.get(message.kind)
    if change is not None and message.replaces_id is not None:
        changed = made(MessageChanged, ticket_id=ticket.id, message_id=message.replaces_id, change=change)
        desk.say(ticket, changed, ticket.agent)
    if counting:
        who = message.customer
        where = Conversation(message.connector, message.channel, message.thread, who.id, who.name)
        ticket.speaks = _elsewhere(ticket, where)
        ticket.unanswerable = message.unanswerable or None
    if counting and ticket.unanswered_since is None:
        ticket.unanswered_since = ticket.at
        if ticket.waiting_since is None:
            ticket.waiting_since = ticket.at


def reply(desk: Desk, ticket: Ticket, command: TicketReply, message_id: str) -> Result:
    """A public reply, which ends the waiting (rule 5), or a private note, which stops nothing. The reply goes where the
    message that it answers was said, else where the customer spoke last."""
    where = ticket.speaks or _own(ticket)
    if command.reply_to_message is not None:
        replied_to = ticket_messages.message_on(desk, ticket, command.reply_to_message)
        if replied_to is None:
            return invalid(f"the ticket has no message {command.reply_to_message}", "/reply_to_message")
        if replied_to.direction != "note":
            where = _conversation(ticket, replied_to)
    at = desk.edit(ticket)
    writer = desk.agents.get(command.actor.id)
    author = Author(kind="agent", id=command.actor.id, name=writer.profile.name if writer else None)
    attached = attachments.named(command)
    row = {
        "id": message_id,
        "ticket_id": ticket.id,
        "direction": "out" if command.public else "note",
        "author_kind": author.kind,
        "author_id": author.id,
        "author_name": author.name,
        "text": command.text,
        "html": command.html,
        "attachments": [each.model_dump(exclude_none=True) for each in attached],
        "cc": list(command.cc),
        "reply_to_message": command.reply_to_message,
        "delivery": "queued" if command.public else None,
        **_said_in(where),
        "occurred_at": at,
        "received_at": at,
    }
    desk.draft.serial += 1
    desk.append(desk.changes.messages, {**row, "change": desk.change, "number": desk.draft.serial})
    if command.public:
        _remember(ticket, message_id, by_customer=False)
        desk.say(ticket, _replied(ticket, message_id, author, command, attached, where, at), ticket.agent)
        answered(desk, ticket)
    else:
        desk.say(
            ticket,
            made(TicketNoted, ticket_id=ticket.id, message_id=message_id, author=author, text=command.text),
            ticket.agent,
        )
    return Answer(lambda: _shape(row), 201)


def write(desk: Desk, ticket: Ticket, message_id: str, author: Author, text: str) -> None:
    """A public message that is no person's answer: delivered like a reply, it ends no waiting. The caller has edited
    the ticket."""
    at, where = ticket.at, ticket.speaks or _own(ticket)
    row = {
        "id": message_id,
        "ticket_id": ticket.id,
        "direction": "out",
        "author_kind": author.kind,
        "author_id": author.id,
        "author_name": author.name,
        "text": text,
        "delivery": "queued",
        **_said_in(where),
        "occurred_at": at,
        "received_at": at,
    }
    desk.draft.serial += 1
    desk.append(desk.changes.messages, {**row, "change": desk.change, "number": desk.draft.serial})
    _remember(ticket, message_id, by_customer=False)
    said = made(
        TicketReplied,
        ticket_id=ticket.id,
        message_id=message_id,
        author=author,
        text=text,
        connector=where.connector,
        channel=where.channel,
        thread=where.thread,
        subject=ticket.subject,
        customer=_customer_in(ticket, where),
        occurred_at=at,
    )
    desk.say(ticket, said, ticket.agent)


def answered(desk: Desk, ticket: Ticket) -> None:
    """A public human reply: nobody waits for an answer any more. The caller has edited the ticket."""
    ticket.unanswered_since, ticket.warned = None, False
    ticket.waiting_since = ticket.queued_at if ticket.state in WAITING_STATES else None
    queueing.reorder(desk, ticket)


def delivered(desk: Desk, ticket: Ticket | None, fact: MessageDelivered | MessageFailed) -> Result:
    """What became of a reply on its way to the customer."""
    state = "failed" if isinstance(fact, MessageFailed) else "sent" if fact.state == "sent" else "delivered"
    reason = fact.reason if isinstance(fact, MessageFailed) else None
    row = {"id": fact.message_id, "delivery": state, "delivery_reason": reason}
    if isinstance(fact, MessageFailed) and not fact.permanent:
        row["delivery"] = "queued"
    desk.append(desk.changes.deliveries, row)
    if ticket is None:
        return None
    desk.edit(ticket)
    if isinstance(fact, MessageDelivered) and fact.customer is not None:
        know_customer(desk, ticket, fact.customer)
    if isinstance(fact, MessageFailed):
        desk.say(
            ticket,
            made(
                DeliveryFailed,
                ticket_id=ticket.id,
                message_id=fact.message_id,
                reason=fact.reason,
                permanent=fact.permanent,
            ),
            ticket.agent,
        )
    else:
        desk.say(
            ticket, made(DeliveryNoted, ticket_id=ticket.id, message_id=fact.message_id, state=fact.state), ticket.agent
        )
    return None


def unseen(desk: Desk, ticket: Ticket, last_message_id: str | None) -> list[str] | None:
    """The customer's messages after the one that the caller saw last, which may be a note; of those remembered when it
    is older. None when it is no message of the ticket."""
    ids = ticket.recent
    of_customer = [id for place, id in enumerate(ids) if ticket.inbound >> (len(ids) - 1 - place) & 1]
    if last_message_id is None:
        return []
    if last_message_id in ids:
        seen = ids[: ids.index(last_message_id) + 1]
        return [id for id in of_customer if id not in seen]
    last = ticket_messages.message_on(desk, ticket, last_message_id)
    if last is None:
        return None
    told = ((id, ticket_messages.message_on(desk, ticket, id)) for id in of_customer)
    return [id for id, one in told if one is None or ticket_messages.place_of(one) > ticket_messages.place_of(last)]


def _own(ticket: Ticket) -> Conversation:
    return Conversation(ticket.connector, ticket.channel, ticket.thread, ticket.customer_id, ticket.customer_name)


def _conversation(ticket: Ticket, one: Written) -> Conversation:
    """That in which the message was said, by a customer of the ticket or to them."""
    if one.direction == "note" or (one.connector, one.thread) == (ticket.connector, ticket.thread):
        return _own(ticket)
    who = (one.author_id, one.author_name) if one.direction == "in" else (ticket.customer_id, ticket.customer_name)
    return Conversation(one.connector, one.channel, one.thread, *who)


def _elsewhere(ticket: Ticket, where: Conversation) -> Conversation | None:
    """The conversation, unless it is the ticket's own."""
    return None if (where.connector, where.thread) == (ticket.connector, ticket.thread) else where


def _customer_in(ticket: Ticket, where: Conversation) -> Customer:
    if where.customer_id == ticket.customer_id:
        return ticket.customer
    return made(Customer, id=where.customer_id, name=where.customer_name)


def _replied_elsewhere(desk: Desk, ticket: Ticket, message: MessageReceived) -> None:
    desk.say(
        ticket,
        made(
            TicketReplied,
            ticket_id=ticket.id,
            message_id=message.message_id,
            author=message.author,
            text=message.text,
            html=message.html,
            attachments=message.attachments,
            connector=message.connector,
            channel=message.channel,
            thread=message.thread,
            subject=ticket.subject,
            customer=ticket.customer,
            occurred_at=message.occurred_at,
            deliver=False,
        ),
        ticket.agent,
    )
    answered(desk, ticket)


def _replied(
    ticket: Ticket,
    message_id: str,
    author: Author,
    command: TicketReply,
    attachments: tuple[Attachment, ...],
    where: Conversation,
    at: Instant,
) -> TicketReplied:
    return made(
        TicketReplied,
        ticket_id=ticket.id,
        message_id=message_id,
        author=author,
        text=command.text,
        html=command.html,
        attachments=attachments,
        cc=command.cc,
        reply_to_message=command.reply_to_message,
        connector=where.connector,
        channel=where.channel,
        thread=where.thread,
        subject=ticket.subject,
        customer=_customer_in(ticket, where),
        occurred_at=at,
    )


def _said_in(where: Conversation) -> dict[str, str]:
    return {"connector": where.connector, "channel": where.channel, "thread": where.thread}


def _remember(ticket: Ticket, message_id: str, *, by_customer: bool) -> None:
    ticket.last_message_id = message_id
    ticket.recent = (*ticket.recent[1 - RECENT_MAX :], message_id)
    ticket.inbound = (ticket.inbound << 1 | by_customer) & (1 << RECENT_MAX) - 1


def remember_all(ticket: Ticket, said: Sequence[Written]) -> None:
    """The ticket's last messages, and where the customer spoke last, are from now on those of `said`, oldest first."""
    remember(ticket, [(one.id, one.direction == "in") for one in said if one.direction != "note"])
    speak_where(ticket, said)


def speak_where(ticket: Ticket, said: Sequence[Written]) -> None:
    """The customer spoke last where the latest of these messages, oldest first, was said."""
    for one in reversed(said):
        if one.direction == "in" and one.automatic is None and one.kind in COUNTING_KINDS:
            ticket.speaks = _elsewhere(ticket, _conversation(ticket, one))
            return


def remember(ticket: Ticket, told: list[tuple[str, bool]]) -> None:
    """The ticket's last messages are these, (id, whether it is the customer's), the oldest first."""
    told = told[-RECENT_MAX:]
    ticket.recent = tuple(id for id, _ in told)
    ticket.inbound = sum(bit << place for place, (_, bit) in enumerate(reversed(told)))
    ticket.last_message_id = ticket.recent[-1] if ticket.recent else None


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """API.md: message, of one that an agent wrote."""
    return {
        "id": row["id"],
        "ticket_id": row["ticket_id"],
        "direction": row["direction"],
        "kind": "message",
        "replaces": None,
        "automatic": None,
        "author": {"kind": row["author_kind"], "id": row["author_id"], "name": row["author_name"]},
        "text": row["text"],
        "reply_text": None,
        "html": row["html"],
        "attachments": row["attachments"],
        "delivery": row["delivery"],
        "occurred_at": row["occurred_at"],
        "received_at": row["received_at"],
        "edited_at": None,
        "deleted_at": None,
    }
