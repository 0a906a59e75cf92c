"""The SQL of the reports. Every piece comes from `kpis`; what a caller says arrives as parameters only.

Parameters: `$1` workspace, `$2` from, `$3` to, `$4` now (attainment), the last one what the grain needs (`Bounds`). No
statement does arithmetic in a zone: the intervals come from `intervals`, in the edition that all clocks count with.
"""

from dataclasses import dataclass

from pointsman_metrics.reports.intervals import STEPS
from pointsman_metrics.reports.kpis import ATTAINMENT_SLICES, TICKET_SLICES, Kpi

_SKILLS = " CROSS JOIN LATERAL unnest(t.skills) AS skill(name)"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The SQL of a row's `from` and `to` out of `at`, within what was asked."""

    start: str
    end: str


def bounds(grain: str | None, parameter: int) -> Bounds:
    """Without a grain what was asked. Minutes and hours are steps from the instant in the parameter; for the others it
    holds the edges of all intervals, ascending."""
    if grain is None:
        return Bounds("$2::timestamptz", "$3::timestamptz")
    if grain in STEPS:
        step = f"interval '1 {grain}'"
        start = f"date_bin({step}, at, ${parameter}::timestamptz)"
        return Bounds(f"greatest({start}, $2)", f"least({start} + {step}, $3)")
    edges = f"(${parameter}::timestamptz[])"
    return Bounds(f"{edges}[width_bucket(at, {edges})]", f"{edges}[width_bucket(at, {edges}) + 1]")


def _columns(slices: dict[str, str], chosen: tuple[str, ...]) -> str:
    return "".join(f', {slices[name]} AS "{name}"' for name in chosen)


def _names(chosen: tuple[str, ...]) -> str:
    return "".join(f', "{name}"' for name in chosen)


def durations(kpi: Kpi, grain: str | None, chosen: tuple[str, ...]) -> str:
    """Rows of a KPI that is a duration: n, mean, percentiles in calendar and business seconds."""
    row = bounds(grain, 4)
    beside = "".join(f", {expression} AS {name}" for name, expression in kpi.beside.items())
    further = "".join(f", {expression} AS {name}" for name, expression in kpi.further.items())
    skills = _SKILLS if "skill" in chosen else ""
    return f"""
    WITH based AS (
        SELECT {kpi.dated} AS at, {kpi.seconds} AS seconds,
            {kpi.business} AS business{beside}{_columns(kpi.slices, chosen)}
        FROM {kpi.source}{skills}
        WHERE t.workspace = $1 AND {kpi.dated} >= $2 AND {kpi.dated} < $3 AND {kpi.where}
    )
    SELECT {row.start} AS "from", {row.end} AS "to"{_names(chosen)}, count(*) AS n, avg(seconds) AS value,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY business) AS p50_business,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY business) AS p90_business{further}
    FROM based GROUP BY 1, 2{_names(chosen)} ORDER BY 1{_names(chosen)}
    """


def attainment(grain: str | None, chosen: tuple[str, ...]) -> str:
    """Rows of attainment, per metric: n = met + breached."""
    row = bounds(grain, 5)
    skills = _SKILLS if "skill" in chosen else ""
    return f"""
    WITH based AS (
        SELECT c.due_at AS at, c.metric{_columns(ATTAINMENT_SLICES, chosen)},
            c.breached OR (c.state = 'running' AND c.breach_at <= $4) AS is_breached, c.state
        FROM clock c LEFT JOIN ticket t ON t.ticket_id = c.ticket_id{skills}
        WHERE c.workspace = $1 AND c.due_at >= $2 AND c.due_at < $3
    ), counted AS (
        SELECT {row.start} AS "from", {row.end} AS "to", metric{_names(chosen)},
            count(*) FILTER (WHERE state = 'met' AND NOT is_breached) AS met,
            count(*) FILTER (WHERE is_breached) AS breached,
            count(*) FILTER (WHERE state = 'cancelled' AND NOT is_breached) AS cancelled
        FROM based GROUP BY 1, 2, metric{_names(chosen)}
    )
    SELECT "from", "to", metric{_names(chosen)}, met + breached AS n,
        met::float8 / nullif(met + breached, 0) AS value, NULL::float8 AS p50, NULL::float8 AS p90,
        NULL::float8 AS p50_business, NULL::float8 AS p90_business, met, breached, cancelled
    FROM counted ORDER BY "from", metric{_names(chosen)}
    """


def backlog(chosen: tuple[str, ...]) -> str:
    """Rows of the backlog at each of the instants `$2`; without a slice an empty backlog is a row with 0."""
    skills = _SKILLS if "skill" in chosen else ""
    join = "JOIN" if chosen else "LEFT JOIN"
    policy = (
        "LEFT JOIN LATERAL (SELECT policy FROM clock WHERE ticket_id = t.ticket_id ORDER BY metric, cycle DESC LIMIT 1)"
        " c ON true"
        if "policy" in chosen
        else ""
    )
    return f"""
    WITH instants AS (SELECT DISTINCT unnest($2::timestamptz[]) AS at)
    SELECT i.at AS "from", i.at AS "to"{_columns(TICKET_SLICES, chosen)}, count(t.ticket_id) AS n,
        count(t.ticket_id)::float8 AS value,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM i.at - t.opened_at)::float8) AS p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM i.at - t.opened_at)::float8) AS p90,
        NULL::float8 AS p50_business, NULL::float8 AS p90_business
    FROM instants i
    {join} (unresolved u JOIN ticket t ON t.ticket_id = u.ticket_id)
        ON u.workspace = $1 AND u.opened_at <= i.at AND (u.ended_at IS NULL OR u.ended_at > i.at)
    {policy}{skills}
    GROUP BY i.at{"".join(f", {TICKET_SLICES[name]}" for name in chosen)}
    ORDER BY i.at{"".join(f", {TICKET_SLICES[name]}" for name in chosen)}
    """
