"""`/v1/config`: the workspace document. It is checked here, with its lines, and ordered by the desk as a command.

`ETag` is the version. A document that names another workspace than the caller's is refused; only an operator, who may
name any, creates a workspace (`If-None-Match: *`). A change that removes an agent or a queue which holds tickets says
what becomes of them by the member `moves` beside the document's own keys.
"""

from datetime import datetime
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.document import Written
from pointsman.contracts.document.change import merge_patched
from pointsman.contracts.document.schema import document_schema
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, IfMatch, etag_of
from pointsman.runtime.http.json import Json, dump_json
from pointsman.runtime.http.pages import INT4, Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.config_apply import (
    BODY,
    Applied,
    IfNoneMatch,
    OpenClocks,
    Reason,
    apply,
    document_body,
    mismatch,
    required,
)
from pointsman_routing.api.config_document import Change, change_of, for_document, invalid, moves_of, stored, written_of

routes = routes_under("/v1", "config")

Admin = Annotated[Caller, Depends(require("admin"))]
Creator = Annotated[Caller, Depends(require("admin", workspace_optional=True))]


class Version(BaseModel):
    version: int
    applied_at: datetime
    author: dict[str, Any]
    reason: str | None
    open_clocks: str | None


class Rollback(Body):
    """The version whose document shall hold again. `reason` is kept with the new version."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    reason: Annotated[str | None, Field(max_length=400)] = None


@routes.get("/config", response_model=dict[str, Any])
async def config(
    request: Request, caller: Admin, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Response:
    """The document as it was given; `ETag` is its version."""
    found, document = await stored(request, caller.workspace, version)
    return Json(document, headers={"ETag": etag_of(found)})


@routes.get("/config/schema", response_model=dict[str, Any])
async def schema() -> Response:
    """The JSON Schema of workspace documents, for editors. No token is needed."""
    return Response(_schema(), media_type="application/json")


@routes.get("/config/versions", response_model=Page[Version])
async def versions(request: Request, caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every version, newest first."""
    rows = await request.app.state.process.pool.fetch(
        """
        SELECT version, applied_at, author, reason, open_clocks FROM config_version
        WHERE workspace = $1 AND version < $2 ORDER BY version DESC LIMIT $3
        """,
        caller.workspace,
        decode_cursor(cursor, INT4)[0] if cursor else 2**31 - 1,
        limit + 1,
    )
    return page_of(rows, limit, dict, lambda row: (row["version"],))


@routes.put("/config", response_model=Applied, openapi_extra=BODY)
async def put(
    request: Request,
    caller: Creator,
    if_match: IfMatch,
    if_none_match: IfNoneMatch = None,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
) -> Response:
    """Replaces the whole document; JSON, or YAML as `application/yaml`."""
    change = change_of(await written_of(request))
    caller = for_document(caller, change)
    if if_none_match is not None:
        if caller.role != "operator":
            raise Problem(403, "wrong-role", "only an operator creates a workspace")
        expects: int | None = 0
    else:
        expects = required(request, if_match)
    return await apply(request, caller, change, expects, open_clocks=open_clocks, reason=reason)


@routes.patch(
    "/config",
    response_model=Applied,
    openapi_extra=document_body("application/merge-patch+json", "application/json"),
)
async def patch(
    request: Request, caller: Admin, if_match: IfMatch, open_clocks: OpenClocks = None, reason: Reason = None
) -> Response:
    """Merges a patch into the document (RFC 7386): null removes a key."""
    expects = required(request, if_match)
    changes = (await written_of(request, patch=True)).value
    if not isinstance(changes, dict):
        raise invalid([{"pointer": "", "detail": "a merge patch is a mapping of keys"}])
    moves = moves_of(changes.pop("moves", None))
    version, document = await stored(request, caller.workspace)
    if expects is not None and expects != version:
        raise mismatch(version)
    change = Change(Written(merge_patched(document, changes), None), moves)
    caller = for_document(caller, change)
    return await apply(request, caller, change, version, open_clocks=open_clocks, reason=reason, standing=document)


@routes.post("/config:rollback", response_model=Applied)
async def rollback(
    request: Request,
    caller: Admin,
    body: Rollback,
    key: IdempotencyKey,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
) -> Response:
    """Applies an earlier version's document again, as a new version that is equal to it."""
    current, _ = await stored(request, caller.workspace)
    _, document = await stored(request, caller.workspace, body.version)
    if if_match is not None and if_match != current:
        raise mismatch(current)
    said = f"rollback to {body.version}" + (f": {body.reason}" if body.reason else "")
    again: dict[str, Any] = {"open_clocks": open_clocks, "reason": said, "key": key}
    change = Change(Written(document, None))
    return await apply(request, caller, change, current, expand=False, standing=document, **again)


@cache
def _schema() -> bytes:
    return dump_json(document_schema())
