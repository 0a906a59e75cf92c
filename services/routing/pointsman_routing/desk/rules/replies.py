"""Rule 5, a public reply, which ends the waiting, and what is written besides: notes, and messages of bots.

A reply goes where the message that it answers was said, else where the customer spoke last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketReply
from pointsman.contracts.desk import TicketNoted, TicketReplied
from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import Attachment, Author
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import attachments, queueing
from pointsman_routing.desk.state import conversations, recent, ticket_messages
from pointsman_routing.desk.state.model import WAITING_STATES, Conversation, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def reply(desk: Desk, ticket: Ticket, command: TicketReply, message_id: str) -> Result:
    """A public reply, which ends the waiting (rule 5), or a private note, which stops nothing. The reply goes where the
    message that it answers was said, else where the customer spoke last."""
    where = ticket.speaks or conversations.own(ticket)
    if command.reply_to_message is not None:
        replied_to = ticket_messages.message_on(desk, ticket, command.reply_to_message)
        if replied_to is None:
            return invalid(f"the ticket has no message {command.reply_to_message}", "/reply_to_message")
        if replied_to.direction != "note":
            where = conversations.where_said(ticket, replied_to)
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
        **conversations.columns_of(where),
        "occurred_at": at,
        "received_at": at,
    }
    desk.draft.serial += 1
    desk.append(desk.changes.messages, {**row, "change": desk.change, "number": desk.draft.serial})
    if command.public:
        recent.remember(ticket, message_id, by_customer=False)
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
    at, where = ticket.at, ticket.speaks or conversations.own(ticket)
    row = {
        "id": message_id,
        "ticket_id": ticket.id,
        "direction": "out",
        "author_kind": author.kind,
        "author_id": author.id,
        "author_name": author.name,
        "text": text,
        "delivery": "queued",
        **conversations.columns_of(where),
        "occurred_at": at,
        "received_at": at,
    }
    desk.draft.serial += 1
    desk.append(desk.changes.messages, {**row, "change": desk.change, "number": desk.draft.serial})
    recent.remember(ticket, message_id, by_customer=False)
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
        customer=conversations.customer_in(ticket, where),
        occurred_at=at,
    )
    desk.say(ticket, said, ticket.agent)


def answered(desk: Desk, ticket: Ticket) -> None:
    """A public human reply: nobody waits for an answer any more. The caller has edited the ticket."""
    ticket.unanswered_since, ticket.warned = None, False
    ticket.waiting_since = ticket.queued_at if ticket.state in WAITING_STATES else None
    queueing.reorder(desk, ticket)


def replied_by_provider_app(desk: Desk, ticket: Ticket, message: MessageReceived) -> None:
    """An agent wrote in the provider's own app: a reply that is there already. The caller has edited the ticket."""
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
        customer=conversations.customer_in(ticket, where),
        occurred_at=at,
    )


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
