"""The shapes of API.md as routing answers them, and how rows become them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from pointsman.contracts.shapes import (
    Automatic,
    Channel,
    FileState,
    MessageKind,
    Outcome,
    PresenceState,
    Priority,
    SetBy,
    TicketState,
)
from pointsman.core.instant import Instant

OfferState = Literal["pending", "accepted", "rejected", "expired", "rescinded"]


class CustomerShape(BaseModel):
    id: str
    name: str | None
    tier: str | None


class TicketShape(BaseModel):
    """One matter of one customer. `version` changes with state, holder, queue and labels, never with messages. `held`
    says why a queued ticket is offered to nobody until its queue opens."""

    id: str
    version: int
    state: TicketState
    waiting_on: str | None
    outcome: Outcome | None
    channel: Channel
    connector: str
    subject: str | None
    customer: CustomerShape
    category: str
    priority: Priority
    boost: int
    language: str
    tags: list[str]
    queue: str
    requires: dict[str, int]
    prefers: dict[str, int]
    agent: str | None
    opened_at: datetime
    waiting_since: datetime | None
    escalated_at: datetime | None
    resolved_at: datetime | None
    last_message_id: str | None
    follow_up_of: str | None
    merged_into: str | None
    wrap_up_until: datetime | None
    held: Literal["hours", "closed"] | None
    config_version: int


class OfferShape(BaseModel):
    """A ticket shown to one agent until a deadline. `reason` says in one sentence why; once it has ended, none of
    `expires_in_seconds` is left."""

    id: str
    ticket: TicketShape
    agent: str
    state: OfferState
    reason: str
    weight: int
    offered_at: datetime
    expires_at: datetime
    expires_in_seconds: float


class StandingShape(BaseModel):
    """How a queue stands: closed (outside its hours or by a supervisor) until when and why, full, or open. `held` are
    the tickets that are offered to nobody until it opens; `until` null: nobody knows."""

    queue: str
    state: Literal["open", "closed", "full"]
    until: datetime | None
    reason: str | None
    held: int


class QueueShape(StandingShape):
    """A queue now: tickets waiting (held ones included) and offered, the oldest, agents who could take one of it."""

    waiting: int
    oldest_waiting_since: datetime | None
    offered: int
    eligible_now: int
    order: str


class AuthorShape(BaseModel):
    kind: Literal["customer", "agent", "bot"]
    id: str
    name: str | None


class FileShape(BaseModel):
    """A file of a message: `GET /intake/v1/attachments/{attachment_id}` has its bytes. `state` is said of one that was
    named by its `url`: `fetching`, then `kept`, or `failed` with the `reason`. Members that it does not have are left
    out."""

    attachment_id: str | None = None
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    url: str | None = None
    state: FileState | None = None
    reason: str | None = None


class MessageShape(BaseModel):
    """One utterance, or what was done to one. `reply_text` is the part of an email that is new. `kind` `edit`, `delete`
    and `reaction` are about the message `replaces` (null while that is not known): an edited one shows its latest
    words, with `edited_at`; a deleted one (`deleted_at`) and its edits have none left, and no files. `automatic`: no
    person wrote it."""

    id: str
    ticket_id: str
    direction: Literal["in", "out", "note"]
    kind: MessageKind
    replaces: str | None
    automatic: Automatic | None
    author: AuthorShape
    text: str
    reply_text: str | None
    html: str | None
    attachments: list[FileShape]
    delivery: Literal["queued", "sent", "delivered", "failed"] | None
    occurred_at: datetime
    received_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class PresenceShape(BaseModel):
    """An agent's presence; `channels` null means all; `in_hand` counts tickets by channel."""

    state: PresenceState
    set_by: SetBy
    reason: str | None
    channels: list[str] | None
    in_hand: dict[str, int]


class AgentShape(PresenceShape):
    """An agent: presence, load and capacity in units, `occupancy` the share of the capacity that is taken now (above 1
    after a supervisor's override), `handle_seconds` how long their tickets take lately (null before the first)."""

    agent: str
    name: str | None
    load: int
    capacity: int
    occupancy: float
    handle_seconds: float | None
    held: bool
    held_until: datetime | None
    state_since: datetime


class SessionShape(BaseModel):
    session: str
    lease_until: datetime


class MeShape(AgentShape):
    """The caller as an agent, with the app sessions whose leases live."""

    sessions: list[SessionShape]


TICKET_COLUMNS = """
    {t}.id, {t}.version, {t}.state, {t}.waiting_on, {t}.outcome, {t}.channel, {t}.connector, {t}.subject,
    {t}.customer_id, {t}.customer_name, {t}.customer_tier, {t}.category, {t}.priority, {t}.boost, {t}.language,
    {t}.tags, {t}.queue, {t}.requires, {t}.prefers, {t}.agent, {t}.opened_at, {t}.waiting_since,
    {t}.escalated_at, {t}.resolved_at, {t}.last_message_id, {t}.follow_up_of, {t}.merged_into, {t}.wrap_up_until,
    {t}.held, {t}.config_version
""".strip()

_CUSTOMER = ("customer_id", "customer_name", "customer_tier")
_TICKET_FIELDS = tuple(name for name in TicketShape.model_fields if name != "customer")

AGENT_COLUMNS = """
    agent, name, state, set_by, reason, channels, load, capacity, in_hand, held, held_until, state_since,
    handle_seconds, round(load::numeric / greatest(capacity, 1), 4)::float8 AS occupancy
""".strip()


def ticket_columns(table: str) -> str:
    """The columns of a ticket's shape, of the table by its alias."""
    return TICKET_COLUMNS.replace("{t}", table)


def ticket_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    shape = {name: row[name] for name in _TICKET_FIELDS}
    shape["customer"] = {name.removeprefix("customer_"): row[name] for name in _CUSTOMER}
    return shape


def offer_shape(row: Mapping[str, Any], now: Instant) -> dict[str, Any]:
    """Of a row with the ticket's columns, and the offer's under `offer_…`."""
    left = (row["offer_expires_at"] - now).total_seconds() if row["offer_state"] == "pending" else 0.0
    return {
        "id": row["offer_id"],
        "ticket": ticket_shape(row),
        "agent": row["offer_agent"],
        "state": row["offer_state"],
        "reason": row["offer_reason"],
        "weight": row["offer_weight"],
        "offered_at": row["offer_offered_at"],
        "expires_at": row["offer_expires_at"],
        "expires_in_seconds": round(max(0.0, left), 3),
    }


def message_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row of `message`, with `settled`: what became of its files that were fetched, by their ids."""
    shape = {name: row[name] for name in MessageShape.model_fields if name != "author"}
    settled = row["settled"] or {}
    shape["attachments"] = [each | settled.get(each.get("attachment_id"), {}) for each in row["attachments"]]
    shape["author"] = {"kind": row["author_kind"], "id": row["author_id"], "name": row["author_name"]}
    return shape


def agent_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in AgentShape.model_fields}


def presence_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in PresenceShape.model_fields}
