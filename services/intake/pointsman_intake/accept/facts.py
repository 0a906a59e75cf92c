"""The body of `message.received`, built as JSON-ready data: the hot path makes no model of it."""

from dataclasses import dataclass
from typing import Any

from pointsman.contracts.codec import dump
from pointsman_intake.accept.gather import Known
from pointsman_intake.model import Inbound


@dataclass(frozen=True, slots=True)
class Ready:
    """A fact whose wire form is already made. What it says is checked against the contract by the tests."""

    type: str
    data: dict[str, Any]

    def wire(self) -> dict[str, Any]:
        return self.data

    def wire_json(self) -> bytes:
        return dump(self.data)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message went: its ticket, and its number in the thread; and our id of the message that it is about."""

    message_id: str
    ticket_id: str
    thread: str
    thread_number: int
    opens: bool
    follow_up_of: str | None
    replaces_id: str | None = None


def message_received(message: Inbound, place: Place, customer: Known) -> Ready:
    """`message.received` of a message in its place, from its customer as known now."""
    person = message.person
    seen: dict[str, Any] = {"id": customer.id}
    for name, value in (
        ("name", customer.name or person.name),
        ("email", person.email),
        ("handle", person.handle),
        ("language", customer.language),
        ("tier", customer.tier),
        ("organization", customer.organization),
        ("owner", customer.owner),
    ):
        if value:
            seen[name] = value
    author = {"kind": message.author_kind, "id": message.author_id or customer.id}
    if message.author_kind == "customer" and "name" in seen:
        author["name"] = seen["name"]
    data = {
        "type": "message.received",
        "version": 1,
        "message_id": place.message_id,
        "ticket_id": place.ticket_id,
        "thread_number": place.thread_number,
        "opens": place.opens,
        "connector": message.connector,
        "channel": message.channel,
        "external_id": message.external_id,
        "thread": place.thread,
        "author": author,
        "customer": seen,
        "received_at": message.received_at,
        **message.content,
    }
    if "occurred_at" not in data:
        data["occurred_at"] = message.received_at
    if place.replaces_id is not None:
        data["replaces_id"] = place.replaces_id
    if place.opens and place.follow_up_of:
        data["follow_up_of"] = place.follow_up_of
    return Ready("message.received", data)
