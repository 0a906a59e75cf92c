"""`/v1/webhooks`: how the workspace's webhooks of events fare, and what waits for them or was given up.

They are configured in the workspace document (`webhooks`); what is sent is what `/v1/events` lists.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under

routes = routes_under("/v1/webhooks", "webhooks")

Supervisor = Annotated[Caller, Depends(require("supervisor"))]
DeliveryState = Literal["queued", "dead"]


class WebhookShape(BaseModel):
    """`cursor` is the webhook's place in the list of events. `failing_since`: nothing was taken since then."""

    webhook: str
    state: Literal["active", "disabled"]
    events: list[str]
    queues: list[str]
    cursor: str
    queued: int
    dead: int
    failures: int
    failing_since: datetime | None
    last_error: str | None
    pause_until: datetime | None
    disabled_at: datetime | None
    delivered_at: datetime | None


class DeliveryShape(BaseModel):
    """An event that waits (`queued`), or was refused too often (`dead`). `rounds`: how often it was sent."""

    id: str
    webhook: str
    type: str
    subject: str
    state: DeliveryState
    rounds: int
    reason: str | None
    due_at: datetime
    queued_at: datetime
    updated_at: datetime
    event: dict[str, Any]


async def signs_with(pool: Any, workspace: str, name: str) -> bool:
    """Whether a webhook of the workspace signs its calls with the secret of this name."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM webhook WHERE workspace = $1 AND secret = $2)", workspace, name
    )
    return found


class Redelivered(BaseModel):
    """How many were put into the queue again."""

    queued: int


WEBHOOKS = """
    SELECT webhook, state, events, queues, failures, failing_since, last_error, pause_until, disabled_at, delivered_at,
           concat_ws('.', split_part(source, '@', 2), number, change, place) AS cursor,
           (SELECT count(*) FROM webhook_delivery d
            WHERE d.workspace = w.workspace AND d.webhook = w.webhook AND d.state = 'queued') AS queued,
           (SELECT count(*) FROM webhook_delivery d
            WHERE d.workspace = w.workspace AND d.webhook = w.webhook AND d.state = 'dead') AS dead
    FROM webhook w WHERE workspace = $1 AND ($2::text IS NULL OR webhook = $2) ORDER BY webhook
"""
DELIVERIES = """
    SELECT id, webhook, type, subject, state, rounds, reason, due_at, queued_at, updated_at, event, serial
    FROM webhook_delivery
    WHERE workspace = $1 AND webhook = $2 AND serial > $3 AND ($4::text IS NULL OR state = $4)
    ORDER BY serial LIMIT $5
"""
DELIVERY = "SELECT 1 FROM webhook_delivery WHERE workspace = $1 AND webhook = $2 AND id = $3"
ENABLE = """
    WITH again AS (
        UPDATE webhook_delivery SET due_at = clock_timestamp()
        WHERE workspace = $1 AND webhook = $2 AND state = 'queued'
    )
    UPDATE webhook SET state = 'active', failures = 0, failing_since = NULL, pause_until = NULL, disabled_at = NULL
    WHERE workspace = $1 AND webhook = $2 RETURNING webhook
"""
REDELIVER = """
    UPDATE webhook_delivery
    SET state = 'queued', rounds = 0, due_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE workspace = $1 AND webhook = $2 AND state = 'dead' AND ($3::text IS NULL OR id = $3)
"""


@routes.get("", response_model=Page[WebhookShape])
async def webhooks(request: Request, caller: Supervisor) -> Response:
    """The webhooks of the configuration, by name."""
    rows = await request.app.state.process.pool.fetch(WEBHOOKS, caller.workspace, None)
    return Json({"items": [dict(row) for row in rows], "next_cursor": None})


@routes.get("/{webhook}/deliveries", response_model=Page[DeliveryShape])
async def deliveries(
    request: Request,
    caller: Supervisor,
    webhook: str,
    state: DeliveryState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What was not taken yet, in order. What was taken is not kept: `/v1/events` has it."""
    await _known(request, caller, webhook)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    rows = await request.app.state.process.pool.fetch(DELIVERIES, caller.workspace, webhook, after, state, limit + 1)
    return page_of(rows, limit, _delivery_shown, lambda row: (row["serial"],))


@routes.post("/{webhook}/enable", response_model=WebhookShape)
async def enable(request: Request, caller: Supervisor, webhook: str) -> Response:
    """Sends again, at once, to a webhook that was disabled or is paused."""
    pool = request.app.state.process.pool
    if await pool.fetchval(ENABLE, caller.workspace, webhook) is None:
        raise not_found("webhook")
    return Json(dict(await pool.fetchrow(WEBHOOKS, caller.workspace, webhook)))


@routes.post("/{webhook}/redeliver", status_code=202, response_model=Redelivered)
async def redeliver_all(request: Request, caller: Supervisor, webhook: str) -> Response:
    """Puts everything that is dead into the queue again."""
    await _known(request, caller, webhook)
    return Json({"queued": await _redeliver(request, caller, webhook, None)}, 202)


@routes.post("/{webhook}/deliveries/{id}/redeliver", status_code=202, response_model=Redelivered)
async def redeliver(request: Request, caller: Supervisor, webhook: str, id: str) -> Response:
    """Puts one that is dead into the queue again; `queued: 0` while it waits there already."""
    queued = await _redeliver(request, caller, webhook, id)
    if not queued and await request.app.state.process.pool.fetchval(DELIVERY, caller.workspace, webhook, id) is None:
        raise not_found("delivery")
    return Json({"queued": queued}, 202)


async def _redeliver(request: Request, caller: Caller, webhook: str, id: str | None) -> int:
    done: str = await request.app.state.process.pool.execute(REDELIVER, caller.workspace, webhook, id)
    return int(done.rpartition(" ")[2])


async def _known(request: Request, caller: Caller, webhook: str) -> None:
    found = await request.app.state.process.pool.fetchval(
        "SELECT 1 FROM webhook WHERE workspace = $1 AND webhook = $2", caller.workspace, webhook
    )
    if found is None:
        raise not_found("webhook")


def _delivery_shown(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "serial"}
