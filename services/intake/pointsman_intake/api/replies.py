"""Public replies on their way out: pulled by their connector, reported, listed, sent again."""

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.shapes import Recipient
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.idempotency import IdempotencyKey
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import After, Wait, polling
from pointsman.runtime.tasks import awaited
from pointsman_intake.accept.reports import order_numbers
from pointsman_intake.api.callers import ConnectorOrSupervisor, OfConnector, gate_of, seen_by
from pointsman_intake.api.idempotency import once
from pointsman_intake.gate import Gate, own_connector
from pointsman_intake.model import Arrival, Report
from pointsman_intake.outbound_reply import reply_of
from pointsman_intake.shapes import DeliveredIn, FailedIn

router = routes_under("/v1", "replies")

REPLIES_MAX = 200
State = Literal["queued", "sent", "delivered", "read", "failed"]

_QUEUED = """
SELECT id, number, connector, ticket_id, thread, body FROM delivery
WHERE workspace = $1 AND connector = $2 AND state = 'queued' AND number > $3
ORDER BY number LIMIT $4
"""
_LIST = """
SELECT id, number, connector, ticket_id, thread, state, push, rounds, reason, external_id, created_at, updated_at
FROM delivery
WHERE workspace = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR connector = $3) AND number > $4
ORDER BY number LIMIT $5
"""
_OWNER = "SELECT connector FROM delivery WHERE workspace = $1 AND id = $2"
_AGAIN = """
WITH older AS (
    UPDATE sent_as s SET current = false FROM delivery d
    WHERE d.workspace = $1 AND d.id = $2 AND d.state <> 'queued' AND ($3::text IS NULL OR d.connector = $3)
        AND s.workspace = d.workspace AND s.message_id = d.id
)
UPDATE delivery
SET state = 'queued', rounds = 0, due_at = clock_timestamp(), claimed_until = NULL, reason = NULL,
    updated_at = clock_timestamp(), number = nextval('delivery_number')
WHERE workspace = $1 AND id = $2 AND state <> 'queued' AND ($3::text IS NULL OR connector = $3)
RETURNING connector
"""


class Reply(BaseModel):
    """A public reply that waits for its connector. `thread` is the conversation at the provider, or our own name of one
    that an agent began: then `recipient` says to whom. On a channel of mail `to`, `cc`, `subject`, `message_id`,
    `in_reply_to` and `references` are what the mail has, ids in their angles; they are the same at every try."""

    model_config = ConfigDict(extra="allow")

    id: str
    ticket_id: str
    connector: str
    thread: str
    text: str
    occurred_at: datetime
    recipient: Recipient | None = None
    subject: str | None = None
    to: list[str] | None = None
    cc: list[str] = []
    message_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] | None = None


class Replies(BaseModel):
    """What waits after the cursor, in order."""

    items: list[Reply]
    cursor: str


class Delivery(BaseModel):
    """An outbound reply and its fate. `push`: we send it; otherwise its connector pulls it."""

    id: str
    connector: str
    ticket_id: str
    thread: str
    state: str
    push: bool
    rounds: int
    reason: str | None
    external_id: str | None
    created_at: datetime
    updated_at: datetime


class DeliveryState(BaseModel):
    """Where the reply stands now."""

    id: str
    state: str


@router.get("/replies", response_model=Replies)
async def replies(
    request: Request,
    caller: OfConnector,
    connector: Annotated[str | None, Query(max_length=63, description="The token's connector.")] = None,
    after: After = None,
    wait: Wait = 0,
) -> Response:
    """Replies for this connector. Without `after` all that are not settled; with it those that came since."""
    gate = gate_of(request)
    slug = connector or caller.sub
    own_connector(caller, slug)
    await gate.connector(caller.workspace, slug)
    number = decode_cursor(after, int, name="after")[0] if after else 0
    with polling(gate.process, caller, wait):
        rows = await _waiting(gate, caller.workspace, slug, number, wait)
    items = await gate.beside(lambda: [reply_of(row) for row in rows]) if rows else []
    return Json({"items": items, "cursor": encode_cursor(rows[-1]["number"] if rows else number)})


async def _waiting(gate: Gate, workspace: str, slug: str, number: int, wait_seconds: float) -> list[Any]:
    """The replies after the number, as soon as there is one, the time is up or the process drains."""
    deadline = time.monotonic() + wait_seconds
    draining = gate.process.hub.draining
    with gate.listener.listening(f"delivery:{workspace}/{slug}") as notified:
        while True:
            notified.clear()
            rows: list[Any] = await gate.process.pool.fetch(_QUEUED, workspace, slug, number, REPLIES_MAX)
            left = deadline - time.monotonic()
            if rows or left <= 0 or draining.is_set():
                return rows
            waits = [awaited(event.wait()) for event in (notified, draining)]
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


@router.post("/replies/{id}/delivered", response_model=DeliveryState)
async def delivered(
    request: Request,
    caller: OfConnector,
    key: IdempotencyKey,
    id: str,
    given: Annotated[DeliveredIn | None, Body()] = None,
) -> Response:
    """The provider has it. `thread` is the conversation that it opened there: messages of it join the ticket."""
    given = given or DeliveredIn()
    report = Report(
        caller.workspace, caller.sub, "delivered", message_id=id, external_id=given.external_id, thread=given.thread
    )
    return await once(request, key, lambda: _report(gate_of(request), caller, report))


@router.post("/replies/{id}/failed", response_model=DeliveryState)
async def failed(
    request: Request, caller: OfConnector, key: IdempotencyKey, id: str, given: Annotated[FailedIn, Body()]
) -> Response:
    """It could not be delivered; unless `permanent` it is offered again."""
    report = Report(
        caller.workspace, caller.sub, "failed", message_id=id, reason=given.reason, permanent=given.permanent
    )
    return await once(request, key, lambda: _report(gate_of(request), caller, report))


async def _report(gate: Gate, caller: Caller, report: Report) -> tuple[Any, int]:
    at = gate.process.clock.now()
    outcome = await gate.submit(Arrival(caller.workspace, caller.sub, at, reports=(report,)))
    reported = outcome.reports[0]
    if not reported.found:
        raise not_found("reply")
    return {"id": reported.message_id, "state": reported.state}, 200


@router.get("/deliveries", response_model=Page[Delivery])
async def deliveries(
    request: Request,
    caller: ConnectorOrSupervisor,
    state: State | None = None,
    connector: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Outbound replies, oldest first."""
    own = seen_by(caller)
    if own is not None and connector is not None:
        own_connector(caller, connector)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    pool = gate_of(request).process.pool
    rows = await pool.fetch(_LIST, caller.workspace, state, own or connector, after, limit + 1)
    if not rows and cursor is None:
        await refuse_unknown(
            {"connector": connector},
            lambda _: gate_of(request).connectors(caller.workspace),
            lambda _, slug: pool.fetch(_LIST, caller.workspace, None, slug, 0, 1),
        )
    return page_of(rows, limit, _reply_shown, lambda row: (row["number"],))


def _reply_shown(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "number"}


@router.post("/deliveries/{id}/redeliver", status_code=202, response_model=DeliveryState)
async def redeliver(request: Request, caller: ConnectorOrSupervisor, key: IdempotencyKey, id: str) -> Response:
    """Puts a settled reply into the queue again. 409 while it waits there."""
    return await once(request, key, lambda: _redeliver(gate_of(request), caller, id))


async def _redeliver(gate: Gate, caller: Caller, id: str) -> tuple[Any, int]:
    async with gate.process.pool.acquire() as db, db.transaction():
        await order_numbers(db, caller.workspace)
        connector = await db.fetchval(_AGAIN, caller.workspace, id, seen_by(caller))
        if connector is not None:
            await db.execute("SELECT pg_notify('intake', $1)", f"delivery:{caller.workspace}/{connector}")
            return {"id": id, "state": "queued"}, 202
        owner = await db.fetchval(_OWNER, caller.workspace, id)
    if owner is None or seen_by(caller) not in (None, owner):
        raise not_found("delivery")
    raise Problem(409, "already-queued", "the reply waits in the queue already")
