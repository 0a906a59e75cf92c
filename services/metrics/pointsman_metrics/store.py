"""Metrics' rows in PostgreSQL: read by the ids of a batch, written set-based in the batch's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from pointsman.runtime.logic import Database
from pointsman_metrics.fold.agent import Stretch
from pointsman_metrics.fold.clock import Clock
from pointsman_metrics.fold.ticket import Handling, Ticket, Unresolved
from pointsman_metrics.fold.workspace import WorkspaceVersion

CHANGED_CHANNEL = "pointsman_metrics_changed"
"""NOTIFY channel: the workspaces whose figures a transaction changed, comma-separated."""


def _upsert(table: str, row: type, key: tuple[str, ...]) -> str:
    """One statement for any number of rows: `$1` is an array of the table's row type."""
    names = [field.name for field in fields(row)]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(names)} FROM unnest($1::{table}[]) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )


UPSERT_TICKETS = _upsert("ticket", Ticket, ("ticket_id",))
UPSERT_CLOCKS = _upsert("clock", Clock, ("clock_id",))
UPSERT_HANDLINGS = _upsert("handling", Handling, ("ticket_id", "number"))
UPSERT_UNRESOLVED = _upsert("unresolved", Unresolved, ("ticket_id", "number"))
UPSERT_STRETCHES = _upsert("agent_stretch", Stretch, ("workspace", "agent", "number"))

READ_TICKETS = "SELECT * FROM ticket WHERE ticket_id = ANY($1)"
READ_CLOCKS = "SELECT * FROM clock WHERE clock_id = ANY($1)"
READ_STRETCHES = "SELECT * FROM agent_stretch WHERE workspace = ANY($1) AND ended_at IS NULL"
READ_NEWEST_VERSIONS = """
SELECT DISTINCT ON (workspace) * FROM config_version WHERE workspace = ANY($1) ORDER BY workspace, version DESC
"""
INSERT_VERSION = """
INSERT INTO config_version (workspace, version, timezone, queues, teams, applied_at, closed_tickets_days)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
"""


async def read_tickets(db: Database, ids: Sequence[str]) -> list[Ticket]:
    return [Ticket(**row) for row in await db.fetch(READ_TICKETS, ids)]


async def read_clocks(db: Database, ids: Sequence[str]) -> list[Clock]:
    return [Clock(**row) for row in await db.fetch(READ_CLOCKS, ids)]


async def read_stretches(db: Database, workspaces: Sequence[str]) -> list[Stretch]:
    """The stretch that goes on of every agent of the workspaces."""
    return [Stretch(**row) for row in await db.fetch(READ_STRETCHES, workspaces)]


async def read_newest_versions(db: Database, workspaces: Sequence[str]) -> list[WorkspaceVersion]:
    rows = await db.fetch(READ_NEWEST_VERSIONS, workspaces)
    return [WorkspaceVersion(**{**row, "queues": tuple(row["queues"])}) for row in rows]


async def write_tickets(db: Database, rows: Iterable[Ticket]) -> None:
    await _write(db, UPSERT_TICKETS, [tuple(row.__dict__.values()) for row in rows])


async def write_clocks(db: Database, rows: Iterable[Clock]) -> None:
    await _write(db, UPSERT_CLOCKS, [tuple(row.__dict__.values()) for row in rows])


async def write_handlings(db: Database, rows: Iterable[Handling]) -> None:
    await _write(db, UPSERT_HANDLINGS, [astuple(row) for row in rows])


async def write_unresolved(db: Database, rows: Iterable[Unresolved]) -> None:
    await _write(db, UPSERT_UNRESOLVED, [astuple(row) for row in rows])


async def write_stretches(db: Database, rows: Iterable[Stretch]) -> None:
    await _write(db, UPSERT_STRETCHES, [astuple(row) for row in rows])


async def write_version(db: Database, version: WorkspaceVersion) -> None:
    await db.execute(
        INSERT_VERSION,
        version.workspace,
        version.version,
        version.timezone,
        list(version.queues),
        version.teams,
        version.applied_at,
        version.closed_tickets_days,
    )


async def announce(db: Database, workspaces: Iterable[str]) -> None:
    """Tells listeners, at the commit, whose figures changed. The payload's limit is 8,000 bytes: told in parts."""
    part: list[str] = []
    for workspace in (*sorted(workspaces), None):
        if part and (workspace is None or len(part) == 100):
            await db.execute("SELECT pg_notify($1, $2)", CHANGED_CHANNEL, ",".join(part))
            part = []
        if workspace is not None:
            part.append(workspace)


async def _write(db: Database, statement: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        await db.execute(statement, rows)
