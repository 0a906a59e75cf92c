"""A message as its parser read it, before it belongs to a workspace: what every parser makes, and `normalise` takes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pointsman.contracts.shapes import Automatic
from pointsman.core.instant import Instant
from pointsman_intake.model import Bounced, Person, Report

KEY_LENGTH_MAX = 512

Kind = Literal["message", "edit", "delete", "reaction", "comment", "review"]


@dataclass(frozen=True, slots=True)
class File:
    """Something attached: with its `content`, by the provider's `url`, or an attachment that is stored already."""

    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    url: str | None = None
    content: bytes | None = None
    sha256: str | None = None
    attachment_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """One message. `joins_only`: it makes sense only on a conversation that is known (a reaction, a deletion).

    `reference` is the id by which others cite it, `cites` the ids that it cites, the nearest first. `automatic`: no
    person wrote it; `unanswerable`: a person may have, and no automatic reply answers it. `bounced`: what it says as a
    delivery report. `names`: all that the provider calls its conversation by, and then its author is one person.
    `truncated`: the bytes have more than was read. `unnamed`: it came without an id of its own, and what stands for one
    was made of what it says. `author_id` names an author who is no customer. `as_given`: the fields by which a
    repeat is told from another message, where they are not those that are kept (`hash_of`).
    """

    external_id: str
    thread: str
    person: Person
    text: str = ""
    kind: Kind = "message"
    occurred_at: Instant | None = None
    replaces: str | None = None
    subject: str | None = None
    html: str | None = None
    reply_text: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    automatic: Automatic | None = None
    unanswerable: bool = False
    bounced: Bounced | None = None
    reference: str | None = None
    cites: tuple[str, ...] = ()
    joins_only: bool = False
    names: tuple[str, ...] = ()
    truncated: bool = False
    unnamed: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    hints: dict[str, Any] | None = None
    author_kind: str = "customer"
    author_id: str | None = None
    as_given: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something in a webhook that is no message, and why."""

    kind: str
    reason: str


class NotUnderstood(ValueError):
    """The bytes cannot be read as what they claim to be. `reason` is a slug; the text says what is wrong where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unclear:
    """Something in a webhook that looks like a message and cannot be read as one: kept whole, for a person."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedWebhook:
    """What was in one webhook. `token` is the provider's id of the request; `reply` an answer that it waits for."""

    messages: tuple[ParsedMessage, ...] = ()
    reports: tuple[Report, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    token: str | None = None
    reply: dict[str, Any] | None = None

    def not_understood(self) -> NotUnderstood | None:
        """Why the bytes are kept, when something in them looks like a message and cannot be read."""
        if not self.unclear:
            return None
        return NotUnderstood("unclear", "; ".join(f"{one.kind}: {one.reason}" for one in self.unclear[:10]))
