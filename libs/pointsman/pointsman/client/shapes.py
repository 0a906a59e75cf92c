"""What the API answers, typed. A newer server's further fields are ignored, and its new words are plain text here."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A frozen value of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Customer(Shape):
    """Who wrote."""

    id: str
    name: str | None = None
    tier: str | None = None


class Ticket(Shape):
    """One matter of one customer. `version` changes with state, holder, queue and labels, never with messages; `held`
    says why a queued one is offered to nobody (`hours`, `closed`)."""

    id: str
    version: int
    state: str
    channel: str
    connector: str
    queue: str
    priority: str
    category: str
    language: str
    customer: Customer
    subject: str | None = None
    waiting_on: str | None = None
    outcome: str | None = None
    boost: int = 0
    tags: tuple[str, ...] = ()
    requires: dict[str, int] = {}
    prefers: dict[str, int] = {}
    agent: str | None = None
    opened_at: datetime
    waiting_since: datetime | None = None
    escalated_at: datetime | None = None
    resolved_at: datetime | None = None
    last_message_id: str | None = None
    follow_up_of: str | None = None
    merged_into: str | None = None
    wrap_up_until: datetime | None = None
    held: str | None = None


class Offer(Shape):
    """A ticket shown to this agent until it expires. `state`: pending, accepted, rejected, expired or rescinded;
    `reason` says in one sentence why this agent. Count down with `expires_in_seconds`, not with your own clock."""

    id: str
    state: str
    ticket: Ticket
    agent: str
    reason: str = ""
    expires_at: datetime
    expires_in_seconds: float = 0.0

    @property
    def ticket_id(self) -> str:
        return self.ticket.id

    @property
    def pending(self) -> bool:
        return self.state == "pending"


class Author(Shape):
    """Who said something: a customer, an agent or a bot."""

    kind: str
    id: str
    name: str | None = None


class Message(Shape):
    """One utterance on a ticket: `direction` in, out or note. `reply_text` is the part of a mail that is new."""

    id: str
    ticket_id: str
    direction: str
    author: Author
    text: str
    reply_text: str | None = None
    html: str | None = None
    kind: str = "message"
    replaces: str | None = None
    automatic: str | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    attachments: tuple[dict[str, Any], ...] = ()
    delivery: str | None = None
    occurred_at: datetime
    received_at: datetime | None = None


class Presence(Shape):
    """An agent's state, who set it, and how many tickets of each channel are in hand."""

    state: str
    set_by: str
    reason: str | None = None
    channels: tuple[str, ...] | None = None
    in_hand: dict[str, int] = {}


class Notice(Shape):
    """One event of an agent's stream: `name` is its type (`offer.made`, `clock.warned`, `ticket.viewers`, …). `reset`
    means that something may have been missed: read offers and assignments again."""

    name: str
    data: dict[str, Any]
    id: str | None = None


class Event(Shape):
    """One CloudEvent of the list of events (docs/events.md)."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


class Reply(Shape):
    """A public reply that its connector should deliver in the conversation `thread`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    ticket_id: str
    connector: str
    thread: str
    text: str
    attachments: tuple[dict[str, Any], ...] = ()
    occurred_at: datetime


class Posted(Shape):
    """A message that was accepted (it is durable now), and the ticket that it is on. `differs`: an earlier message with
    this `external_id` had another content, and was kept."""

    message_id: str
    ticket_id: str
    duplicate: bool = False
    differs: bool = False


class Quarantined(Shape):
    """A mail that could not be understood: kept whole, and visible to supervisors."""

    quarantine_id: str
    reason: str
