"""A report: asked for by KPI, interval, grain and slices; answered as rows with their definition and method."""

import asyncio
import csv
import io
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pointsman.core.instant import Instant
from pointsman.core.zones import zone_of
from pointsman.runtime.logic import Database
from pointsman_metrics.reports import query
from pointsman_metrics.reports.intervals import STEPS, TooManyIntervals, anchor, edges
from pointsman_metrics.reports.kpis import DEFINITIONS, DURATIONS

ROWS_MAX = 100_000
BACKLOG_INSTANTS_MAX = 2_000
ZONE = "SELECT timezone FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1"


class TooMuch(ValueError):
    """The report would have more rows or instants than its limit; says which."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: `[start, end)`, one row per grain (or one for all), for each combination of the slices."""

    kpi: str
    start: Instant
    end: Instant
    grain: str | None = None
    slices: tuple[str, ...] = ()


async def answer(db: Database, workspace: str, question: Question, now: Instant) -> dict[str, Any]:
    """The shape `report` of the API. Raises `TooMuch`."""
    zone = zone_of(await db.fetchval(ZONE, workspace) or "UTC")
    definition, method = DEFINITIONS[question.kpi]
    parameters: list[Any] = [workspace, question.start, question.end]
    if question.kpi in DURATIONS:
        statement = query.durations(DURATIONS[question.kpi], question.grain, question.slices)
        parameters += await _cut(question, zone)
    elif question.kpi == "attainment":
        statement = query.attainment(question.grain, question.slices)
        parameters += [now, *await _cut(question, zone)]
    else:
        statement = query.backlog(question.slices)
        until = min(question.end, max(question.start, now))
        parameters = [workspace, (await _edges(question, until, zone, BACKLOG_INSTANTS_MAX, "instants"))[1:]]
    found = await db.fetch(f"{statement} LIMIT {ROWS_MAX + 1}", *parameters)
    if len(found) > ROWS_MAX:
        raise TooMuch(f"more than {ROWS_MAX} rows: ask for a shorter interval, a coarser grain or fewer slices")
    sliced = ("metric", *question.slices) if question.kpi == "attainment" else question.slices
    rows = []
    for record in found:
        row = dict(record)
        rows.append({"slice": {name: row.pop(name) for name in sliced}, **row})
    return {"kpi": question.kpi, "definition": definition, "method": method, "zone": zone.key, "rows": rows}


def as_csv(report: dict[str, Any]) -> str:
    """The rows as CSV (RFC 4180) with a header line: the slices' columns first."""
    rows = [
        {**row["slice"], **{name: value for name, value in row.items() if name != "slice"}} for row in report["rows"]
    ]
    out = io.StringIO()
    names = list(rows[0]) if rows else ["from", "to", "n", "value", "p50", "p90", "p50_business", "p90_business"]
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([[_cell(row[name]) for name in names] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, Instant) else value


async def _cut(question: Question, zone: ZoneInfo) -> list[Any]:
    """What the statement needs to cut the interval (query.bounds)."""
    if question.grain is None:
        return []
    if question.grain in STEPS:
        return [anchor(question.start, question.grain, zone)]
    return [await _edges(question, question.end, zone, ROWS_MAX, "intervals")]


async def _edges(question: Question, end: Instant, zone: ZoneInfo, count_max: int, what: str) -> list[Instant]:
    try:
        # Up to a hundred thousand days take a third of a second: not on the loop that serves everybody.
        return await asyncio.to_thread(edges, question.start, end, question.grain, zone, count_max)
    except TooManyIntervals as error:
        raise TooMuch(f"more than {count_max} {what}: ask for a shorter interval or a coarser grain") from error
