"""The routes that every service has: its configuration version, and for the operator dead letters and the trace."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.envelope import record_place
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import INT4, Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under

VALUE_SHOWN_BYTES_MAX = 65_536

Reader = Annotated[Caller, Depends(require("agent", "viewer", "connector"))]
Operator = Annotated[Caller, Depends(require("operator"))]


class ConfigVersion(BaseModel):
    """Which version of the workspace's document this service has; null when it has none."""

    config_version: int | None


class DeadLetter(BaseModel):
    """A record that could not be read or decided. `value` is its text, cut at 64 KiB."""

    id: str
    workspace: str | None
    topic: str
    lane: int
    record_offset: int
    reason: str
    detail: str
    at: datetime
    state: str
    headers: Any
    value: str


class TracedFact(BaseModel):
    """One record of facts as this service made it: `cause` is the record or timer that led to it."""

    id: str
    cause: str
    workspace: str
    subject: str
    at: datetime
    source: str
    partition: int
    number: int
    types: list[str]
    agents: list[str]
    traceparent: str | None
    facts: list[Any]


version_routes = routes_under("/v1", "installation")
routes = routes_under("/v1", "installation")


@version_routes.get("/config-version", response_model=ConfigVersion)
async def which_config_version(request: Request, caller: Reader) -> Response:
    return Json({"config_version": await request.app.state.config_version(caller.workspace)})


@routes.get("/dead-letters", response_model=Page[DeadLetter])
async def dead_letters(
    request: Request,
    caller: Operator,
    state: Literal["open", "replayed", "discarded"] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Dead letters of this service, oldest first; of one workspace when the operator names it."""
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await request.app.state.process.pool.fetch(
        """
        SELECT id, workspace, topic, lane, record_offset, reason, detail, at, state, headers, value
        FROM dead_letter
        WHERE state = $1 AND id > $2 AND ($3 = '*' OR workspace = $3)
        ORDER BY id LIMIT $4
        """,
        state,
        after,
        caller.workspace,
        limit + 1,
    )
    return page_of(rows, limit, _letter_shown, lambda row: (row["id"],))


def _letter_shown(row: Any) -> dict[str, Any]:
    return dict(row) | {"value": (row["value"] or b"")[:VALUE_SHOWN_BYTES_MAX].decode("utf-8", "replace")}


@routes.post("/dead-letters/{id}/replay", response_model=dict[str, Any])
async def replay(request: Request, caller: Operator, id: str) -> Response:
    """Feeds a dead letter into its lane again; it is closed in the same transaction."""
    process = request.app.state.process
    lane = await process.pool.fetchval("SELECT lane FROM dead_letter WHERE id = $1 AND state = 'open'", id)
    if lane is None:
        raise not_found("open dead letter")
    return Json(await process.replay_dead_letter(caller, id, lane))


@routes.delete("/dead-letters/{id}", status_code=204)
async def discard(request: Request, caller: Operator, id: str) -> Response:
    """Closes a dead letter without reading it again. The row stays, for the record."""
    found = await request.app.state.process.pool.fetchval(
        """
        UPDATE dead_letter SET state = 'discarded', closed_at = clock_timestamp()
        WHERE id = $1 AND state = 'open' RETURNING id
        """,
        id,
    )
    if found is None:
        raise not_found("open dead letter")
    return Response(status_code=204)


@routes.get("/facts", response_model=Page[TracedFact])
async def facts(
    request: Request,
    caller: Operator,
    id: Annotated[str | None, Query(max_length=200)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    cause: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The trace: records of facts by their id, by what they are about, or by what caused them, oldest first."""
    if id is None and subject is None and cause is None:
        errors = [{"pointer": f"?{name}", "detail": "one of these is needed"} for name in ("id", "subject", "cause")]
        raise Problem(422, "invalid-request", "name an id, a subject or a cause", errors)
    place: tuple[int, int] | tuple[None, None] = (None, None)
    if id is not None:
        try:
            place = record_place(id)
        except ValueError:
            return Json({"items": [], "next_cursor": None})
    source, partition, number = decode_cursor(cursor, str, INT4, int) if cursor else ("", 0, 0)
    rows = await request.app.state.process.pool.fetch(
        """
        SELECT id, cause, workspace, subject, at, source, partition, number, types, agents, traceparent, body
        FROM fact
        WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR subject = $2) AND ($3::text IS NULL OR cause = $3)
          AND ($4 = '*' OR workspace = $4) AND (source, partition, number) > ($5, $6, $7)
          AND ($9::int IS NULL OR (partition = $9 AND number = $10::bigint))
        ORDER BY source, partition, number LIMIT $8
        """,
        id,
        subject,
        cause,
        caller.workspace,
        source,
        partition,
        number,
        limit + 1,
        *place,
    )
    return page_of(rows, limit, _record_shown, lambda row: (row["source"], row["partition"], row["number"]))


def _record_shown(row: Any) -> dict[str, Any]:
    shown = dict(row)
    shown["facts"] = shown.pop("body")["facts"]
    return shown
