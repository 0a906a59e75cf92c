"""Where a ticket's customer writes: its own conversation, or that of a ticket which was merged into it."""

from collections.abc import Sequence

from pointsman.contracts.base import made
from pointsman.contracts.shapes import Customer
from pointsman_routing.desk.state import ticket_messages
from pointsman_routing.desk.state.model import Conversation, Ticket, TicketMessage


def own(ticket: Ticket) -> Conversation:
    """That in which the ticket began."""
    return Conversation(ticket.connector, ticket.channel, ticket.thread, ticket.customer_id, ticket.customer_name)


def where_said(ticket: Ticket, one: TicketMessage) -> Conversation:
    """That in which the message was said, by a customer of the ticket or to them."""
    if one.direction == "note" or (one.connector, one.thread) == (ticket.connector, ticket.thread):
        return own(ticket)
    who = (one.author_id, one.author_name) if one.direction == "in" else (ticket.customer_id, ticket.customer_name)
    return Conversation(one.connector, one.channel, one.thread, *who)


def elsewhere(ticket: Ticket, where: Conversation) -> Conversation | None:
    """The conversation, unless it is the ticket's own."""
    return None if (where.connector, where.thread) == (ticket.connector, ticket.thread) else where


def customer_in(ticket: Ticket, where: Conversation) -> Customer:
    """Who the customer is there."""
    if where.customer_id == ticket.customer_id:
        return ticket.customer
    return made(Customer, id=where.customer_id, name=where.customer_name)


def speak_where(ticket: Ticket, said: Sequence[TicketMessage]) -> None:
    """The customer spoke last where the latest of these messages, oldest first, was said."""
    for one in reversed(said):
        if one.direction == "in" and one.automatic is None and one.kind in ticket_messages.COUNTING_KINDS:
            ticket.speaks = elsewhere(ticket, where_said(ticket, one))
            return


def columns_of(where: Conversation) -> dict[str, str]:
    """As a message's row has it."""
    return {"connector": where.connector, "channel": where.channel, "thread": where.thread}
