"""What messages name must be there, or they are refused (422): attachments by their ids, and agents as authors."""

from collections.abc import Iterable, Sequence
from typing import Any

from pointsman.runtime.http.problems import Problem, invalid
from pointsman.runtime.logic import Database
from pointsman_intake.gate import Gate
from pointsman_intake.model import Inbound

_KNOWN = """
SELECT id, name, content_type, size FROM attachment a
WHERE workspace = $1 AND id = ANY ($2::text[]) AND (connector = $3 OR EXISTS (
    SELECT FROM carried c WHERE c.workspace = $1 AND c.attachment_id = a.id AND c.connector = $3))
"""


def names_something(message: Inbound) -> bool:
    """Whether it has to be looked up: most messages have not."""
    return message.author_kind == "agent" or bool(message.content.get("attachments"))


async def look_up(gate: Gate, messages: Sequence[Inbound]) -> list[Problem | None]:
    """Says in each message's references what the attachments are that they name; the refusal of those that name one
    which is unknown to their connector (neither brought by it nor carried by its replies), or an agent that the
    workspace does not have. All are of one connector."""
    errors = await _files(gate.process.pool, messages)
    authors = {(one.workspace, str(one.author_id)) for one in messages if one.author_kind == "agent"}
    strangers = {author for author in authors if not await gate.book.knows_agent(*author)}
    for message, found in zip(messages, errors, strict=True):
        if message.author_kind == "agent" and (message.workspace, message.author_id) in strangers:
            found.append({"pointer": "/author/agent", "detail": f"there is no agent {message.author_id}"})
    return [invalid(found) if found else None for found in errors]


async def refuse_absent(gate: Gate, messages: Sequence[Inbound]) -> None:
    """The same for messages that are taken or refused together. Raises `Problem` 422."""
    for refusal in await look_up(gate, messages):
        if refusal is not None:
            raise refusal


async def _files(db: Database, messages: Sequence[Inbound]) -> list[list[dict[str, str]]]:
    """The errors of each message's attachments."""
    cited = [list(_cited(message)) for message in messages]
    ids = {reference["attachment_id"] for references in cited for _, reference in references}
    if not ids:
        return [[] for _ in messages]
    first = messages[0]
    rows = await db.fetch(_KNOWN, first.workspace, sorted(ids), first.connector)
    known = {row["id"]: {name: row[name] for name in ("name", "content_type", "size") if row[name]} for row in rows}
    return [_filled_in(references, known) for references in cited]


def _cited(message: Inbound) -> Iterable[tuple[int, dict[str, Any]]]:
    """(place, reference) of what came neither with the message nor is fetched for it."""
    own = {file.attachment_id for file in message.files}
    for place, reference in enumerate(message.content.get("attachments", ())):
        if reference.get("attachment_id", None) not in own | {None}:
            yield place, reference


def _filled_in(references: Sequence[tuple[int, dict[str, Any]]], known: dict[str, Any]) -> list[dict[str, str]]:
    errors = []
    for place, reference in references:
        if (found := known.get(reference["attachment_id"])) is None:
            pointer = f"/attachments/{place}/attachment_id"
            errors.append({"pointer": pointer, "detail": "there is no such attachment"})
        else:
            reference |= found | reference
    return errors
