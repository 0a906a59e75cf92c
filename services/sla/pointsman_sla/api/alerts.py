"""The HTTP API of alerts and silences: lists, timelines, the stream, acknowledging and silencing."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pointsman.contracts.alerting import AlertAck, AlertUnack, SilenceAdd, SilenceEnd, SilenceMatch
from pointsman.contracts.document.parts import listed
from pointsman.contracts.shapes import Actor, Severity
from pointsman.core.instant import FOREVER, Instant
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.feeds import FactFeed, TooOld
from pointsman.runtime.http.idempotency import IdempotencyKey, answer_command, ask
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import StreamEvent, event_stream, last_event_id
from pointsman_sla.alerts.model import AlertState
from pointsman_sla.alerts.silences import silence_shape
from pointsman_sla.api.cursors import instant_of_cursor
from pointsman_sla.api.shapes import Acknowledge, AlertShown, Nothing, TimelineEvent, event_shown
from pointsman_sla.micros import micros
from pointsman_sla.store import queries

ALERT_TYPES = ("alert.opened", "alert.acknowledged", "alert.silenced", "alert.resolved", "alert.exhausted")

Reader = Annotated[Caller, Depends(require("agent"))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Id = Annotated[str, Path(max_length=200)]
Slug = Annotated[str | None, Query(max_length=63)]

Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=63)], ...], BeforeValidator(listed)]


class Matching(Body):
    """Which alerts: every key given must hold, one of its values each (a single value stands for a list of it). Without
    a key: all."""

    severity: Annotated[tuple[Severity, ...], BeforeValidator(listed)] = Field(default=(), max_length=2)
    policy: Names = Field(default=(), max_length=100)
    queue: Names = Field(default=(), max_length=100)


class NewSilence(Body):
    """Alerts that match notify nobody until then. `until` lies ahead, at most ten years."""

    match: Matching = Matching()
    until: GivenInstant
    reason: str = Field(min_length=1, max_length=2000)


class SilenceShown(BaseModel):
    """A silence; `ended_at` when it was over, `ended_by` whom (`pointsman` when its time had come)."""

    id: str
    match: dict[str, list[str]]
    until: AwareDatetime
    reason: str
    by: str
    created_at: AwareDatetime
    ended_at: AwareDatetime | None
    ended_by: str | None


routes = routes_under("/v1", "alerts")


@routes.get("/alerts", response_model=Page[AlertShown])
async def alerts(
    request: Request,
    caller: Reader,
    state: Annotated[AlertState | None, Query()] = None,
    severity: Annotated[Severity | None, Query()] = None,
    policy: Slug = None,
    queue: Slug = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Alerts, the newest first."""
    before: tuple[Instant, str] = (FOREVER, "")
    if cursor:
        opened, alert_id = decode_cursor(cursor, int, str)
        before = (instant_of_cursor(opened), alert_id)
    filters = queries.AlertFilters(state, severity, policy, queue)
    pool = request.app.state.process.pool
    rows = await queries.alerts(pool, caller.workspace, filters, before, limit + 1)
    if not rows and cursor is None:

        async def found(name: str, value: str) -> Any:
            return await queries.alerts(pool, caller.workspace, queries.AlertFilters(**{name: value}), before, 1)

        named = {"policy": policy, "queue": queue}
        await refuse_unknown(named, lambda name: queries.names_of(pool, caller.workspace, name), found)
    return page_of(rows, limit, dict, lambda row: (micros(row["opened_at"]), row["id"]))


@routes.get(
    "/alerts/stream",
    response_class=StreamingResponse,
    responses={200: {"description": "Events `alert.*`, as they happen.", "content": {"text/event-stream": {}}}},
)
async def alert_stream(request: Request, caller: Reader) -> Response:
    """What happens to alerts, as server-sent events named by their type; resumable by `Last-Event-ID`."""
    process = request.app.state.process
    feed = FactFeed(process, "sla")
    start, lost = await feed.resume(caller.workspace, last_event_id(request))
    return event_stream(process, caller, _alert_events(feed, caller.workspace, start, lost=lost), cursor=start)


async def _alert_events(feed: FactFeed, workspace: str, start: str, *, lost: bool) -> AsyncIterator[StreamEvent]:
    if lost:
        yield StreamEvent("reset", {"cursor": start}, start)
    while True:
        try:
            async for fed in feed.follow(workspace, start, types=ALERT_TYPES):
                for fact in fed.facts:
                    yield StreamEvent(fact["type"], {"at": fed.at, **fact}, fed.cursor)
        except (TooOld, Problem):
            start = await feed.newest(workspace)
            yield StreamEvent("reset", {"cursor": start}, start)


@routes.get("/alerts/{id}", response_model=AlertShown)
async def alert(request: Request, caller: Reader, id: Id) -> Response:
    """One alert."""
    found = await queries.alert(request.app.state.process.pool, caller.workspace, id)
    if found is None:
        raise not_found("alert")
    return Json(found)


@routes.get("/alerts/{id}/timeline", response_model=Page[TimelineEvent])
async def timeline(request: Request, caller: Reader, id: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What happened to an alert, oldest first."""
    pool = request.app.state.process.pool
    after: int = decode_cursor(cursor, int)[0] if cursor else 0
    if await queries.alert(pool, caller.workspace, id) is None:
        raise not_found("alert")
    rows = await queries.timeline(pool, id, after, limit + 1)
    return page_of(rows, limit, event_shown, lambda row: (row["event_id"],))


@routes.post("/alerts/{id}/ack", response_model=AlertShown)
async def acknowledge(
    request: Request, caller: Supervisor, key: IdempotencyKey, id: Id, body: Acknowledge | None = None
) -> Response:
    """Acknowledges the clocks that are in the alert now; one that joins later fires it again."""
    body = body or Acknowledge()
    command = AlertAck(actor=_actor(caller), alert_id=id, comment=body.comment, for_seconds=body.for_seconds)
    return await answer_command(request, caller, command, subject=f"alert:{id}", key=key)


@routes.post("/alerts/{id}/unack", response_model=AlertShown)
async def unacknowledge(
    request: Request, caller: Supervisor, key: IdempotencyKey, id: Id, body: Nothing | None = None
) -> Response:
    """Takes an acknowledgement back: the alert fires again."""
    command = AlertUnack(actor=_actor(caller), alert_id=id)
    return await answer_command(request, caller, command, subject=f"alert:{id}", key=key)


# -- silences ----------------------------------------------------------------------------------------------------------


@routes.post("/silences", response_model=SilenceShown, status_code=201)
async def silence(request: Request, caller: Supervisor, key: IdempotencyKey, body: NewSilence) -> Response:
    """Begins a silence: alerts that match, open ones and those that open meanwhile, are `silenced` and notify nobody.
    When it is over, those still open fire again. Clocks and what ladders do on the desk go on."""
    match = SilenceMatch(severity=body.match.severity, policy=body.match.policy, queue=body.match.queue)
    command = SilenceAdd(actor=_actor(caller), match=match, until=body.until, reason=body.reason)
    return await answer_command(request, caller, command, subject=f"silence:{caller.workspace}", key=key)


@routes.get("/silences", response_model=Page[SilenceShown])
async def silences(
    request: Request,
    caller: Reader,
    active: Annotated[bool | None, Query(description="Only those that are not over, or only those that are.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Silences, the newest first."""
    before: tuple[Instant, str] = (FOREVER, "")
    if cursor:
        created, id = decode_cursor(cursor, int, str)
        before = (instant_of_cursor(created), id)
    found = await queries.silences(request.app.state.process.pool, caller.workspace, active, before, limit + 1)
    return page_of(found, limit, silence_shape, lambda silence: (micros(silence.created_at), silence.id))


@routes.get("/silences/{id}", response_model=SilenceShown)
async def one_silence(request: Request, caller: Reader, id: Id) -> Response:
    """One silence."""
    found = await queries.silence(request.app.state.process.pool, caller.workspace, id)
    if found is None:
        raise not_found("silence")
    return Json(silence_shape(found))


@routes.delete("/silences/{id}", status_code=204)
async def end_silence(request: Request, caller: Supervisor, id: Id) -> Response:
    """Ends a silence before its time: what it covered fires again. 404 when it is over already."""
    await ask(request, caller, SilenceEnd(actor=_actor(caller), silence_id=id), subject=f"silence:{caller.workspace}")
    return Response(status_code=204)


def _actor(caller: Caller) -> Actor:
    kind: Any = caller.role
    return Actor(kind=kind, id=caller.sub)
