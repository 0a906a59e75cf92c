"""A message as a provider said it, before it belongs to a workspace: what every parser makes."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from pointsman.contracts.shapes import Automatic
from pointsman.core.ids import derived_id, digest_of
from pointsman.core.instant import Instant
from pointsman_intake.attached import to_fetch
from pointsman_intake.connectors import EMAIL_KINDS, SLACK_KINDS, Connector
from pointsman_intake.model import (
    HTML_BYTES_MAX,
    Bounced,
    Inbound,
    NewFile,
    Person,
    Report,
    canonical,
    cut,
)

Kind = Literal["message", "edit", "delete", "reaction", "comment", "review"]


@dataclass(frozen=True, slots=True)
class File:
    """Something attached: with its `content`, or by the provider's `url`."""

    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    url: str | None = None
    content: bytes | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `joins_only`: it makes sense only on a conversation that is known (a reaction, a deletion).

    `reference` is the id by which others cite it, `cites` the ids that it cites, the nearest first. `automatic`: no
    person wrote it; `unanswerable`: a person may have, and no automatic reply answers it. `bounced`: what it says as a
    delivery report. `names`: all that the provider calls its conversation by, and then its author is one person.
    `truncated`: the bytes have more than was read. `unnamed`: it came without an id of its own, and what stands for one
    was made of what it says.
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
class Read:
    """What was in one webhook. `token` is the provider's id of the request; `reply` an answer that it waits for."""

    messages: tuple[Said, ...] = ()
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


def as_inbound(said: Said, workspace: str, slug: str, connector: Connector, at: Instant) -> Inbound:
    """The message in its workspace, as it will be stored and told. It can be kept (pointsman_intake.keeping)."""
    said, earlier_id = _named(said, at)
    content: dict[str, Any] = {}
    text, cut_here = cut(said.text)
    truncated = said.truncated or cut_here
    if text:
        content["text"] = text
    if said.reply_text is not None:
        content["reply_text"] = cut(said.reply_text)[0]
    if said.html:
        if cut(said.html, HTML_BYTES_MAX)[1]:
            truncated = True
        else:
            content["html"] = said.html
    if truncated:
        content["truncated"] = True
    for name in ("replaces", "to", "cc", "headers", "automatic", "unanswerable", "metadata"):
        if value := getattr(said, name):
            content[name] = value
    if said.kind != "message":
        content["kind"] = said.kind
    if said.subject:
        content["subject"] = said.subject
    if said.occurred_at is not None:
        content["occurred_at"] = min(said.occurred_at, at)
    references, files = _files(said, workspace, slug, at, fetches=connector.kind not in BEHIND_A_LOGIN)
    if references:
        content["attachments"] = references
    hashed = {name: value for name, value in content.items() if name not in ("occurred_at", "attachments", "headers")}
    digests = [file.sha256 for file in files if file.url is None]
    return Inbound(
        workspace=workspace,
        connector=slug,
        channel=connector.channel,
        external_id=said.external_id[:KEY_LENGTH_MAX],
        earlier_id=earlier_id,
        thread=said.thread[:KEY_LENGTH_MAX],
        person=said.person,
        content=content,
        received_at=at,
        body_hash=digest_of(canonical((hashed, said.person, digests))),
        reference=said.reference[:KEY_LENGTH_MAX] if said.reference else None,
        cites=tuple(cited[:KEY_LENGTH_MAX] for cited in said.cites[:CITES_MAX]),
        files=files,
        joins_only=said.joins_only or said.automatic is not None,
        bounced=said.bounced,
        joins_by_part=connector.kind in EMAIL_KINDS,
        hooked=connector.kind not in EMAIL_KINDS,
        names=tuple(name[:KEY_LENGTH_MAX] for name in said.names),
    )


REMEMBERED_SECONDS = 7 * 86_400
"""What came without an id is a repeat of the same within this time; within twice as long at most."""


def _named(said: Said, at: Instant) -> tuple[Said, str | None]:
    """The message under the id that it has in these days, and the id that it had in those before: what says the same
    weeks later is another one."""
    if not said.unnamed:
        return said, None
    period = int(at.timestamp() // REMEMBERED_SECONDS)
    own = f"{period}.{said.reference}"
    thread = own if said.thread == said.reference else said.thread
    named = replace(said, external_id=f"{said.external_id}~{period}", reference=own, thread=thread)
    return named, f"{said.external_id}~{period - 1}"


KEY_LENGTH_MAX = 512
CITES_MAX = 50


BEHIND_A_LOGIN = SLACK_KINDS
"""Whose files are given only to whoever has signed in: others get the page of the login, as if it were the file."""


def _files(
    said: Said, workspace: str, slug: str, at: Instant, *, fetches: bool
) -> tuple[list[dict[str, Any]], tuple[NewFile, ...]]:
    references, files = [], []
    for place, file in enumerate(said.files):
        known = (("name", file.name), ("content_type", file.content_type), ("size", file.size), ("url", file.url))
        reference: dict[str, Any] = {name: value for name, value in known if value is not None}
        if file.content is not None:
            id = derived_id("att", at, workspace, slug, said.external_id, place)
            digest = file.sha256 or sha256(file.content).hexdigest()
            files.append(NewFile(id, file.name, file.content_type, file.content, digest))
            reference |= {"attachment_id": id, "size": len(file.content)}
        elif fetches and file.url is not None and file.url.startswith(("https://", "http://")):
            files.append(to_fetch(derived_id("att", at, workspace, slug, said.external_id, place), reference))
        references.append(reference)
    return references, tuple(files)
