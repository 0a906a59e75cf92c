"""What the API reads: by workspace, in pages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.alerts.model import shape
from pointsman_sla.alerts.silences import Silence
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.policy import Book, read_book
from pointsman_sla.store.loading import read_books, read_members
from pointsman_sla.store.rows import CLOCK_COLUMNS, alert_of, clock_of, silence_of

CLOCKS = f"""
    SELECT {CLOCK_COLUMNS} FROM clock c
    WHERE c.ticket_id = $1 AND c.workspace = $2 AND (c.started_at, c.clock_id) > ($3, $4)
    ORDER BY c.started_at, c.clock_id LIMIT $5
"""

DUE = """
    SELECT c.ticket_id, c.clock_id, c.metric, c.cycle, c.policy, c.queue, k.agent, c.priority, c.target_seconds,
           c.due_at, c.breach_at, c.overdue, c.started_at, c.calendar, c.config_version, k.phase, k.waiting_rank,
           k.queue AS ticket_queue, (k.mirror -> 'phases' -> -1 ->> 0)::bigint AS phase_since
    FROM clock c JOIN ticket k ON k.ticket_id = c.ticket_id
    WHERE c.workspace = $1 AND c.state = 'running' AND (c.breached_at IS NULL OR c.overdue)
      AND (c.breach_at, c.clock_id) > ($2, $3)
      AND ($4::timestamptz IS NULL OR c.breach_at < $4) AND ($5::text IS NULL OR c.queue = $5)
      AND ($6::text IS NULL OR k.agent = $6) AND ($7::text IS NULL OR c.policy = $7)
      AND ($8::text IS NULL OR c.metric = $8)
    ORDER BY c.breach_at, c.clock_id LIMIT $9
"""

ALERTS = """
    SELECT * FROM alert
    WHERE workspace = $1 AND (opened_at, alert_id) < ($2, $3)
      AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR severity = $5)
      AND ($6::text IS NULL OR policy = $6) AND ($7::text IS NULL OR queue = $7)
    ORDER BY opened_at DESC, alert_id DESC LIMIT $8
"""

SILENCES = """
    SELECT * FROM silence
    WHERE workspace = $1 AND (created_at, silence_id) < ($2, $3)
      AND ($4::boolean IS NULL OR (ended_at IS NULL) = $4)
    ORDER BY created_at DESC, silence_id DESC LIMIT $5
"""

TIMELINE = """
    SELECT event_id, at, kind, ticket_id, metric, cycle, by_id, comment FROM alert_event
    WHERE alert_id = $1 AND event_id > $2 ORDER BY event_id LIMIT $3
"""

NEWEST_VERSION = "SELECT max(version) FROM config_version WHERE workspace = $1"

NEWEST_PART = "SELECT body FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1"

NEWEST_BOOK = "SELECT version, body FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class DueFilters:
    """What to list of the clocks that are due; None does not restrict."""

    before: Instant | None = None
    queue: str | None = None
    agent: str | None = None
    policy: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """What to list of the alerts; None does not restrict."""

    state: str | None = None
    severity: str | None = None
    policy: str | None = None
    queue: str | None = None


async def newest_version(db: Database, workspace: str) -> int | None:
    """The newest configuration version that came here."""
    version: int | None = await db.fetchval(NEWEST_VERSION, workspace)
    return version


async def newest_book(db: Database, workspace: str) -> Book | None:
    """The policies and calendars of the newest version."""
    row = await db.fetchrow(NEWEST_BOOK, workspace)
    return None if row is None else read_book(row["version"], row["body"])


async def names_of(db: Database, workspace: str, filter: str) -> Collection[str] | None:
    """The names that the newest version has for a filter (`queue`, `agent`, `policy`, `target`); None when this cannot
    be told: there is no version, or it came before these names were kept."""
    part = await db.fetchval(NEWEST_PART, workspace)
    if part is None:
        return None
    if filter == "policy":
        return [policy["name"] for policy in part["sla"]["policies"]]
    if filter == "target":
        return list(part["sla"]["notify"])
    named: Collection[str] | None = part.get(f"{filter}s") if "agents" in part else None
    return named


async def clocks_of(
    db: Database, workspace: str, ticket: str, after: tuple[Instant, str], count_max: int
) -> list[Clock] | None:
    """The clocks of a ticket in the order in which they started; None when the workspace has no such ticket."""
    rows = await db.fetch(CLOCKS, ticket, workspace, *after, count_max)
    if not rows and not await db.fetchval(
        "SELECT true FROM ticket WHERE ticket_id = $1 AND workspace = $2", ticket, workspace
    ):
        return None
    return [clock_of(row) for row in rows]


async def books_of(db: Database, workspace: str, clocks: Sequence[Clock]) -> dict[int, Book]:
    """The versions in which the clocks count."""
    versions = {segment.version for clock in clocks for segment in clock.segments}
    books = await read_books(db, [(workspace, version) for version in versions])
    return {version: book for (_, version), book in books.items()}


async def due_clocks(
    db: Database, workspace: str, filters: DueFilters, after: tuple[Instant, str], count_max: int
) -> list[dict[str, Any]]:
    """Running clocks without a breach, and those overdue since before a reopening, by the instant of the breach."""
    rows = await db.fetch(
        DUE,
        workspace,
        *after,
        filters.before,
        filters.queue,
        filters.agent,
        filters.policy,
        filters.metric,
        count_max,
    )
    return [dict(row) for row in rows]


async def alerts(
    db: Database, workspace: str, filters: AlertFilters, before: tuple[Instant, str], count_max: int
) -> list[dict[str, Any]]:
    """Alerts as they are shown, the newest first."""
    rows = await db.fetch(
        ALERTS, workspace, *before, filters.state, filters.severity, filters.policy, filters.queue, count_max
    )
    members = await read_members(db, [row["alert_id"] for row in rows])
    return [shape(alert_of(row), members.get(row["alert_id"], []), row["clocks"]) for row in rows]


async def alert(db: Database, workspace: str, id: str) -> dict[str, Any] | None:
    """One alert as it is shown; None when the workspace has no such alert."""
    row = await db.fetchrow("SELECT * FROM alert WHERE alert_id = $1 AND workspace = $2", id, workspace)
    if row is None:
        return None
    members = await read_members(db, [id])
    return shape(alert_of(row), members.get(id, []), row["clocks"])


async def timeline(db: Database, id: str, after: int, count_max: int) -> Sequence[Any]:
    """The lines of an alert's timeline after one, oldest first."""
    rows: Sequence[Any] = await db.fetch(TIMELINE, id, after, count_max)
    return rows


async def silences(
    db: Database, workspace: str, active: bool | None, before: tuple[Instant, str], count_max: int
) -> list[Silence]:
    """The silences of a workspace, the newest first."""
    return [silence_of(row) for row in await db.fetch(SILENCES, workspace, *before, active, count_max)]


async def silence(db: Database, workspace: str, id: str) -> Silence | None:
    """One silence."""
    row = await db.fetchrow("SELECT * FROM silence WHERE silence_id = $1 AND workspace = $2", id, workspace)
    return None if row is None else silence_of(row)
