"""Messages in our own JSON (`POST /messages`, a signed webhook of ours) as parsed messages. Pure."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from pointsman.core.instant import Instant
from pointsman.runtime.http.problems import Problem, invalid
from pointsman_intake.connectors import JSON_KINDS, Connector
from pointsman_intake.model import Inbound, Person, canonical
from pointsman_intake.normalise import normalise
from pointsman_intake.parsed import File, ParsedMessage
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
    if message.routing is not None and not connector.hints:
        raise Problem(422, "hints-not-allowed", f"{message.connector} has no `hints: true`: leave out `routing`")
    files = tuple(_file(attachment, place) for place, attachment in enumerate(message.attachments))
    try:
        if message.metadata and len(canonical(message.metadata)) > METADATA_BYTES_MAX:
            raise invalid([_METADATA_TOO_LARGE])
        return normalise(_parsed(message, files), workspace, message.connector, connector, at)
    except ValueError as error:
        raise Problem(422, "invalid-request", str(error)) from error


def _parsed(message: MessageIn, files: tuple[File, ...]) -> ParsedMessage:
    person = NOBODY
    if (given := message.customer) is not None:
        person = Person(given.id, given.name, given.email, given.phone, given.handle, given.language, given.tier)
    author = message.author
    return ParsedMessage(
        external_id=message.external_id,
        thread=message.thread or message.external_id,
        person=person,
        text=message.text or "",
        kind=message.kind,
        occurred_at=message.occurred_at,
        replaces=message.replaces,
        subject=" ".join(message.subject.split()) if message.subject else None,
        html=message.html,
        to=message.to,
        cc=message.cc,
        files=files,
        metadata=message.metadata,
        hints=None if message.routing is None else message.routing.model_dump(exclude_unset=True),
        author_kind=author.kind if author else "customer",
        author_id=_author_id(message),
        as_given=_as_given(message),
    )


def _as_given(message: MessageIn) -> dict[str, Any]:
    """What tells a repeat from another message beside what is kept: all that was said, not where we cut or clamp it."""
    given: dict[str, Any] = {"thread": message.thread}
    if message.occurred_at is not None:
        given["occurred_at"] = message.occurred_at
    if message.attachments:
        given["attachments"] = [attachment.model_dump() for attachment in message.attachments]
    return given


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


def _author_id(message: MessageIn) -> str | None:
    author = message.author
    if author is None or author.kind == "customer":
        return None
    return author.agent or message.connector


def _file(attachment: AttachmentIn, place: int) -> File:
    _check(attachment, place)
    content = None
    if attachment.content_base64 is not None:
        try:
            content = base64.b64decode(attachment.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _bad(place, "content_base64", f"is not base64: {error}") from error
    return File(
        name=attachment.name,
        content_type=attachment.content_type,
        url=attachment.url,
        content=content,
        attachment_id=attachment.attachment_id,
    )


def _check(attachment: AttachmentIn, place: int) -> None:
    given = [name for name in ("attachment_id", "content_base64", "url") if getattr(attachment, name) is not None]
    if len(given) != 1:
        raise _bad(place, "", "exactly one of attachment_id, content_base64 and url is needed")


def _bad(place: int, field: str, detail: str) -> Problem:
    pointer = f"/attachments/{place}" + (f"/{field}" if field else "")
    return invalid([{"pointer": pointer, "detail": detail}])
