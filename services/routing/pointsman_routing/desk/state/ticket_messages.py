"""What was said on a ticket: the messages in the tables, as far as a batch read them, and those of the batch itself.

A message's place in time is (change, number): the order in which the desk took it, also across merged tickets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman_routing.desk.state.model import Ticket, TicketMessage

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk
    from pointsman_routing.desk.state.draft import Changes
    from pointsman_routing.desk.state.model import Inbound

COUNTING_KINDS = frozenset({"message", "comment", "review"})
"""Kinds of messages with which a person says something."""


def survivor(desk: Desk, ticket_id: str) -> Ticket | None:
    """The ticket, or the one into which it was merged in the end; None when it is not resident."""
    ticket = desk.tickets.get(ticket_id)
    while ticket is not None and ticket.merged_into is not None and ticket.merged_into in desk.tickets:
        ticket = desk.tickets[ticket.merged_into]
    return ticket


def place_of(one: TicketMessage) -> tuple[int, int]:
    """Where it stands among all messages of the workspace."""
    return one.change, one.number


def new_messages(changes: Changes) -> list[tuple[str, TicketMessage]]:
    """The messages that are to be written, each with its ticket, in order."""
    told = [(each.ticket_id, _came_in(each)) for each in changes.inbound]
    told += [(row["ticket_id"], _written_here(row)) for row in changes.messages]
    return sorted(told, key=lambda each: place_of(each[1]))


def on_ticket(desk: Desk, ticket: Ticket) -> list[TicketMessage]:
    """The ticket's messages in order, and those of the tickets merged into it. `gather` has read them."""
    changes = desk.changes
    matter = {ticket.id, *(id for id in changes.tickets if survivor(desk, id) is ticket)}
    said = {}
    for id, there in desk.messages_of.items():
        said.update({one.id: one for one in there if changes.moved.get(one.id, id) in matter})
    for owner, one in new_messages(changes):
        if changes.moved.get(one.id, owner) in matter:
            said[one.id] = one
    return sorted(said.values(), key=place_of)


def message_on(desk: Desk, ticket: Ticket, id: str) -> TicketMessage | None:
    """The message of that id, if the ticket has it. `gather` has read it."""
    found = desk.messages_by_id.get(id) or _new_message(desk.changes, id)
    if found is None:
        return None
    owner = desk.changes.moved.get(id, found[0])
    return found[1] if owner == ticket.id or survivor(desk, owner) is ticket else None


def _new_message(changes: Changes, id: str) -> tuple[str, TicketMessage] | None:
    for each in changes.inbound:
        if each.message.message_id == id:
            return each.ticket_id, _came_in(each)
    for row in changes.messages:
        if row["id"] == id:
            return row["ticket_id"], _written_here(row)
    return None


def _came_in(inbound: Inbound) -> TicketMessage:
    message = inbound.message
    return TicketMessage(
        id=message.message_id,
        change=inbound.change,
        number=inbound.number,
        direction="in" if message.author.kind == "customer" else "out",
        kind=message.kind,
        author_kind=message.author.kind,
        author_id=message.author.id,
        author_name=message.author.name,
        automatic=message.automatic,
        received_at=message.received_at,
        subject=message.subject,
        text=message.text,
        reply_text=message.reply_text,
        connector=message.connector,
        channel=message.channel,
        thread=message.thread,
    )


def _written_here(row: dict[str, Any]) -> TicketMessage:
    known: dict[str, Any] = {name: row.get(name) for name in TicketMessage._fields}
    return TicketMessage(**known | {"kind": "message"})
