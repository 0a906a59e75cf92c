"""The KPIs that are built: what each means, what dates a ticket or clock in it, and where its seconds come from.

The expressions are SQL over `t` (ticket) and `c` (clock); `business` names sla's own count where there is one.
"""

from dataclasses import dataclass, field

GRAINS = ("minute", "hour", "day", "week", "month")

_EXACT = "exact: percentile_cont over the rows of the tickets; business seconds as the clock counted them"

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
    """A report over rows that each have one instant (`dated`) and a duration; `further` are more aggregates."""

    slug: str
    definition: str
    method: str
    source: str
    dated: str
    where: str
    seconds: str
    business: str
    slices: dict[str, str] = field(default_factory=lambda: TICKET_SLICES)
    further: dict[str, str] = field(default_factory=dict)


FIRST_RESPONSE = Kpi(
    slug="first_response",
    definition="From the customer's first message to the first public reply of a person; bots do not count. "
    "Dated by the reply.",
    method=_EXACT,
    source="ticket t LEFT JOIN clock c ON c.ticket_id = t.ticket_id AND c.metric = 'first_response' AND c.cycle = 1",
    dated="t.first_response_at",
    where="t.first_response_seconds IS NOT NULL",
    seconds="t.first_response_seconds",
    business="CASE WHEN c.state = 'met' THEN c.elapsed_business_seconds END",
    slices={**TICKET_SLICES, "agent": "t.first_response_agent"},
)

RESOLUTION = Kpi(
    slug="resolution",
    definition="Full resolution: from the ticket's opening to its last resolution; first resolution beside it, to the "
    "first one. Tickets that are open again are left out. Dated by the last resolution.",
    method=_EXACT,
    source="ticket t LEFT JOIN LATERAL (SELECT * FROM clock WHERE ticket_id = t.ticket_id AND metric = 'resolution' "
    "ORDER BY cycle DESC LIMIT 1) c ON true",
    dated="t.resolved_last_at",
    where="t.state IN ('resolved', 'closed') AND t.resolved_last_at IS NOT NULL",
    seconds="extract(epoch FROM t.resolved_last_at - t.opened_at)::float8",
    business="CASE WHEN c.state = 'met' THEN c.elapsed_business_seconds END",
    further={
        "first_value": "avg(first_seconds)",
        "first_p50": "percentile_cont(0.5) WITHIN GROUP (ORDER BY first_seconds)",
        "first_p90": "percentile_cont(0.9) WITHIN GROUP (ORDER BY first_seconds)",
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
