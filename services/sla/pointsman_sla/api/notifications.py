"""`/v1/notifications` and `/v1/notify`: what was told to whom, sent again by hand, and a test of a target."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.ids import derived_id, lane_of, random_id
from pointsman.core.instant import EPOCH, FOREVER, Instant
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.idempotency import IdempotencyKey
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_sla.api.cursors import instant_of_cursor
from pointsman_sla.micros import micros
from pointsman_sla.notify.targets import Targets
from pointsman_sla.store import queries

routes = routes_under("/v1", "notifications")

Admin = Annotated[Caller, Depends(require("admin"))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Id = Annotated[str, Path(max_length=200)]
State = Literal["queued", "sent", "dead", "skipped"]


class NotificationShown(BaseModel):
    """A message to a notify target. `group` is what its items have in common, `items` how many there are (null until
    they are gathered), `alerts` those that it tells of. `reason` says why it was not taken (`queued`: at the last try)
    or skipped, `remark` why the target's template was not used. `body` is as it was sent last, without the links."""

    id: str
    target: str
    group: str
    kind: Literal["message", "test"]
    state: State
    urgent: bool
    items: int | None
    alerts: list[str]
    title: str | None
    body: str | None
    rounds: int
    reason: str | None
    remark: str | None
    due_at: datetime
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None


COLUMNS = """notification_id AS id, target, group_key AS "group", kind, state, urgent, items, alerts, title, body,
    rounds, reason, remark, due_at, created_at, updated_at, sent_at"""
LISTED = f"""
    SELECT {COLUMNS} FROM notification
    WHERE workspace = $1 AND (created_at, notification_id) < ($2, $3)
      AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR target = $5)
    ORDER BY created_at DESC, notification_id DESC LIMIT $6
"""
ONE = f"SELECT {COLUMNS} FROM notification WHERE workspace = $1 AND notification_id = $2"
RESEND = f"""
    UPDATE notification
    SET state = 'queued', by_hand = true, rounds = 0, claimed_until = NULL, due_at = clock_timestamp(),
        updated_at = clock_timestamp()
    WHERE workspace = $1 AND notification_id = $2 AND state IN ('dead', 'skipped')
    RETURNING {COLUMNS}
"""
TEST = f"""
    INSERT INTO notification (notification_id, workspace, target, group_key, lane, kind, state, urgent, items, due_at,
                              created_at, updated_at)
    VALUES ($1, $2, $3, '', $4, 'test', 'queued', false, 0, clock_timestamp(), clock_timestamp(), clock_timestamp())
    ON CONFLICT DO NOTHING
    RETURNING {COLUMNS}
"""


@routes.get("/notifications", response_model=Page[NotificationShown])
async def notifications(
    request: Request,
    caller: Supervisor,
    state: Annotated[State | None, Query()] = None,
    target: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Notifications, the newest first."""
    before: tuple[Instant, str] = (FOREVER, "")
    if cursor:
        created, id = decode_cursor(cursor, int, str)
        before = (instant_of_cursor(created), id)
    pool = request.app.state.process.pool
    rows = await pool.fetch(LISTED, caller.workspace, *before, state, target, limit + 1)
    if not rows and cursor is None:
        await refuse_unknown(
            {"target": target},
            lambda name: queries.names_of(pool, caller.workspace, name),
            lambda _, name: pool.fetch(LISTED, caller.workspace, *before, None, name, 1),
        )
    return page_of(rows, limit, dict, lambda row: (micros(row["created_at"]), row["id"]))


@routes.get("/notifications/{id}", response_model=NotificationShown)
async def notification(request: Request, caller: Supervisor, id: Id) -> Response:
    """One notification."""
    return Json(await _one(request, caller, id))


@routes.post("/notifications/{id}/resend", response_model=NotificationShown)
async def resend(request: Request, caller: Supervisor, id: Id) -> Response:
    """Sends one that is dead or was skipped, whatever has become of its alerts since. One that waits or was sent stays
    as it is."""
    row = await request.app.state.process.pool.fetchrow(RESEND, caller.workspace, id)
    return Json(await _one(request, caller, id) if row is None else dict(row))


@routes.post("/notify/{target}/test", status_code=202, response_model=NotificationShown)
async def send_test(request: Request, caller: Admin, key: IdempotencyKey, target: Id) -> Response:
    """Sends the target a test message, at any hour and beside its limit; the answer's `id` tells what became of it."""
    process, targets = request.app.state.process, Targets()
    await targets.read(process.pool, [caller.workspace])
    if targets.get(caller.workspace, target) is None:
        raise not_found("notify target")
    id = random_id("ntf", process.clock.now()) if key is None else derived_id("ntf", EPOCH, caller.workspace, key.id)
    lane = lane_of(caller.workspace, process.settings.partitions)
    row: Any = await process.pool.fetchrow(TEST, id, caller.workspace, target, lane)
    return Json(await _one(request, caller, id) if row is None else dict(row), 202)


async def _one(request: Request, caller: Caller, id: str) -> dict[str, Any]:
    row = await request.app.state.process.pool.fetchrow(ONE, caller.workspace, id)
    if row is None:
        raise not_found("notification")
    return dict(row)
