"""The KPIs that are built: what each means, what dates a ticket or clock in it, and where its seconds come from.

The expressions are SQL over `t` (ticket) and `c` (clock). Where a clock measured what a KPI means, its row is built
from the cycle that was met, as sla told it: the instant, and calendar and business seconds of one span. A ticket that
no clock measured has the seconds between its own instants, and no business seconds. So no report contradicts a clock.
"""

from dataclasses import dataclass, field

GRAINS = ("minute", "hour", "day", "week", "month")

_EXACT = (
    "exact: percentile_cont over one row per ticket; calendar and business seconds as the clock counted them in the "
    "cycle that was met; of tickets that no clock measured the calendar seconds alone, between their own instants"
)

NO_TARGET = "no_target"
"""The reason of a clock that was cancelled because its ticket's policy does not measure the metric any more."""

TICKET_SLICES: dict[str, str] = {
    "workspace": "t.workspace",
    "channel": "t.channel",
    "connector": "t.connector",
    "queue": "t.queue",
    "agent": "t.agent",
    "team": "t.team",
    "skill": "skill.name",
    "category": "t.category",
    "language": "t.language",
    "priority": "t.priority",
    "customer_tier": "t.customer_tier",
    "policy": "c.policy",
}


@dataclass(frozen=True, slots=True)
class Kpi:
    """A report over rows that each have one instant (`dated`) and a duration; `further` are more aggregates, of further
    columns of the rows (`beside`)."""

    slug: str
    definition: str
    method: str
    source: str
    dated: str
    where: str
    seconds: str
    business: str
    slices: dict[str, str] = field(default_factory=lambda: TICKET_SLICES)
    beside: dict[str, str] = field(default_factory=dict)
    further: dict[str, str] = field(default_factory=dict)


UNMEASURED_FIRST_RESPONSE = f"""NOT EXISTS (
    SELECT FROM clock WHERE clock.ticket_id = t.ticket_id AND clock.metric = 'first_response'
        AND (clock.state = 'met' OR clock.state = 'cancelled' AND clock.reason <> '{NO_TARGET}'))"""
"""No clock says when the first response was, or that there was none to wait for. (One that still runs is about to be
told: what the desk told first holds until then.)"""

COUNTED_ELSEWHERE = """t.merged_into IS NOT NULL AND EXISTS (
    SELECT FROM ticket other WHERE other.ticket_id = t.merged_into AND other.first_response_at IS NOT NULL)"""
"""The ticket goes on in another one that has a first response of its own: together they count once."""

FIRST_RESPONSE = Kpi(
    slug="first_response",
    definition="From the customer's first message to the first public reply of a person; bots do not count. After a "
    "reopening that follows an end without a person's reply it counts from there, as the clock does. A merged ticket "
    "counts with the one that it goes on in. Dated by the reply.",
    method=_EXACT,
    source=f"""(
        SELECT t.*, c.met_at AS at, c.elapsed_calendar_seconds AS seconds, c.elapsed_business_seconds AS business,
            c.policy
        FROM clock c JOIN ticket t ON t.ticket_id = c.ticket_id
        WHERE c.workspace = $1 AND c.metric = 'first_response' AND c.state = 'met' AND c.met_at >= $2 AND c.met_at < $3
            AND NOT ({COUNTED_ELSEWHERE})
        UNION ALL
        SELECT t.*, t.first_response_at, t.first_response_seconds, NULL, (
            SELECT policy FROM clock WHERE clock.ticket_id = t.ticket_id AND clock.metric = 'first_response'
            ORDER BY cycle DESC LIMIT 1)
        FROM ticket t
        WHERE t.workspace = $1 AND t.first_response_at >= $2 AND t.first_response_at < $3
            AND {UNMEASURED_FIRST_RESPONSE} AND NOT ({COUNTED_ELSEWHERE})
    ) t""",
    dated="t.at",
    where="t.seconds IS NOT NULL",
    seconds="t.seconds",
    business="t.business",
    slices={**TICKET_SLICES, "agent": "t.first_response_agent", "policy": "t.policy"},
)

RESOLUTION = Kpi(
    slug="resolution",
    definition="Full resolution: from the ticket's opening to its last resolution as `solved`; first resolution beside "
    "it, to the first one. As the clock counts it: without the policy's pauses and the time between a resolution and a "
    "reopening that goes on, from the reopening where the policy restarts. Tickets that are open again, merged into "
    "another, or ended otherwise are left out. Dated by the last resolution.",
    method=_EXACT,
    source=f"""ticket t
    LEFT JOIN LATERAL (
        SELECT * FROM clock WHERE ticket_id = t.ticket_id AND metric = 'resolution'
            AND (state <> 'cancelled' OR reason <> '{NO_TARGET}')
        ORDER BY cycle DESC LIMIT 1) c ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(first_met_calendar_seconds, elapsed_calendar_seconds) AS calendar_seconds,
            coalesce(first_met_business_seconds, elapsed_business_seconds) AS business_seconds
        FROM clock WHERE ticket_id = t.ticket_id AND metric = 'resolution'
            AND (state = 'met' OR first_met_calendar_seconds IS NOT NULL)
        ORDER BY cycle LIMIT 1) f ON c.state = 'met'""",
    dated="t.resolved_last_at",
    where="t.state IN ('resolved', 'closed') AND t.outcome = 'solved' AND t.merged_into IS NULL "
    "AND (c.state IS NULL OR c.state <> 'cancelled')",
    seconds="CASE WHEN c.state = 'met' THEN c.elapsed_calendar_seconds "
    "ELSE extract(epoch FROM t.resolved_last_at - t.opened_at)::float8 END",
    business="CASE WHEN c.state = 'met' THEN c.elapsed_business_seconds END",
    beside={
        "first_seconds": "coalesce(f.calendar_seconds, extract(epoch FROM t.resolved_first_at - t.opened_at)::float8)",
        "first_business": "f.business_seconds",
    },
    further={
        "first_value": "avg(first_seconds)",
        "first_p50": "percentile_cont(0.5) WITHIN GROUP (ORDER BY first_seconds)",
        "first_p90": "percentile_cont(0.9) WITHIN GROUP (ORDER BY first_seconds)",
        "first_p50_business": "percentile_cont(0.5) WITHIN GROUP (ORDER BY first_business)",
        "first_p90_business": "percentile_cont(0.9) WITHIN GROUP (ORDER BY first_business)",
    },
)

HANDLE = Kpi(
    slug="handle",
    definition="Handle time: the seconds in which the ticket was assigned, plus its wrap-up; the value is their sum "
    "over the number of tickets. Tickets resolved in the interval, dated by the last resolution.",
    method="exact: percentile_cont over the rows of the tickets; calendar seconds only, since handling follows no "
    "calendar",
    source="ticket t LEFT JOIN LATERAL (SELECT policy FROM clock WHERE ticket_id = t.ticket_id "
    "ORDER BY metric, cycle DESC LIMIT 1) c ON true",
    dated="t.resolved_last_at",
    where="t.state IN ('resolved', 'closed') AND t.resolved_last_at IS NOT NULL AND t.assignment_count > 0",
    seconds="(t.assigned_seconds + t.wrap_up_seconds)",
    business="NULL::float8",
)

DURATIONS: dict[str, Kpi] = {kpi.slug: kpi for kpi in (FIRST_RESPONSE, RESOLUTION, HANDLE)}

ATTAINMENT_SLICES: dict[str, str] = {
    **TICKET_SLICES,
    "workspace": "c.workspace",
    "queue": "coalesce(t.queue, c.queue)",
    "priority": "coalesce(c.priority, t.priority)",
    "policy": "c.policy",
}

DEFINITIONS: dict[str, tuple[str, str]] = {
    **{slug: (kpi.definition, kpi.method) for slug, kpi in DURATIONS.items()},
    "backlog": (
        "Tickets unresolved at the instant `to` of each row; the percentiles are of their age, the seconds from their "
        "opening to that instant.",
        "exact: counted from the stretches between opening (or reopening) and resolution; sliced by the ticket's "
        "labels as they stand now; calendar seconds only",
    ),
    "attainment": (
        "Met over met and breached, per metric and cycle, dated by the due time. Cancelled clocks are left out and "
        "shown beside; a running clock that is overdue counts as breached.",
        "exact: counted over the rows of the clocks",
    ),
}
