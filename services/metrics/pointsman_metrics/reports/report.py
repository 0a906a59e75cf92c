"""A report: asked for by KPI, interval, grain and slices; answered as rows with their definition and method."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from pointsman.core.instant import Instant, seconds_between
from pointsman.runtime.logic import Database
from pointsman_metrics.reports import query
from pointsman_metrics.reports.kpis import DEFINITIONS, DURATIONS

ROWS_MAX = 100_000
BACKLOG_INSTANTS_MAX = 2_000
_GRAIN_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_419_200}
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
    zone = await db.fetchval(ZONE, workspace) or "UTC"
    definition, method = DEFINITIONS[question.kpi]
    parameters = [workspace, question.start, question.end, zone]
    if question.kpi in DURATIONS:
        statement = query.durations(DURATIONS[question.kpi], question.grain, question.slices)
    elif question.kpi == "attainment":
        statement = query.attainment(question.grain, question.slices)
        parameters.append(now)
    else:
        parameters[2] = min(question.end, max(question.start, now))
        _limit_instants(question)
        statement = query.backlog(question.grain, question.slices)
    found = await db.fetch(f"{statement} LIMIT {ROWS_MAX + 1}", *parameters)
    if len(found) > ROWS_MAX:
        raise TooMuch(f"more than {ROWS_MAX} rows: ask for a shorter interval, a coarser grain or fewer slices")
    sliced = ("metric", *question.slices) if question.kpi == "attainment" else question.slices
    rows = []
    for record in found:
        row = dict(record)
        rows.append({"slice": {name: row.pop(name) for name in sliced}, **row})
    return {"kpi": question.kpi, "definition": definition, "method": method, "rows": rows}


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


def _limit_instants(question: Question) -> None:
    if question.grain is None:
        return
    instants = seconds_between(question.start, question.end) / _GRAIN_SECONDS[question.grain]
    if instants > BACKLOG_INSTANTS_MAX:
        raise TooMuch(f"more than {BACKLOG_INSTANTS_MAX} instants: ask for a shorter interval or a coarser grain")
