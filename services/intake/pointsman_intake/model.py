"""What intake understood of a call, before the database is asked: frozen values without a ticket or a customer id.

An `Arrival` is one HTTP call (or one replayed quarantine row): its raw bytes, and the messages, signals and delivery
reports that were read out of them. It is the unit that a group commit accepts or refuses as a whole.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from pointsman.contracts.shapes import identities_of
from pointsman.core.instant import Instant

TEXT_BYTES_MAX = 65_536
HTML_BYTES_MAX = 131_072

SignalKind = Literal["left", "returned", "ended", "typing"]
ReportState = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as the connector named them."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    handle: str | None = None
    language: str | None = None
    tier: str | None = None

    def identities(self, connector: str) -> tuple[tuple[str, str, str], ...]:
        """See `identities_of`."""
        return identities_of(connector, self.id, self.email, self.phone, self.handle)


@dataclass(frozen=True, slots=True)
class Bounced:
    """What a delivery report says: whether the mail will not arrive (`failed`; else it is late or did arrive), the
    Message-IDs that it names, the nearest first, the recipients, and the reason in words."""

    failed: bool
    references: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewFile:
    """An attachment that is stored with the message under `attachment_id`: its bytes, or to be fetched from `url`."""

    attachment_id: str
    name: str | None
    content_type: str | None
    content: bytes | None = None
    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as understood. `content` holds those fields of `message.received` that need no database, as JSON
    values; `reference` is what later messages cite (a Message-ID), `cites` what this one cites, the nearest first.
    `joins_only`: it is dropped when its conversation is not known (a reaction to something older than we are).
    `bounced`: it is a delivery report, and goes on the conversation of the reply that it is about.
    `hooked`: a webhook brought it, and webhooks overtake each other. `names`: all names of its conversation, of which
    `thread` is the first; then its author's identities are one person's, proved.
    `joins_by_part`: it joins what it cites only as one who takes part (a mail; pointsman_intake.accept.threads).
    `earlier_id`: it is a repeat of the message with this external id, too. `ranks`: its connector may
    change the tier of a customer who has one."""

    workspace: str
    connector: str
    channel: str
    external_id: str
    thread: str
    person: Person
    content: dict[str, Any]
    received_at: Instant
    author_kind: str = "customer"
    author_id: str | None = None
    body_hash: str = ""
    reference: str | None = None
    cites: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    earlier_id: str | None = None
    joins_only: bool = False
    joins_by_part: bool = False
    bounced: Bounced | None = None
    hooked: bool = False
    names: tuple[str, ...] = ()
    ranks: bool = False
    identities: tuple[tuple[str, str, str], ...] = field(init=False)

    @property
    def replaces(self) -> str | None:
        """The external id of the message that this one is about, if it is about one."""
        return self.content.get("replaces")

    @property
    def deletes(self) -> str | None:
        """The external id of the message that is gone by this one."""
        return self.replaces if self.content.get("kind") == "delete" else None

    def __post_init__(self) -> None:
        object.__setattr__(self, "identities", self.person.identities(self.connector))


@dataclass(frozen=True, slots=True)
class Signal:
    """Something about a conversation that is no message."""

    workspace: str
    connector: str
    thread: str
    kind: SignalKind
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a reply, by our id or by the provider's. `thread` is the conversation the provider gave it."""

    workspace: str
    connector: str
    state: ReportState
    message_id: str | None = None
    external_id: str | None = None
    thread: str | None = None
    reason: str | None = None
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file was fetched and its bytes are in their row; or it cannot be had, for this `reason`."""

    workspace: str
    attachment_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes as they came, with the headers that matter for understanding them again."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call. `token` is the provider's id of the request, remembered against replays; `quarantine_id` is the row
    that this call closes when it is a replay."""

    workspace: str
    connector: str
    at: Instant
    raw: Raw | None = None
    messages: tuple[Inbound, ...] = ()
    signals: tuple[Signal, ...] = ()
    reports: tuple[Report, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    token: str | None = None
    quarantine_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where a message went. `differs`: it was there before, with another content (the first is kept)."""

    message_id: str
    ticket_id: str
    duplicate: bool
    differs: bool = False

    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "message_id": self.message_id,
            "ticket_id": self.ticket_id,
            "duplicate": self.duplicate,
        }
        if self.differs:
            answer["differs"] = True
        return answer


@dataclass(frozen=True, slots=True)
class Reported:
    """Whether a report found its reply, and the state that the reply has now."""

    found: bool
    message_id: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an arrival, in the order of its messages (None: not taken, as it had no conversation to join),
    signals (the ticket, if any) and reports."""

    messages: tuple[Accepted | None, ...] = ()
    signals: tuple[str | None, ...] = ()
    reports: tuple[Reported, ...] = ()
    replayed: bool = False


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def canonical(said: object) -> bytes:
    """JSON with sorted keys. Raises `ValueError` for what PostgreSQL or a reader could not take (NUL, huge numbers)."""
    try:
        encoded = orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    except TypeError as error:
        raise ValueError(f"a value cannot be kept: {error}") from error
    if b"\\u0000" in encoded and _NUL.search(encoded):
        raise ValueError("a text has a NUL character")
    return encoded


def cut(text: str, bytes_max: int = TEXT_BYTES_MAX) -> tuple[str, bool]:
    """The text in at most `bytes_max` bytes of UTF-8, ending at a character, and whether it was cut."""
    if len(text) * 4 <= bytes_max:
        return text, False
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= bytes_max:
        return text, False
    return encoded[:bytes_max].decode("utf-8", "ignore"), True
