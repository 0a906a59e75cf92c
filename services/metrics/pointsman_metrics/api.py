"""The HTTP API of metrics: live figures, reports, exports. It reads tables and changes nothing."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response, StreamingResponse

from pointsman.core.instant import EPOCH, FOREVER
from pointsman.core.nearest import no_such
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import service_app
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem, invalid
from pointsman.runtime.http.streams import StreamEvent, event_stream, stream
from pointsman.runtime.process import ApiProcess
from pointsman_metrics import exports
from pointsman_metrics.live import LiveBoard
from pointsman_metrics.reports.kpis import DEFINITIONS, TICKET_SLICES
from pointsman_metrics.reports.report import Question, TooMuch, answer, as_csv

DAYS_WITHOUT_FROM = 7
Viewer = Annotated[Caller, Depends(require("viewer"))]
Grain = Literal["minute", "hour", "day", "week", "month"]


class QueueNow(BaseModel):
    """Who waits in a queue, tickets on offer included, and how long the oldest has."""

    waiting: int
    oldest_seconds: float


class AgentsNow(BaseModel):
    """Agents by presence, and the tickets that they hold."""

    available: int
    away: int
    offline: int
    in_hand: int


class Live(BaseModel):
    """The wallboard. `due_soon`: clocks that breach within 15 minutes; `breached`: breached ones that stand open."""

    now: datetime
    queues: dict[str, QueueNow]
    agents: AgentsNow
    due_soon: int
    breached: int


class ReportRow(BaseModel):
    """One combination of slices in one interval. `value` is the KPI; durations are seconds. Some KPIs have more."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    slice: dict[str, str | None]
    n: int
    value: float | None
    p50: float | None
    p90: float | None
    p50_business: float | None
    p90_business: float | None


class Report(BaseModel):
    """A report: its figures, what they mean and how they were computed. `zone` is the one that the grains are of."""

    kpi: str
    definition: str
    method: str
    zone: str
    rows: list[ReportRow]


def create(process: ApiProcess) -> FastAPI:
    """The app of metrics, for a process that is open."""

    async def config_version(workspace: str) -> int | None:
        found: int | None = await process.pool.fetchval(
            "SELECT max(version) FROM config_version WHERE workspace = $1", workspace
        )
        return found

    app = service_app(process, "metrics", "Pointsman metrics", config_version=config_version)
    board = LiveBoard(process)

    @app.get("/v1/live", response_model=Live, tags=["live"])
    async def live(caller: Viewer) -> Response:
        """The wallboard's figures as they are now."""
        return Json(await board.figures(caller.workspace))

    @app.get(
        "/v1/live/stream",
        response_class=StreamingResponse,
        responses={200: {"description": "Events `live`: the figures.", "content": {"text/event-stream": {}}}},
        tags=["live"],
    )
    async def live_stream(caller: Viewer) -> Response:
        """The wallboard's figures at once and whenever they change, as server-sent events `live`."""
        return event_stream(process, caller, _live_events(board, caller.workspace), cursor=None)

    @app.get(
        "/v1/reports/{kpi}",
        response_model=Report,
        responses={200: {"description": "The report, as JSON or CSV by `Accept`.", "content": {"text/csv": {}}}},
        tags=["reports"],
    )
    async def report(
        request: Request,
        caller: Viewer,
        kpi: Annotated[str, Path(max_length=100)],
        start: Annotated[
            GivenInstant | None, Query(alias="from", description=f"{DAYS_WITHOUT_FROM} days before `to`.")
        ] = None,
        end: Annotated[GivenInstant | None, Query(alias="to", description="Exclusive; now when absent.")] = None,
        by: Annotated[Grain | None, Query(description="One row for each; one for all when absent.")] = None,
        slice: Annotated[
            str | None, Query(max_length=300, description="Comma-separated: " + ", ".join(TICKET_SLICES))
        ] = None,
    ) -> Response:
        """A KPI over `[from, to)`, by grain in the workspace's zone and by slices."""
        if kpi not in DEFINITIONS:
            raise Problem(404, "not-found", no_such("report", kpi, DEFINITIONS), built=sorted(DEFINITIONS))
        now = process.clock.now()
        question = Question(kpi, *_interval(start, end, now), by, _slices(slice))
        try:
            async with process.pool.acquire() as db:
                found = await answer(db, caller.workspace, question, now)
        except TooMuch as error:
            raise Problem(422, "too-much", str(error)) from error
        if _accepts(request, ("application/json", "text/csv")) == "text/csv":
            return Response(as_csv(found), media_type="text/csv; charset=utf-8")
        return Json(found)

    @app.get(
        "/v1/exports/tickets",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "One row per ticket, as CSV or NDJSON by `Accept`.",
                "content": {"text/csv": {}, "application/x-ndjson": {}},
            },
            406: {"description": "Only CSV and NDJSON are written here."},
        },
        tags=["reports"],
    )
    async def export_tickets(
        request: Request,
        caller: Viewer,
        start: Annotated[GivenInstant | None, Query(alias="from", description="Opened then or later.")] = None,
        end: Annotated[GivenInstant | None, Query(alias="to", description="Opened before.")] = None,
    ) -> Response:
        """Every ticket of the workspace, oldest first, streamed. Each row is as it was when it was read: not all are of
        one instant."""
        kind = _accepts(request, ("text/csv", "application/x-ndjson"))
        rows = exports.tickets(process.pool, caller.workspace, start or EPOCH, end or FOREVER)
        encoded = exports.as_csv(rows) if kind == "text/csv" else exports.as_ndjson(rows)
        name = "tickets.csv" if kind == "text/csv" else "tickets.ndjson"
        named = {"Content-Disposition": f'attachment; filename="{name}"'}
        return stream(process, caller, encoded, media_type=kind, headers=named)

    return app


async def _live_events(board: LiveBoard, workspace: str) -> AsyncIterator[StreamEvent]:
    async with board.watch(workspace) as editions, aclosing(editions) as figures:
        async for edition in figures:
            yield StreamEvent("live", edition)


def _interval(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    end = end or now
    start = start or max(EPOCH, end - timedelta(days=DAYS_WITHOUT_FROM))
    if start >= end:
        raise Problem(
            422, "invalid-request", "the interval is empty", [{"pointer": "?from", "detail": "must be before `to`"}]
        )
    return start, end


def _slices(text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in (text or "").split(",") if name))
    unknown = [name for name in names if name not in TICKET_SLICES]
    if unknown:
        known = ", ".join(TICKET_SLICES)
        errors: list[dict[str, Any]] = [
            {"pointer": "?slice", "detail": f"{name!r} is none of {known}"} for name in unknown
        ]
        raise invalid(errors)
    return names


def _accepts(request: Request, offered: tuple[str, ...]) -> str:
    """The first of the offered media types that the caller accepts, in the caller's order. Raises `Problem` 406."""
    for part in request.headers.get("accept", "*/*").split(","):
        wanted = part.split(";")[0].strip().lower()
        for media_type in offered:
            if wanted in (media_type, "*/*", media_type.split("/")[0] + "/*"):
                return media_type
    raise Problem(406, "not-acceptable", f"this is written as {' or '.join(offered)}")
