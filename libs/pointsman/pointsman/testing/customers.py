"""Builders of what customers say, with defaults: `a_message(text="…")`."""

from datetime import timedelta
from typing import Any

from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author
from pointsman.core.instant import Instant
from pointsman.testing.time import NOON

_CONNECTORS = {"email": "support-mail", "chat": "site-chat", "social": "facebook"}


def a_message(
    ticket: str = "tkt_1", *, number: int = 1, at: Instant = NOON, channel: str = "email", **fields: Any
) -> MessageReceived:
    """A customer's message on a ticket; `number` counts those of its thread, the first opens the ticket."""
    given: dict[str, Any] = {
        "message_id": f"msg_{ticket}_{number}",
        "ticket_id": ticket,
        "thread_number": number,
        "opens": number == 1,
        "connector": _CONNECTORS[channel],
        "channel": channel,
        "external_id": f"{ticket}/{number}",
        "thread": f"thread of {ticket}",
        "author": Author(kind="customer", id=f"customer of {ticket}"),
        "customer": CustomerSeen(id=f"customer of {ticket}"),
        "subject": "A question",
        "text": "Where is my order?",
        "occurred_at": at - timedelta(seconds=1),
        "received_at": at,
    }
    return MessageReceived(**{**given, **fields})
