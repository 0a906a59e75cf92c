"""From what a connector said to what intake understood: checked shapes in, `Inbound` values out. Pure."""

import base64
import binascii
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from pointsman.core.ids import derived_id, digest_of
from pointsman.core.instant import Instant
from pointsman.runtime.http.problems import Problem, invalid
from pointsman_intake.attached import to_fetch
from pointsman_intake.connectors import JSON_KINDS, Connector
from pointsman_intake.model import HTML_BYTES_MAX, Inbound, NewFile, Person, canonical, cut
from pointsman_intake.shapes import AttachmentIn, MessageIn

NOBODY = Person()
METADATA_BYTES_MAX = 32_768
_METADATA_TOO_LARGE = {"pointer": "/metadata", "detail": f"takes more than {METADATA_BYTES_MAX} bytes as JSON"}


def inbound(message: MessageIn, workspace: str, connector: Connector, at: Instant) -> Inbound:
    """The message as it will be stored and told. Raises `Problem` 422 when its connector may not say this."""
    if connector.kind not in JSON_KINDS:
        raise Problem(
            422, "wrong-connector-kind", f"{message.connector} is of kind {connector.kind}: it takes no messages here"
        )
    if errors := list(_missing(message)):
        raise invalid(errors)
    content = _said(message)
    if message.routing is not None:
        if not connector.hints:
            raise Problem(422, "hints-not-allowed", f"{message.connector} has no `hints: true`: leave out `routing`")
        content["hints"] = message.routing.model_dump(exclude_unset=True)
    if message.occurred_at is not None:
        content["occurred_at"] = min(message.occurred_at, at)
    files: tuple[NewFile, ...] = ()
    if message.attachments:
        content["attachments"], files = _attachments(message, workspace, at)
    person = NOBODY
    if message.customer is not None:
        given = message.customer
        person = Person(given.id, given.name, given.email, given.phone, given.handle, given.language, given.tier)
    author = message.author
    return Inbound(
        workspace=workspace,
        connector=message.connector,
        channel=connector.channel,
        external_id=message.external_id,
        thread=message.thread or message.external_id,
        person=person,
        content=content,
        received_at=at,
        author_kind=author.kind if author else "customer",
        author_id=_author_id(message),
        body_hash=_hash(message, content, person),
        files=files,
        ranks=connector.ranks_customers,
    )


ABOUT_ANOTHER = frozenset({"edit", "delete", "reaction"})
_BLANK = " \t\r\n\u200b\u200c\u200d\u2060\ufeff"


def _missing(message: MessageIn) -> Iterator[dict[str, str]]:
    """What the message needs and does not have: without it nobody could do anything with it."""
    if message.kind in ABOUT_ANOTHER and message.replaces is None:
        yield {"pointer": "/replaces", "detail": f"a message of kind {message.kind} is about another one: name it"}
    if message.kind not in ("delete", "reaction") and not _says_something(message):
        yield {"pointer": "/text", "detail": "the message says nothing: no text, no html, no subject, no attachment"}
    author = message.author
    if author is not None and author.kind == "agent" and author.agent is None:
        yield {"pointer": "/author/agent", "detail": "an author of kind agent is named by its slug"}


def _says_something(message: MessageIn) -> bool:
    said = (message.text, message.html, message.subject)
    return bool(message.attachments) or any(text and text.strip().strip(_BLANK) for text in said)


def _said(message: MessageIn) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if message.text:
        content["text"], truncated = cut(message.text)
        if truncated:
            content["truncated"] = True
    if message.html:
        if cut(message.html, HTML_BYTES_MAX)[1]:
            content["truncated"] = True
        else:
            content["html"] = message.html
    if message.kind != "message":
        content["kind"] = message.kind
    if message.subject:
        content["subject"] = " ".join(message.subject.split())
    for name in ("replaces", "to", "cc", "metadata"):
        if value := getattr(message, name):
            content[name] = value
    return content


def _hash(message: MessageIn, content: dict[str, Any], person: Person) -> str:
    """What tells a repeat from another message: all that was said, but not where we cut or clamped it."""
    said = {name: value for name, value in content.items() if name not in ("occurred_at", "attachments")}
    if message.occurred_at is not None:
        said["occurred_at"] = message.occurred_at
    if message.attachments:
        said["attachments"] = [attachment.model_dump() for attachment in message.attachments]
    if "truncated" in content:
        said["text"], said["html"] = message.text or "", message.html or ""
    try:
        if message.metadata and len(canonical(message.metadata)) > METADATA_BYTES_MAX:
            raise invalid([_METADATA_TOO_LARGE])
        return digest_of(canonical((said, message.thread, person)))
    except ValueError as error:
        raise Problem(422, "invalid-request", str(error)) from error


def _author_id(message: MessageIn) -> str | None:
    author = message.author
    if author is None or author.kind == "customer":
        return None
    return author.agent or message.connector


def _attachments(message: MessageIn, workspace: str, at: Instant) -> tuple[list[dict[str, Any]], tuple[NewFile, ...]]:
    """References for the record, and the files that came with the message or are fetched after it."""
    references, files = [], []
    for place, attachment in enumerate(message.attachments):
        _check(attachment, place)
        reference = attachment.model_dump(exclude_none=True, exclude={"content_base64"})
        if attachment.content_base64 is not None:
            try:
                content = base64.b64decode(attachment.content_base64, validate=True)
            except (binascii.Error, ValueError) as error:
                raise _bad(place, "content_base64", f"is not base64: {error}") from error
            id = derived_id("att", at, workspace, message.connector, message.external_id, place)
            digest = sha256(content).hexdigest()
            files.append(NewFile(id, attachment.name, attachment.content_type, content, digest))
            reference |= {"attachment_id": id, "size": len(content)}
        elif attachment.url is not None:
            file = to_fetch(derived_id("att", at, workspace, message.connector, message.external_id, place), reference)
            files.append(file)
        references.append(reference)
    return references, tuple(files)


def _check(attachment: AttachmentIn, place: int) -> None:
    given = [name for name in ("attachment_id", "content_base64", "url") if getattr(attachment, name) is not None]
    if len(given) != 1:
        raise _bad(place, "", "exactly one of attachment_id, content_base64 and url is needed")


def _bad(place: int, field: str, detail: str) -> Problem:
    pointer = f"/attachments/{place}" + (f"/{field}" if field else "")
    return invalid([{"pointer": pointer, "detail": detail}])
