"""The workspace document as a request brings it and as routing keeps it.

A mistake in it is a `Problem` 422 `invalid-document` that names the place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from pointsman.contracts.document import Document, DocumentErrors, Written, read_document, read_plain
from pointsman.contracts.document.change import UnknownEntry, UnknownSection
from pointsman.contracts.document.expansion import expanded
from pointsman.contracts.document.inactive import escaped
from pointsman.contracts.document.parts import DOCUMENT_BYTES_MAX
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


async def checked(written: Written) -> Document:
    """The document. Raises `Problem` 422 with every mistake."""
    try:
        return await run_in_threadpool(read_document, written)
    except DocumentErrors as errors:
        raise invalid([error.plain() for error in errors.errors]) from errors


async def with_dates(request: Request, written: Written, document: Document) -> Written:
    """The document with its public holidays and iCal files as dates. Raises `Problem` 422 for a country that nobody
    knows and a file that is none."""
    year = request.app.state.process.clock.now().year
    try:
        return await run_in_threadpool(expanded, written, document, year)
    except DocumentErrors as errors:
        raise invalid([error.plain() for error in errors.errors]) from errors


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


def with_moves_apart(written: Written) -> tuple[Written, Any]:
    """The document without the member `moves` that a change may have beside it. Raises `Problem` 422."""
    if not isinstance(written.value, dict) or "moves" not in written.value:
        return written, None
    rest = {name: value for name, value in written.value.items() if name != "moves"}
    return Written(rest, written.marks, written.text), moves_of(written.value["moves"])


def moves_of(given: Any) -> dict[str, Any] | None:
    """Where tickets of what is deleted go, as a change says it. Raises `Problem` 422 for what is no such thing."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise invalid([{"pointer": "/moves", "detail": "is not a mapping of agents and queues"}])
    errors = []
    for section, moves in given.items():
        if section not in ("agents", "queues"):
            errors.append({"pointer": f"/moves/{escaped(section)}", "detail": "only agents and queues hold tickets"})
        elif not isinstance(moves, dict):
            errors.append({"pointer": f"/moves/{section}", "detail": "is not a mapping of slugs"})
        else:
            errors += [
                {"pointer": f"/moves/{section}/{escaped(slug)}", "detail": detail}
                for slug, to in moves.items()
                if (detail := _wrong_move(section, to))
            ]
    if errors:
        raise invalid(errors)
    return given


def _wrong_move(section: str, to: Any) -> str | None:
    if section == "agents":
        return None if to == "requeue" else "an agent's tickets can only be requeued: `requeue`"
    return None if isinstance(to, str) else "is no queue"


def for_document(caller: Caller, document: Any) -> Caller:
    """The caller in the document's workspace: an operator is there by naming it."""
    named = document.get("workspace") if isinstance(document, dict) else None
    if caller.workspace == EVERY_WORKSPACE:
        if not isinstance(named, str):
            raise invalid([{"pointer": "/workspace", "detail": "is required"}])
        return Caller(named, caller.role, caller.sub, caller.token_id, caller.expires_at)
    if isinstance(named, str) and named != caller.workspace:
        raise invalid([{"pointer": "/workspace", "detail": f"this is the document of {caller.workspace}"}])
    return caller


def invalid(errors: list[dict[str, Any]]) -> Problem:
    return Problem(422, "invalid-document", "the document has mistakes", errors)


@contextmanager
def known_place() -> Iterator[None]:
    """Unknown sections and entries are 404."""
    try:
        yield
    except (UnknownSection, UnknownEntry) as error:
        raise not_found("section" if isinstance(error, UnknownSection) else "entry") from error
