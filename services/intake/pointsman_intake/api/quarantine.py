"""The quarantine: look, read again, discard."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.auth import Caller
from pointsman.runtime.http.idempotency import IdempotencyKey
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_intake.api.callers import Supervisor, gate_of
from pointsman_intake.api.idempotency import once
from pointsman_intake.api.references import refuse_absent
from pointsman_intake.connectors import JSON_KINDS, Connector
from pointsman_intake.gate import Gate
from pointsman_intake.hooks.own import own_arrival
from pointsman_intake.ingest import understood
from pointsman_intake.model import Outcome, Raw
from pointsman_intake.parsed import NotUnderstood
from pointsman_intake.parsing import hook_arrival, mail_arrival, read_hook
from pointsman_intake.quarantine import open_row

router = routes_under("/v1/quarantine", "quarantine")

SHOWN_BYTES_MAX = 65_536
_COLUMNS = "id, connector, source, reason, detail, content_type, length(body) AS size, at, state, closed_at"
_LIST = f"""
SELECT {_COLUMNS} FROM quarantine
WHERE workspace = $1 AND state = $2 AND ($3::text IS NULL OR connector = $3) AND id > $4
ORDER BY id LIMIT $5
"""
_ANY = "SELECT 1 FROM quarantine WHERE workspace = $1 AND connector = $2 LIMIT 1"
_SHOW = f"SELECT {_COLUMNS}, headers, body FROM quarantine WHERE workspace = $1 AND id = $2"
_DISCARD = """
UPDATE quarantine SET state = 'discarded', closed_at = clock_timestamp()
WHERE workspace = $1 AND id = $2 AND state = 'open' RETURNING id
"""


class Quarantined(BaseModel):
    """Something that could not be understood: why, and how large it is."""

    id: str
    connector: str
    source: str
    reason: str
    detail: str
    content_type: str
    size: int
    at: datetime
    state: str
    closed_at: datetime | None


class QuarantinedWhole(Quarantined):
    """With its headers and its text, cut at 64 KiB."""

    headers: dict[str, str]
    text: str


class Replayed(BaseModel):
    """What it was read as this time; the row is closed."""

    id: str
    messages: list[dict[str, Any]]


@router.get("", response_model=Page[Quarantined])
async def quarantine(
    request: Request,
    caller: Supervisor,
    state: Literal["open", "replayed", "discarded"] = "open",
    connector: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What waits in the quarantine, oldest first."""
    after = decode_cursor(cursor, str)[0] if cursor else ""
    pool = gate_of(request).process.pool
    rows = await pool.fetch(_LIST, caller.workspace, state, connector, after, limit + 1)
    if not rows and cursor is None:
        await refuse_unknown(
            {"connector": connector},
            lambda _: gate_of(request).connectors(caller.workspace),
            lambda _, slug: pool.fetchval(_ANY, caller.workspace, slug),
        )
    return page_of(rows, limit, dict, lambda row: (row["id"],))


@router.get("/{id}", response_model=QuarantinedWhole)
async def show(request: Request, caller: Supervisor, id: str) -> Response:
    """One row with its text."""
    row = await gate_of(request).process.pool.fetchrow(_SHOW, caller.workspace, id)
    if row is None:
        raise not_found("quarantine row")
    shown = dict(row)
    shown["text"] = shown.pop("body")[:SHOWN_BYTES_MAX].decode("utf-8", "replace")
    return Json(shown)


@router.post("/{id}/replay", response_model=Replayed)
async def replay(request: Request, caller: Supervisor, key: IdempotencyKey, id: str) -> Response:
    """Reads it again; the row is closed in the transaction that accepts it. 422 when it is still not understood."""
    return await once(request, key, lambda: _replay(gate_of(request), caller, id))


async def _replay(gate: Gate, caller: Caller, id: str) -> tuple[Any, int]:
    row = await open_row(gate.process.pool, caller.workspace, id)
    if row is None:
        raise not_found("open quarantine row")
    slug = row["connector"]
    _, connector = await gate.connector(caller.workspace, slug)
    raw = Raw(row["body"], row["content_type"], row["headers"])
    try:
        outcome = await understood(_read_again(gate, raw, caller.workspace, slug, connector, row))
    except NotUnderstood as why:
        raise Problem(422, "still-not-understood", str(why), reason=why.reason) from why
    return {"id": id, "messages": [one.answer() for one in outcome.messages if one is not None]}, 200


async def _read_again(gate: Gate, raw: Raw, workspace: str, slug: str, connector: Connector, row: Any) -> Outcome:
    id, at = row["id"], row["at"]
    if row["source"] == "email":
        seconds = gate.settings.email_parse_seconds_max
        arrival = await mail_arrival(
            gate.readers, raw, workspace, slug, connector, at, cpu_seconds=seconds, quarantine_id=id
        )
    elif connector.kind in JSON_KINDS:
        arrival = replace(own_arrival(raw, workspace, slug, connector, at, None), quarantine_id=id)
        await refuse_absent(gate, arrival.messages)
    else:
        read = read_hook(raw, workspace, slug, connector)
        if why := read.not_understood():
            raise why
        arrival = hook_arrival(read, raw, workspace, slug, connector, at, quarantine_id=id)
    outcome = await gate.submit(arrival)
    if arrival.messages and not any(outcome.messages):
        raise NotUnderstood("no-conversation", "it opens no ticket, and belongs to no conversation that is known")
    return outcome


@router.delete("/{id}", status_code=204)
async def discard(request: Request, caller: Supervisor, id: str) -> Response:
    """Closes the row without reading it. It stays, for the record."""
    if await gate_of(request).process.pool.fetchval(_DISCARD, caller.workspace, id) is None:
        raise not_found("open quarantine row")
    return Response(status_code=204)
