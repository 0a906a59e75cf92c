"""The workspace document as a request brings it and as routing keeps it.

A mistake in it is a `Problem` 422 `invalid-document` that names the place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from pointsman.contracts.document import Document, DocumentError, DocumentErrors, Written, read_plain
from pointsman.contracts.document.change import UnknownEntry, UnknownSection
from pointsman.contracts.document.errors import pointer_of
from pointsman.contracts.document.needed import secrets_needed
from pointsman.contracts.document.parts import DOCUMENT_BYTES_MAX
from pointsman.contracts.document.vetting import vetted
from pointsman.runtime.auth import EVERY_WORKSPACE, Caller
from pointsman.runtime.http.problems import Problem, not_found


async def written_of(request: Request, *, patch: bool = False) -> Written:
    """The body as plain values, with its lines: a document or an entry, or a merge patch. Raises `Problem` 400, 413,
    415, 422."""
    raw = await request.body()
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise Problem(413, "body-too-large", f"a document has at most {DOCUMENT_BYTES_MAX} bytes")
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if patch and kind not in ("application/json", "application/merge-patch+json"):
        raise Problem(415, "unsupported-media-type", "a patch is application/merge-patch+json or application/json")
    yaml = kind in ("application/yaml", "application/x-yaml", "text/yaml")
    if not yaml and not patch and kind != "application/json":
        raise Problem(415, "unsupported-media-type", "a document is application/json or application/yaml")
    try:
        return await run_in_threadpool(read_plain, raw, format="yaml" if yaml else "json")
    except DocumentErrors as errors:
        raise invalid([error.plain() for error in errors.errors]) from errors


@dataclass(slots=True)
class Change:
    """A document as a call brings it, and what beside it is wrong (`mistakes`): all is told at once. `moves`: where
    tickets of what it deletes go."""

    written: Written
    moves: dict[str, Any] | None = None
    mistakes: list[DocumentError] = field(default_factory=list)


async def checked(
    request: Request, change: Change, *, standing: Mapping[str, Any] | None = None, expand: bool = True
) -> tuple[Document, Written]:
    """(the document, as a version keeps it): with its public holidays and iCal files as dates where `expand`. Raises
    `Problem` 422 with every mistake. `standing`: the version that is changed, whose kinds are let be."""
    year = request.app.state.process.clock.now().year if expand else None
    return await run_in_threadpool(_vetted, change, year, standing)


def _vetted(change: Change, year: int | None, standing: Mapping[str, Any] | None) -> tuple[Document, Written]:
    try:
        return vetted(change.written, year=year, standing=standing, also=change.mistakes)
    except DocumentErrors as errors:
        raise invalid([error.plain() for error in errors.errors]) from errors


async def unset_here(request: Request, workspace: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The secrets that routing itself is to use by this document and that are not set; the others answer for theirs
    (`GET /v1/secrets/unset`)."""
    named = [one for one in secrets_needed(document) if one.service == "routing"]
    missing = await request.app.state.process.secrets.unset(workspace, [one.name for one in named])
    return [one.plain() for one in named if one.name in missing]


async def stored(request: Request, workspace: str, version: int | None = None) -> tuple[int, dict[str, Any]]:
    """(version, document): that version, or the newest. Raises `Problem` 404."""
    row = await request.app.state.process.pool.fetchrow(
        """
        SELECT version, document FROM config_version
        WHERE workspace = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT 1
        """,
        workspace,
        version,
    )
    if row is None:
        raise not_found("version" if version else "workspace")
    return row["version"], row["document"]


async def config_version_of(pool: Any, workspace: str) -> int | None:
    """The version that routing has, for `GET /v1/config-version`."""
    found: int | None = await pool.fetchval("SELECT config_version FROM workspace WHERE workspace = $1", workspace)
    return found


def change_of(written: Written) -> Change:
    """The change that a body says: the document, and the member `moves` that it may have beside the document's keys."""
    if not isinstance(written.value, dict) or "moves" not in written.value:
        return Change(written)
    rest = {name: value for name, value in written.value.items() if name != "moves"}
    given = written.value["moves"]
    mistakes = [DocumentError(pointer_of(path), detail, written.line_of(path)) for path, detail in wrong_moves(given)]
    return Change(Written(rest, written.marks, written.text), None if mistakes else given, mistakes)


def moves_of(given: Any) -> dict[str, Any] | None:
    """Where tickets of what is deleted go, as a change says it. Raises `Problem` 422 for what is no such thing."""
    mistakes = [DocumentError(pointer_of(path), detail) for path, detail in wrong_moves(given)]
    if mistakes:
        raise invalid([mistake.plain() for mistake in mistakes])
    moves: dict[str, Any] | None = given
    return moves


def wrong_moves(given: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, detail) of what in the member `moves` says nothing of where tickets go."""
    if given is not None and not isinstance(given, dict):
        yield ("moves",), "is not a mapping of agents and queues"
        return
    for section, moves in (given or {}).items():
        if section not in ("agents", "queues"):
            yield ("moves", section), "only agents and queues hold tickets"
        elif not isinstance(moves, dict):
            yield ("moves", section), "is not a mapping of slugs"
        else:
            for slug, to in moves.items():
                if detail := _wrong_move(section, to):
                    yield ("moves", section, slug), detail


def _wrong_move(section: str, to: Any) -> str | None:
    if section == "agents":
        return None if to == "requeue" else "an agent's tickets can only be requeued: `requeue`"
    return None if isinstance(to, str) else "is no queue"


def for_document(caller: Caller, change: Change) -> Caller:
    """The caller in the document's workspace: an operator is there by naming it. One who names another workspace than
    their own makes a mistake like others."""
    document = change.written.value
    named = document.get("workspace") if isinstance(document, dict) else None
    if caller.workspace == EVERY_WORKSPACE:
        # One that names none is refused for that, and nothing is asked in its name.
        return Caller(str(named), caller.role, caller.sub, caller.token_id, caller.expires_at)
    if isinstance(named, str) and named != caller.workspace:
        path = ("workspace",)
        detail = f"this is the document of {caller.workspace}"
        change.mistakes.append(DocumentError(pointer_of(path), detail, change.written.line_of(path)))
    return caller


def invalid(errors: list[dict[str, Any]]) -> Problem:
    return Problem(422, "invalid-document", "", errors)


@contextmanager
def known_place() -> Iterator[None]:
    """Unknown sections and entries are 404."""
    try:
        yield
    except (UnknownSection, UnknownEntry) as error:
        raise not_found("section" if isinstance(error, UnknownSection) else "entry") from error
