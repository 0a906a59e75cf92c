"""A parsed message in its workspace: cut, dated, named, hashed, its files apart. One way for every parser. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pointsman.core.ids import derived_id, digest_of
from pointsman.core.instant import Instant
from pointsman_intake.connectors import EMAIL_KINDS, JSON_KINDS, SLACK_KINDS, Connector
from pointsman_intake.file_names import to_fetch
from pointsman_intake.model import HTML_BYTES_MAX, Inbound, NewFile, canonical, cut
from pointsman_intake.parsed import KEY_LENGTH_MAX, ParsedMessage

CITES_MAX = 50
REMEMBERED_SECONDS = 7 * 86_400
"""What came without an id is a repeat of the same within this time; within twice as long at most."""
BEHIND_A_LOGIN = SLACK_KINDS
"""Whose files are given only to whoever has signed in: others get the page of the login, as if it were the file."""


def normalise(parsed: ParsedMessage, workspace: str, slug: str, connector: Connector, at: Instant) -> Inbound:
    """The message as it will be stored and told. What providers say can be kept (pointsman_intake.storable).

    Raises `ValueError` for what cannot be.
    """
    parsed, earlier_id = _named(parsed, at)
    content = _content(parsed, at)
    references, files = _files(parsed, workspace, slug, at, fetches=connector.kind not in BEHIND_A_LOGIN)
    if references:
        content["attachments"] = references
    return Inbound(
        workspace=workspace,
        connector=slug,
        channel=connector.channel,
        external_id=parsed.external_id[:KEY_LENGTH_MAX],
        earlier_id=earlier_id,
        thread=parsed.thread[:KEY_LENGTH_MAX],
        person=parsed.person,
        content=content,
        received_at=at,
        author_kind=parsed.author_kind,
        author_id=parsed.author_id,
        body_hash=hash_of(parsed, content, files),
        reference=parsed.reference[:KEY_LENGTH_MAX] if parsed.reference else None,
        cites=tuple(cited[:KEY_LENGTH_MAX] for cited in parsed.cites[:CITES_MAX]),
        files=files,
        joins_only=parsed.joins_only or parsed.automatic is not None,
        bounced=parsed.bounced,
        joins_by_part=connector.kind in EMAIL_KINDS,
        hooked=connector.kind not in EMAIL_KINDS | JSON_KINDS,
        names=tuple(name[:KEY_LENGTH_MAX] for name in parsed.names),
        ranks=connector.ranks_customers,
    )


def hash_of(parsed: ParsedMessage, content: Mapping[str, Any], files: tuple[NewFile, ...]) -> str:
    """What tells a repeat from another message under the same id: what is kept of it; or, where its parser gave
    `as_given`, all that was given."""
    kept = {name: value for name, value in content.items() if name not in ("occurred_at", "attachments", "headers")}
    if parsed.as_given is None:
        digests = [file.sha256 for file in files if file.url is None]
        return digest_of(canonical((kept, parsed.person, digests)))
    given = dict(parsed.as_given)
    thread = given.pop("thread")
    if "truncated" in content:
        given |= {"text": parsed.text, "html": parsed.html or ""}
    return digest_of(canonical((kept | given, thread, parsed.person)))


def _content(parsed: ParsedMessage, at: Instant) -> dict[str, Any]:
    """What of the message needs no database, as JSON values."""
    content: dict[str, Any] = {}
    text, cut_here = cut(parsed.text)
    truncated = parsed.truncated or cut_here
    if text:
        content["text"] = text
    if parsed.reply_text is not None:
        content["reply_text"] = cut(parsed.reply_text)[0]
    if parsed.html:
        if cut(parsed.html, HTML_BYTES_MAX)[1]:
            truncated = True
        else:
            content["html"] = parsed.html
    if truncated:
        content["truncated"] = True
    for name in ("replaces", "to", "cc", "headers", "automatic", "unanswerable", "metadata"):
        if value := getattr(parsed, name):
            content[name] = value
    if parsed.kind != "message":
        content["kind"] = parsed.kind
    if parsed.subject:
        content["subject"] = parsed.subject
    if parsed.hints is not None:
        content["hints"] = parsed.hints
    if parsed.occurred_at is not None:
        content["occurred_at"] = min(parsed.occurred_at, at)
    return content


def _named(parsed: ParsedMessage, at: Instant) -> tuple[ParsedMessage, str | None]:
    """The message under the id that it has in these days, and the id that it had in those before: what says the same
    weeks later is another one."""
    if not parsed.unnamed:
        return parsed, None
    period = int(at.timestamp() // REMEMBERED_SECONDS)
    own = f"{period}.{parsed.reference}"
    thread = own if parsed.thread == parsed.reference else parsed.thread
    named = replace(parsed, external_id=f"{parsed.external_id}~{period}", reference=own, thread=thread)
    return named, f"{parsed.external_id}~{period - 1}"


def _files(
    parsed: ParsedMessage, workspace: str, slug: str, at: Instant, *, fetches: bool
) -> tuple[list[dict[str, Any]], tuple[NewFile, ...]]:
    """References for the record, and the files that came with the message or are fetched after it."""
    references, files = [], []
    for place, file in enumerate(parsed.files):
        known = ("attachment_id", "name", "content_type", "size", "url")
        reference: dict[str, Any] = {name: value for name in known if (value := getattr(file, name)) is not None}
        if file.content is not None:
            id = derived_id("att", at, workspace, slug, parsed.external_id, place)
            digest = file.sha256 or sha256(file.content).hexdigest()
            files.append(NewFile(id, file.name, file.content_type, file.content, digest))
            reference |= {"attachment_id": id, "size": len(file.content)}
        elif fetches and file.url is not None and file.url.startswith(("https://", "http://")):
            files.append(to_fetch(derived_id("att", at, workspace, slug, parsed.external_id, place), reference))
        references.append(reference)
    return references, tuple(files)
