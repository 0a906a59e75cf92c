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


def identities_of(
    id: str | None, email: str | None, phone: str | None, handle: str | None
) -> tuple[tuple[str, str], ...]:
    """What decides who a customer is, as (kind, value), the most telling first; values in lower case.

    Intake and routing derive a new customer's id from the first, each for itself: they must never differ.
    """
    given = (("id", id), ("email", email), ("phone", phone), ("handle", handle))
    return tuple((kind, known) for kind, value in given if value is not None and (known := value.strip().lower()))


class Recipient(Value):
    """The customer to whom an agent writes first: what the agent knows of them. An id of ours or a connector's, or an
    address that decides who it is."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    handle: str | None = None

    def identities(self) -> tuple[tuple[str, str], ...]:
        """See `identities_of`."""
        return identities_of(self.id, self.email, self.phone, self.handle)


class Attachment(Value):
    """A reference to an attachment; the bytes stay with intake."""

    attachment_id: str | None = None
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    url: str | None = None


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
