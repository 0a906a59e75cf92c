"""What a lane reads: set-based, by key."""

from collections.abc import Iterable, Sequence
from typing import Any

from pointsman.contracts.shapes import Metric
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.alerts.model import Alert
from pointsman_sla.alerts.silences import Silence
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.clocks.policy import Book, read_book
from pointsman_sla.micros import instant, micros
from pointsman_sla.near_timers import NearTimer, Place
from pointsman_sla.store.rows import CLOCK_COLUMNS, alert_of, clock_of, silence_of, ticket_of

TICKETS = "SELECT ticket_id, workspace, config_version, agent, mirror FROM ticket WHERE ticket_id = ANY($1::text[])"

NEWEST_CLOCKS = f"""
    SELECT DISTINCT ON (c.ticket_id, c.metric) {CLOCK_COLUMNS} FROM clock c
    WHERE c.ticket_id = ANY($1::text[]) ORDER BY c.ticket_id, c.metric, c.cycle DESC
"""

NEAR_TIMERS = """
    SELECT clock_id, generation, fire_at FROM timer
    WHERE lane = $1 AND (fire_at, clock_id) > ($2, $3) AND fire_at <= $4
    ORDER BY fire_at, clock_id LIMIT $5
"""

# By keys in an array, and not joined to the timers: so it is an index scan, whatever the planner believes of millions.
CLOCKS = f"SELECT {CLOCK_COLUMNS} FROM clock c WHERE c.clock_id = ANY($1::text[])"

AGENTS = "SELECT ticket_id, agent FROM ticket WHERE ticket_id = ANY($1::text[])"

OPEN_ALERTS = "SELECT * FROM alert WHERE lane = $1 AND state <> 'resolved'"

ALERTS = "SELECT * FROM alert WHERE alert_id = ANY($1::text[])"

MEMBERS = """
    SELECT m.alert_id, m.ticket_id AS ticket, m.metric, m.cycle, m.joined_at
    FROM unnest($1::text[]) AS a (alert_id)
    CROSS JOIN LATERAL (
        SELECT * FROM alert_clock m WHERE m.alert_id = a.alert_id AND m.left_at IS NULL
        ORDER BY m.joined_at, m.clock_id LIMIT $2
    ) m
"""

JOINED = f"""
    SELECT m.joined_at, k.agent, {CLOCK_COLUMNS}
    FROM (
        SELECT joined_at, clock_id FROM alert_clock
        WHERE alert_id = $1 AND left_at IS NULL AND (joined_at, clock_id) > ($2, $3)
        ORDER BY joined_at, clock_id LIMIT $4
    ) m JOIN clock c ON c.clock_id = m.clock_id JOIN ticket k ON k.ticket_id = c.ticket_id
    ORDER BY m.joined_at, m.clock_id
"""

VERSIONS = """
    SELECT v.workspace, v.version, v.body
    FROM unnest($1::text[], $2::int[]) AS wanted (workspace, version)
    JOIN config_version v USING (workspace, version)
"""

NEWEST_VERSIONS = """
    SELECT DISTINCT ON (workspace) workspace, version, body FROM config_version
    WHERE workspace = ANY($1::text[]) ORDER BY workspace, version DESC
"""

SILENCES = "SELECT * FROM silence WHERE lane = $1 AND ended_at IS NULL"

CANARY = "SELECT fires_at FROM canary WHERE lane = $1"

MEMBERS_SHOWN_MAX = 200


async def read_tickets(db: Database, ids: Sequence[str]) -> list[Ticket]:
    """The tickets with the newest clock of each metric; those without a row are left out."""
    rows = await db.fetch(TICKETS, ids)
    clocks: dict[str, dict[Metric, Clock]] = {row["ticket_id"]: {} for row in rows}
    for row in await db.fetch(NEWEST_CLOCKS, list(clocks)):
        clock = clock_of(row)
        clocks[row["ticket_id"]][clock.metric] = clock
    return [ticket_of(row, clocks[row["ticket_id"]]) for row in rows]


def versions_of(ticket: Ticket) -> set[tuple[str, int]]:
    """The configuration versions under which the ticket was opened, its clocks count and their ladders stand."""
    versions = {ticket.config_version}
    for clock in ticket.clocks.values():
        versions.update(segment.version for segment in clock.segments)
        if clock.escalation is not None:
            versions.add(clock.escalation.version)
    return {(ticket.workspace, version) for version in versions}


async def read_near(
    db: Database, lane: int, beyond: Place, until: Instant, count_max: int
) -> tuple[list[NearTimer], Place | None]:
    """The timers after a place, up to an instant; and the last place read when there may be more.

    A timer whose generation is not its clock's means nothing, and is left out.
    """
    due = await db.fetch(NEAR_TIMERS, lane, instant(beyond[0]), beyond[1], until, count_max)
    if not due:
        return [], None
    generations = {row["clock_id"]: row["generation"] for row in due}
    rows = await db.fetch(CLOCKS, list(generations))
    agents = dict(await db.fetch(AGENTS, list({row["ticket_id"] for row in rows})))
    timers = [
        NearTimer(row["ticket_id"], row["workspace"], agents.get(row["ticket_id"]), clock_of(row))
        for row in rows
        if row["generation"] == generations[row["clock_id"]]
    ]
    timers = [timer for timer in timers if timer.clock.next_point is not None]
    last = (micros(due[-1]["fire_at"]), due[-1]["clock_id"])
    return timers, last if len(due) == count_max else None


async def read_open_alerts(db: Database, lane: int) -> list[tuple[Alert, int]]:
    """The alerts of a lane that are not resolved, and how many clocks each has."""
    return [(alert_of(row), row["clocks"]) for row in await db.fetch(OPEN_ALERTS, lane)]


async def read_alerts(db: Database, ids: Iterable[str]) -> list[Alert]:
    """Alerts in any state."""
    return [alert_of(row) for row in await db.fetch(ALERTS, list(ids))]


async def read_members(db: Database, ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The clocks in each alert now, in the order in which they joined; the first of them when there are many."""
    members: dict[str, list[dict[str, Any]]] = {}
    for row in await db.fetch(MEMBERS, list(ids), MEMBERS_SHOWN_MAX):
        member = dict(row)
        members.setdefault(member.pop("alert_id"), []).append(member)
    return members


async def read_joined(
    db: Database, alert_id: str, joined_after: Instant, clock_after: str, count_max: int
) -> list[tuple[Instant, NearTimer]]:
    """The clocks in an alert after a place, in the order in which they joined, with when that was."""
    return [
        (row["joined_at"], NearTimer(row["ticket_id"], row["workspace"], row["agent"], clock_of(row)))
        for row in await db.fetch(JOINED, alert_id, joined_after, clock_after, count_max)
    ]


async def read_books(db: Database, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Book]:
    """Versions by workspace and number."""
    rows = await db.fetch(VERSIONS, [workspace for workspace, _ in wanted], [version for _, version in wanted])
    return {(row["workspace"], row["version"]): read_book(row["version"], row["body"]) for row in rows}


async def read_newest_books(db: Database, workspaces: Iterable[str]) -> dict[str, Book]:
    """The newest version of each workspace."""
    rows = await db.fetch(NEWEST_VERSIONS, list(workspaces))
    return {row["workspace"]: read_book(row["version"], row["body"]) for row in rows}


async def read_silences(db: Database, lane: int) -> list[Silence]:
    """The silences of a lane that are not over."""
    return [silence_of(row) for row in await db.fetch(SILENCES, lane)]


async def read_canary(db: Database, lane: int) -> Instant | None:
    """When the lane's canary fires next; None when it never has."""
    fires_at: Instant | None = await db.fetchval(CANARY, lane)
    return fires_at
