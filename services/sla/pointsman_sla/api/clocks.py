"""The HTTP API of clocks: how they stand, their proof, what is due, the calendars' arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pointsman.contracts.shapes import Metric
from pointsman.core.instant import EPOCH, Instant
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, invalid, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.process import ApiProcess
from pointsman_sla.api.cursors import instant_of_cursor
from pointsman_sla.api.shapes import ClockShown, Due, Evaluate, Evaluated, LedgerShown, clock_shown, ledger_shown
from pointsman_sla.calendar import Calendar, CalendarError, OutOfReach, compile_calendar
from pointsman_sla.calendar.borrowed import inline_errors, with_dates
from pointsman_sla.calendar.reach import due, elapsed, subtract
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.policy import Book
from pointsman_sla.holiday_names import holiday_name
from pointsman_sla.micros import MICROS, instant, micros
from pointsman_sla.store import queries

Reader = Annotated[Caller, Depends(require("agent"))]
Id = Annotated[str, Path(max_length=200)]
Slug = Annotated[str | None, Query(max_length=63)]

routes = routes_under("/v1")


@routes.get("/tickets/{id}/clocks", response_model=Page[ClockShown], tags=["clocks"])
async def clocks(request: Request, caller: Reader, id: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The clocks of a ticket as they stand now, in the order in which they started."""
    process = request.app.state.process
    found, books = await _clocks(process, caller.workspace, id, limit, cursor)
    now = micros(process.clock.now())
    return page_of(found, limit, lambda clock: clock_shown(clock, now, books.calendar), _place)


@routes.get("/tickets/{id}/ledger", response_model=Page[LedgerShown], tags=["clocks"])
async def ledger(request: Request, caller: Reader, id: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The proof: each clock of a ticket with every interval since its start, counted or not and why, and running sums
    that are the clock's. Computed when asked for, in the calendars of the versions under which the clock counted."""
    process = request.app.state.process
    found, books = await _clocks(process, caller.workspace, id, limit, cursor)
    now = micros(process.clock.now())
    return page_of(found, limit, lambda clock: ledger_shown(id, clock, now, books.calendar, books.holiday_name), _place)


@dataclass(frozen=True, slots=True)
class _Books:
    """The versions in which some clocks count."""

    by_version: Mapping[int, Book]

    def calendar(self, name: str, version: int) -> Calendar:
        return self.by_version.get(version, Book(version)).calendar(name)

    def holiday_name(self, name: str, version: int, day: str) -> str | None:
        return holiday_name(self.by_version[version].definitions[name], day)


async def _clocks(
    process: ApiProcess, workspace: str, ticket: str, limit: int, cursor: str | None
) -> tuple[list[Clock], _Books]:
    """One more than a page of a ticket's clocks, with their books. Raises `Problem` 404."""
    after: tuple[Instant, str] = (EPOCH, "")
    if cursor:
        started, clock_id = decode_cursor(cursor, int, str)
        after = (instant_of_cursor(started), clock_id)
    found = await queries.clocks_of(process.pool, workspace, ticket, after, limit + 1)
    if found is None:
        raise not_found("ticket")
    return found, _Books(await queries.books_of(process.pool, workspace, found))


def _place(clock: Clock) -> tuple[int, str]:
    return clock.started_at, clock.id


@routes.get("/due", response_model=Page[Due], tags=["clocks"])
async def due_clocks(
    request: Request,
    caller: Reader,
    before: Annotated[GivenInstant | None, Query(description="Only what breaches before; all when absent.")] = None,
    queue: Slug = None,
    agent: Slug = None,
    policy: Slug = None,
    metric: Annotated[Metric | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Running clocks that have not breached, the next to breach first, each with the probability that it will and what
    that rests on (docs/predict.md); and those whose time was up before their ticket was reopened."""
    after: tuple[Instant, str] = (EPOCH, "")
    if cursor:
        at, clock_id = decode_cursor(cursor, int, str)
        after = (instant_of_cursor(at), clock_id)
    filters = queries.DueFilters(before, queue, agent, policy, metric)
    pool = request.app.state.process.pool
    rows = await queries.due_clocks(pool, caller.workspace, filters, after, limit + 1)
    if not rows and cursor is None:

        async def found(name: str, value: str) -> Any:
            alone: dict[str, Any] = {name: value}
            return await queries.due_clocks(pool, caller.workspace, queries.DueFilters(**alone), after, 1)

        named = {"queue": queue, "agent": agent, "policy": policy}
        await refuse_unknown(named, lambda name: queries.names_of(pool, caller.workspace, name), found)
    shown = await request.app.state.predictions.of(caller.workspace, rows)
    return page_of(shown, limit, dict, lambda due: (micros(due["breach_at"]), due["clock_id"]))


@routes.post("/calendars:evaluate", response_model=Evaluated, tags=["calendars"])
async def evaluate(request: Request, caller: Reader, body: Evaluate) -> Response:
    """The arithmetic of calendars itself."""
    version: int | None = None
    try:
        if isinstance(body.calendar, str):
            book = await queries.newest_book(request.app.state.process.pool, caller.workspace)
            if book is None or body.calendar not in (*book.definitions, "always"):
                raise not_found("calendar")
            version, calendar = book.version, book.calendar(body.calendar)
        else:
            asked = [at.year for at in (body.start, body.end) if at is not None] or [2000]
            calendar = compile_calendar(await run_in_threadpool(with_dates, body.calendar, min(asked), max(asked)))
            if wrong := await run_in_threadpool(inline_errors, body.calendar):
                errors = [{**error.plain(), "pointer": f"/calendar{error.pointer}"} for error in wrong]
                raise invalid(errors)
    except CalendarError as error:
        where, _, detail = str(error).partition(": ") if str(error).startswith("/") else ("", "", str(error))
        raise _invalid(f"/calendar{where}", detail) from error
    try:
        return Json({"op": body.op, "config_version": version, **_evaluated(calendar, body)})
    except (OutOfReach, OverflowError) as error:  # an answer past the year 9999 overflows
        raise _invalid("/seconds" if body.seconds is not None else "/end", str(error)) from error


def _evaluated(calendar: Calendar, body: Evaluate) -> dict[str, Any]:
    pauses = [(micros(low), micros(high)) for low, high in body.pauses]
    if body.op == "elapsed":
        start, end = _needed(body, "start"), _needed(body, "end")
        business = elapsed(calendar, start, end, pauses)
        return {
            "elapsed_business_seconds": business / MICROS,
            "elapsed_calendar_seconds": max(0, end - start) / MICROS,
        }
    if body.seconds is None:
        raise _invalid("/seconds", "needed")
    amount = round(body.seconds * MICROS)
    if body.op == "due":
        answer = due(calendar, _needed(body, "start"), amount, pauses)
        return {"due_at": instant(answer.due_at), "breach_at": instant(answer.breach_at)}
    end = _needed(body, "end" if body.end is not None else "start")
    return {"at": instant(subtract(calendar, end, amount, pauses))}


def _needed(body: Evaluate, name: str) -> int:
    at: datetime | None = getattr(body, name)
    if at is None:
        raise _invalid(f"/{name}", "needed")
    return micros(at)


def _invalid(pointer: str, detail: str) -> Problem:
    return invalid([{"pointer": pointer, "detail": detail}])
