"""`/v1/config`: the workspace document. It is checked here, with its lines, and ordered by the desk as a command.

`ETag` is the version. A document that names another workspace than the caller's is refused; only an operator, who may
name any, creates a workspace (`If-None-Match: *`). A change that removes an agent or a queue which holds tickets says
what becomes of them by the member `moves` beside the document's own keys.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import ConfigPut
from pointsman.contracts.document import Written
from pointsman.contracts.document.change import diff, entry_of, merge_patched, with_entry, without_entry
from pointsman.contracts.document.schema import document_schema
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, IfMatch, ask, etag_of
from pointsman.runtime.http.json import Json, dump_json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem
from pointsman_routing.api.document import (
    checked,
    for_document,
    invalid,
    known_place,
    stored,
    with_moves_apart,
    written_of,
)

routes = APIRouter(prefix="/v1", tags=["config"])

RACES_MAX = 3
"""How often a change of one entry is made anew when another change came between."""

Reader = Annotated[Caller, Depends(require("admin"))]
Admin = Annotated[Caller, Depends(require("admin"))]
Creator = Annotated[Caller, Depends(require("admin", workspace_optional=True))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
OpenClocks = Annotated[
    Literal["keep", "recompute"] | None, Query(description="What becomes of running clocks whose promise changed.")
]
Reason = Annotated[str | None, Query(max_length=500, description="Kept with the version.")]
IfNoneMatch = Annotated[Literal["*"] | None, Header(alias="If-None-Match")]

_DOCUMENT = {"type": "object", "description": "The workspace document (see /v1/config/schema)."}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": _DOCUMENT} for media_type in ("application/json", "application/yaml")},
    }
}


class Applied(BaseModel):
    """The version that holds now; `inactive` points at keys that are valid and whose feature is not built yet."""

    version: int
    inactive: list[str]


class Difference(BaseModel):
    pointer: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


class Checked(BaseModel):
    """A document without mistakes: what `PUT` would do. `version` is the current one, null when there is none."""

    version: int | None
    inactive: list[str]
    diff: list[Difference]


class Version(BaseModel):
    version: int
    applied_at: datetime
    author: dict[str, Any]
    reason: str | None
    open_clocks: str | None


class Rollback(Body):
    version: Annotated[int, Field(ge=1)]


@routes.get("/config", response_model=dict[str, Any])
async def config(
    request: Request, caller: Reader, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Response:
    """The document as it was given; `ETag` is its version."""
    found, document = await stored(request, caller.workspace, version)
    return Json(document, headers={"ETag": etag_of(found)})


@routes.get("/config/schema", response_model=dict[str, Any])
async def schema() -> Response:
    """The JSON Schema of workspace documents, for editors. No token is needed."""
    return Response(_schema(), media_type="application/json")


@routes.get("/config/versions", response_model=Page[Version])
async def versions(request: Request, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every version, newest first."""
    rows = await request.app.state.process.pool.fetch(
        """
        SELECT version, applied_at, author, reason, open_clocks FROM config_version
        WHERE workspace = $1 AND version < $2 ORDER BY version DESC LIMIT $3
        """,
        caller.workspace,
        decode_cursor(cursor, int)[0] if cursor else 2**31 - 1,
        limit + 1,
    )
    return page_of(rows, limit, dict, lambda row: (row["version"],))


@routes.put("/config", response_model=Applied, openapi_extra=_BODY)
async def put(
    request: Request,
    caller: Creator,
    if_match: IfMatch,
    if_none_match: IfNoneMatch = None,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
) -> Response:
    """Replaces the whole document; JSON, or YAML as `application/yaml`."""
    written, moves = with_moves_apart(await written_of(request))
    caller = for_document(caller, written.value)
    if if_none_match is not None:
        if caller.role != "operator":
            raise Problem(403, "wrong-role", "only an operator creates a workspace")
        expects: int | None = 0
    else:
        expects = _required(request, if_match)
    return await _apply(request, caller, written, expects, open_clocks, reason, moves)


@routes.patch(
    "/config",
    response_model=Applied,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {name: {"schema": _DOCUMENT} for name in ("application/merge-patch+json", "application/json")},
        }
    },
)
async def patch(
    request: Request, caller: Admin, if_match: IfMatch, open_clocks: OpenClocks = None, reason: Reason = None
) -> Response:
    """Merges a patch into the document (RFC 7386): null removes a key."""
    expects = _required(request, if_match)
    changes = (await written_of(request)).value
    if not isinstance(changes, dict):
        raise invalid([{"pointer": "", "detail": "a merge patch is a mapping of keys"}])
    moves = changes.pop("moves", None)
    version, document = await stored(request, caller.workspace)
    if expects is not None and expects != version:
        raise _mismatch(version)
    merged = Written(merge_patched(document, changes), None)
    return await _apply(request, for_document(caller, merged.value), merged, version, open_clocks, reason, moves)


@routes.post("/config:check", response_model=Checked, openapi_extra=_BODY)
async def check(request: Request, caller: Creator) -> Response:
    """Validation, what is inactive, and the differences to the current version, without a change."""
    written, _ = with_moves_apart(await written_of(request))
    caller = for_document(caller, written.value)
    inactive = await checked(written)
    try:
        version, current = await stored(request, caller.workspace)
    except Problem:
        return Json({"version": None, "inactive": inactive, "diff": diff({}, written.value)})
    return Json({"version": version, "inactive": inactive, "diff": diff(current, written.value)})


@routes.post("/config:rollback", response_model=Applied)
async def rollback(
    request: Request,
    caller: Admin,
    body: Rollback,
    key: IdempotencyKey,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
) -> Response:
    """Applies an earlier version's document again, as a new version."""
    current, _ = await stored(request, caller.workspace)
    _, document = await stored(request, caller.workspace, body.version)
    if if_match is not None and if_match != current:
        raise _mismatch(current)
    return await _apply(
        request, caller, Written(document, None), current, open_clocks, f"rollback to {body.version}", None, key
    )


@routes.get("/config/{section}/{slug}", response_model=dict[str, Any] | list[Any] | str)
async def entry(request: Request, caller: Reader, section: str, slug: str) -> Response:
    """One entry of a section, as it was given."""
    version, document = await stored(request, caller.workspace)
    with known_place():
        return Json(entry_of(document, section, slug), headers={"ETag": etag_of(version)})


@routes.put("/config/{section}/{slug}", response_model=Applied, openapi_extra=_BODY)
async def put_entry(
    request: Request,
    caller: Supervisor,
    section: str,
    slug: str,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
) -> Response:
    """Adds or replaces one entry. Supervisors may do so with agents, admins with all."""
    if section != "agents" and caller.role == "supervisor":
        raise Problem(403, "wrong-role", "a supervisor changes only agents; this needs an admin")
    written = await written_of(request)

    def changed(document: Mapping[str, Any]) -> dict[str, Any]:
        return with_entry(document, section, slug, written.value)

    return await _change_entry(request, caller, changed, if_match, open_clocks, reason)


@routes.delete("/config/{section}/{slug}", response_model=Applied)
async def delete_entry(
    request: Request,
    caller: Admin,
    section: str,
    slug: str,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
    to: Annotated[str | None, Query(max_length=63, description="Where its tickets go: `requeue`, or a queue.")] = None,
) -> Response:
    """Removes one entry. 409 when it holds tickets, unless `to` says where they go."""

    def changed(document: Mapping[str, Any]) -> dict[str, Any]:
        return without_entry(document, section, slug)

    moves = None if to is None else {section: {slug: to}}
    return await _change_entry(request, caller, changed, if_match, open_clocks, reason, moves)


@cache
def _schema() -> bytes:
    return dump_json(document_schema())


async def _change_entry(
    request: Request,
    caller: Caller,
    changed: Any,
    if_match: int | None,
    open_clocks: str | None,
    reason: str | None,
    moves: Any = None,
) -> Response:
    """Applies a change of one entry to the current version; anew when another change came between."""
    for attempt in range(RACES_MAX):
        version, document = await stored(request, caller.workspace)
        if if_match is not None and if_match != version:
            raise _mismatch(version)
        with known_place():
            written = Written(changed(document), None)
        try:
            return await _apply(request, caller, written, version, open_clocks, reason, moves)
        except Problem as problem:
            if problem.status != 412 or if_match is not None or attempt == RACES_MAX - 1:
                raise
    raise AssertionError("unreachable")


async def _apply(
    request: Request,
    caller: Caller,
    written: Written,
    expects: int | None,
    open_clocks: Any,
    reason: str | None,
    moves: Any,
    key: Any = None,
) -> Response:
    inactive = await checked(written)
    command = ConfigPut(
        actor=actor(caller.role, caller.sub),
        document=written.value,
        expects=expects,
        reason=reason,
        open_clocks=open_clocks,
        moves=moves,
    )
    body, status, headers = await ask(request, caller, command, subject="config", key=key)
    version = int(body["config_version"])
    return Json({"version": version, "inactive": inactive}, status, headers | {"ETag": etag_of(version)})


def _required(request: Request, if_match: int | None) -> int | None:
    if "if-match" not in request.headers:
        raise Problem(428, "if-match-required", "say which version is replaced: If-Match with the ETag of GET /config")
    return if_match


def _mismatch(version: int) -> Problem:
    return Problem(
        412,
        "version-mismatch",
        f"the current version is {version}",
        headers={"ETag": etag_of(version)},
        version=version,
    )
