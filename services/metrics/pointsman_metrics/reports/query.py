"""The SQL of the reports. Every piece comes from `kpis`; what a caller says arrives as parameters only.

Parameters: `$1` workspace, `$2` from, `$3` to, `$4` the workspace's zone, `$5` now (attainment).
"""

from pointsman_metrics.reports.kpis import ATTAINMENT_SLICES, TICKET_SLICES, Kpi

_SKILLS = " CROSS JOIN LATERAL unnest(t.skills) AS skill(name)"


def _bounds(grain: str | None) -> tuple[str, str]:
    """The row's `from` and `to` out of `at`: the grain's bounds in the zone, within what was asked."""
    if grain is None:
        return "$2::timestamptz", "$3::timestamptz"
    start = f"date_trunc('{grain}', at, $4)"
    end = f"(({start} AT TIME ZONE $4) + interval '1 {grain}') AT TIME ZONE $4"
    return f"greatest({start}, $2)", f"least({end}, $3)"


def _columns(slices: dict[str, str], chosen: tuple[str, ...]) -> str:
    return "".join(f', {slices[name]} AS "{name}"' for name in chosen)


def _names(chosen: tuple[str, ...]) -> str:
    return "".join(f', "{name}"' for name in chosen)


def durations(kpi: Kpi, grain: str | None, chosen: tuple[str, ...]) -> str:
    """Rows of a KPI that is a duration: n, mean, percentiles in calendar and business seconds."""
    start, end = _bounds(grain)
    first = ", extract(epoch FROM t.resolved_first_at - t.opened_at)::float8 AS first_seconds" if kpi.further else ""
    further = "".join(f", {expression} AS {name}" for name, expression in kpi.further.items())
    skills = _SKILLS if "skill" in chosen else ""
    return f"""
    WITH based AS (
        SELECT {kpi.dated} AS at, {kpi.seconds} AS seconds,
            {kpi.business} AS business{first}{_columns(kpi.slices, chosen)}
        FROM {kpi.source}{skills}
        WHERE t.workspace = $1 AND {kpi.dated} >= $2 AND {kpi.dated} < $3 AND {kpi.where} AND $4::text IS NOT NULL
    )
    SELECT {start} AS "from", {end} AS "to"{_names(chosen)}, count(*) AS n, avg(seconds) AS value,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY business) AS p50_business,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY business) AS p90_business{further}
    FROM based GROUP BY 1, 2{_names(chosen)} ORDER BY 1{_names(chosen)}
    """


def attainment(grain: str | None, chosen: tuple[str, ...]) -> str:
    """Rows of attainment, per metric: n = met + breached."""
    start, end = _bounds(grain)
    skills = _SKILLS if "skill" in chosen else ""
    return f"""
    WITH based AS (
        SELECT c.due_at AS at, c.metric{_columns(ATTAINMENT_SLICES, chosen)},
            c.breached OR (c.state = 'running' AND c.breach_at <= $5) AS is_breached, c.state
        FROM clock c LEFT JOIN ticket t ON t.ticket_id = c.ticket_id{skills}
        WHERE c.workspace = $1 AND c.due_at >= $2 AND c.due_at < $3 AND $4::text IS NOT NULL
    ), counted AS (
        SELECT {start} AS "from", {end} AS "to", metric{_names(chosen)},
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


def backlog(grain: str | None, chosen: tuple[str, ...]) -> str:
    """Rows of the backlog at each grain's end (or at `$3`); without a slice an empty backlog is a row with 0."""
    if grain is None:
        instants = "SELECT $3::timestamptz AS at WHERE $2::timestamptz IS NOT NULL AND $4::text IS NOT NULL"
    else:
        first = f"date_trunc('{grain}', $2::timestamptz, $4) AT TIME ZONE $4"
        instants = f"""
        SELECT DISTINCT least((start + interval '1 {grain}') AT TIME ZONE $4, $3) AS at
        FROM generate_series({first}, $3::timestamptz AT TIME ZONE $4, interval '1 {grain}') AS start
        WHERE start AT TIME ZONE $4 < $3
        """
    skills = _SKILLS if "skill" in chosen else ""
    join = "JOIN" if chosen else "LEFT JOIN"
    policy = (
        "LEFT JOIN LATERAL (SELECT policy FROM clock WHERE ticket_id = t.ticket_id ORDER BY metric, cycle DESC LIMIT 1)"
        " c ON true"
        if "policy" in chosen
        else ""
    )
    return f"""
    WITH instants AS ({instants})
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
