"""What grows is bounded: the partitions of `fact` by day are made ahead and dropped when they are old, and every
table's rows go as it declares (pointsman.runtime.retention)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import asyncpg
import structlog
from prometheus_client import Counter

from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.retention import ROWS_AT_ONCE, Retention, retention_of, sweep
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

DAYS_AHEAD = 2
EVERY_SECONDS = 600.0
REMOVED = Counter("pointsman_rows_removed_total", "Rows removed because their time was over.", ["service", "table"])

PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'fact'::regclass AND c.relname ~ '^fact_[0-9]{8}$' ORDER BY c.relname
"""
UNSENT = """
SELECT last.source FROM (SELECT source, partition, max(number) AS number FROM {partition} GROUP BY 1, 2) AS last
WHERE NOT EXISTS (
    SELECT FROM sent WHERE sent.source = last.source AND sent.partition = last.partition AND sent.number >= last.number)
LIMIT 1
"""
STRAYS = """
WITH gone AS (
    DELETE FROM fact_default WHERE ctid = ANY(ARRAY(
        SELECT f.ctid FROM fact_default f WHERE f.made_at < clock_timestamp() - make_interval(days => $2)
            AND EXISTS (SELECT FROM sent WHERE sent.source = f.source AND sent.partition = f.partition
                        AND sent.number >= f.number)
        LIMIT $1)) RETURNING 1)
SELECT count(*) FROM gone
"""
"""Facts of a day whose partition was made too late."""


async def make_fact_partitions(db: Any) -> None:
    """The partitions of today and the days ahead. A day whose rows are in the default partition keeps them there."""
    today = await _today(db)
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        name, until = f"fact_{day:%Y%m%d}", day + timedelta(days=1)
        if await db.fetchval("SELECT to_regclass($1)", name) is not None:
            continue
        async with db.transaction():
            await db.execute("LOCK TABLE fact IN SHARE ROW EXCLUSIVE MODE")
            taken = await db.fetchval(
                f"SELECT EXISTS (SELECT FROM fact_default WHERE made_at >= '{day}Z' AND made_at < '{until}Z')"
            )
            if not taken:
                await db.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF fact FOR VALUES FROM ('{day}Z') TO ('{until}Z')"
                )


async def drop_old_facts(db: Any, service: str, days: int) -> int:
    """Drops the partitions that ended more than so many days ago; how many. One with facts that no broker ever took
    stays, with an alarm; one that is being read is tried again at the next pass, so that no decision waits for it."""
    last = await _today(db) - timedelta(days=days)
    dropped = 0
    for row in await db.fetch(PARTITIONS):
        name: str = row["relname"]
        if date.fromisoformat(name.removeprefix("fact_")) >= last:
            break
        if unsent := await db.fetchval(UNSENT.format(partition=name)):
            telemetry.alarm(service, "facts-unsent", partition=name, source=unsent, days=days)
            continue
        try:
            async with db.transaction():
                await db.execute("SET LOCAL lock_timeout = '200ms'")
                await db.execute(f"DROP TABLE {name}")
        except asyncpg.LockNotAvailableError:
            log.info("old facts are being read", partition=name)
            break
        dropped += 1
    while await db.fetchval(STRAYS, ROWS_AT_ONCE, days) == ROWS_AT_ONCE:
        continue
    return dropped


async def tidy(
    pool: Any,
    service: str,
    settings: RuntimeSettings,
    retention: Sequence[Retention] | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> dict[str, int]:
    """One pass over the service's tables; what was removed. Nothing while another process does it."""
    async with pool.acquire() as db:
        await make_fact_partitions(db)
        async with _alone(db) as alone:
            if not alone:
                return {}
            declared = retention_of(service) if retention is None else retention
            removed = await sweep(db, declared, settings, rows_at_once)
            partitions = await drop_old_facts(db, service, settings.facts_days)
    for table, count in removed.items():
        REMOVED.labels(service, table).inc(count)
    return {**removed, **({"fact": partitions} if partitions else {})}


async def keep_tidy(pool: Any, service: str, settings: RuntimeSettings, every_seconds: float = EVERY_SECONDS) -> None:
    """Sweeps until cancelled."""
    while True:
        try:
            removed = await tidy(pool, service, settings)
            if removed:
                log.info("removed what was old", **removed)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("maintenance waits", error=repr(error))
        await asyncio.sleep(every_seconds)


@asynccontextmanager
async def _alone(db: Any) -> AsyncIterator[bool]:
    """Whether this session may sweep the schema; while the context lives, no other does."""
    key = await db.fetchval("SELECT hashtextextended('pointsman.retention.' || current_schema(), 0)")
    mine: bool = await db.fetchval("SELECT pg_try_advisory_lock($1)", key)
    try:
        yield mine
    finally:
        if mine and not db.is_closed():
            await db.fetchval("SELECT pg_advisory_unlock($1)", key)


async def _today(db: Any) -> date:
    today: date = await db.fetchval("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
    return today
