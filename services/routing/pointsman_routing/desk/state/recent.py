"""The last messages of a ticket, by id: what somebody has not seen is told from these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman_routing.desk.state import ticket_messages
from pointsman_routing.desk.state.model import Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

RECENT_MAX = 10


def remember(ticket: Ticket, message_id: str, *, by_customer: bool) -> None:
    """One more message. The caller has edited the ticket."""
    ticket.last_message_id = message_id
    ticket.recent = (*ticket.recent[1 - RECENT_MAX :], message_id)
    ticket.inbound = (ticket.inbound << 1 | by_customer) & (1 << RECENT_MAX) - 1


def remember_all(ticket: Ticket, messages: list[tuple[str, bool]]) -> None:
    """The ticket's last messages are these, (id, whether it is the customer's), the oldest first."""
    messages = messages[-RECENT_MAX:]
    ticket.recent = tuple(id for id, _ in messages)
    ticket.inbound = sum(bit << place for place, (_, bit) in enumerate(reversed(messages)))
    ticket.last_message_id = ticket.recent[-1] if ticket.recent else None


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
    known = ((id, ticket_messages.message_on(desk, ticket, id)) for id in of_customer)
    return [id for id, one in known if one is None or ticket_messages.place_of(one) > ticket_messages.place_of(last)]
