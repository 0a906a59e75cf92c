"""Small values that several contracts share."""

from typing import Literal

from pointsman.contracts.base import Moment, Value

Channel = Literal["email", "chat", "social"]
Priority = Literal["urgent", "high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("urgent", "high", "normal", "low")
TicketState = Literal["queued", "offered", "assigned", "pending", "snoozed", "resolved", "closed"]
Outcome = Literal["solved", "no_reply_needed", "spam", "duplicate", "abandoned"]
WaitingOn = Literal["customer", "third_party"]
PresenceState = Literal["available", "away", "offline"]
SetBy = Literal["agent", "supervisor", "expiry", "lapse"]
Metric = Literal[
    "first_response", "next_response", "update", "resolution", "requester_wait", "agent_work", "assignment"
]
Severity = Literal["warning", "breach"]
MessageKind = Literal["message", "edit", "delete", "reaction", "comment", "review"]
Automatic = Literal["bounce", "auto_reply", "out_of_office", "list", "notification", "challenge"]


class Actor(Value):
    """Who did it. `id` is a slug or a token's subject; for `system` the rule or timer that acted."""

    kind: Literal["customer", "agent", "supervisor", "bot", "connector", "viewer", "admin", "operator", "system"]
    id: str


SYSTEM = Actor(kind="system", id="pointsman")


class Author(Value):
    """Who wrote a message."""

    kind: Literal["customer", "agent", "bot"]
    id: str
    name: str | None = None


class Customer(Value):
    """The customer as a ticket shows it."""

    id: str
    name: str | None = None
    tier: str | None = None
    organization: str | None = None


EVERYWHERE = ""
"""The place of an identity that says who somebody is on every connector: a mail address, a phone number."""


def identities_of(
    connector: str, id: str | None, email: str | None, phone: str | None, handle: str | None
) -> tuple[tuple[str, str, str], ...]:
    """What decides who a customer is, as (place, kind, value), the most telling first.

    Ids and handles are names at one connector, which is their place: another's `42` is somebody else. Only mail
    addresses ignore case. Intake and routing derive a new customer's id from the first, each for itself: they must
    never differ.
    """
    given = (
        (connector, "id", id),
        (EVERYWHERE, "email", email.lower() if email else email),
        (EVERYWHERE, "phone", phone),
        (connector, "handle", handle),
    )
    return tuple((place, kind, known) for place, kind, value in given if value and (known := value.strip()))


class Recipient(Value):
    """The customer to whom an agent writes first: what the agent knows of them. An id of ours or a connector's, or an
    address that decides who it is."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    handle: str | None = None

    def identities(self, connector: str) -> tuple[tuple[str, str, str], ...]:
        """See `identities_of`."""
        return identities_of(connector, self.id, self.email, self.phone, self.handle)


FileState = Literal["fetching", "kept", "failed"]


class Attachment(Value):
    """A reference to an attachment; the bytes stay with intake. `state` is said of one that was named by its `url`: its
    bytes are fetched after the message came, and `reason` says why they could not be."""

    attachment_id: str | None = None
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    url: str | None = None
    state: FileState | None = None
    reason: str | None = None


class Elsewhere(Value):
    """Into another queue."""

    to: str


class Hints(Value):
    """What a connector with `hints: true` says about routing."""

    queue: str | None = None
    category: str | None = None
    priority: Priority | None = None
    requires: dict[str, int] = {}
    prefers: dict[str, int] = {}
    agent: str | None = None


class Evidence(Value):
    """Why the classifier said so: a rule's id, a phrase of the lexicon, an n-gram."""

    kind: Literal["rule", "phrase", "script", "language_model", "header", "hint", "person", "default"]
    id: str
    says: str


class Interval(Value):
    """A stretch of time; `end` absent while it goes on."""

    start: Moment
    end: Moment | None = None
