"""Rule 17, a customer's message in each state of its ticket; and what became of replies on their way.

Automatic mail, reactions, edits and bots are put on the ticket and do nothing else: they never wake or reopen it.
A message that an agent wrote in the provider's own app is a reply that needs no delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pointsman.contracts.base import made
from pointsman.contracts.desk import (
    DeliveryFailed,
    DeliveryNoted,
    InboundNoted,
    MessageChanged,
)
from pointsman.contracts.requests import CustomerSeen, MessageDelivered, MessageFailed, MessageReceived
from pointsman_routing.desk.rules import customer_left, replies, resume
from pointsman_routing.desk.state import conversations, recent, ticket_messages
from pointsman_routing.desk.state.model import Conversation, Inbound, Ticket
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

EXCERPT_CHARACTERS_MAX = 500
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
    return (
        message.author.kind == "customer"
        and message.automatic is None
        and message.kind in ticket_messages.COUNTING_KINDS
    )


def note(desk: Desk, ticket: Ticket, message: MessageReceived) -> None:
    """Puts the message on the ticket, without its consequences for the state. The caller has edited the ticket."""
    by_customer = message.author.kind == "customer"
    desk.draft.serial += 1
    desk.append(desk.changes.inbound, Inbound(message, ticket.id, desk.change, desk.draft.serial))
    recent.remember(ticket, message.message_id, by_customer=by_customer)
    if message.author.kind == "agent" and message.kind in ticket_messages.COUNTING_KINDS:
        replies.replied_by_provider_app(desk, ticket, message)
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
        ticket.speaks = conversations.elsewhere(ticket, where)
        ticket.unanswerable = message.unanswerable or None
    if counting and ticket.unanswered_since is None:
        ticket.unanswered_since = ticket.at
        if ticket.waiting_since is None:
            ticket.waiting_since = ticket.at


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
