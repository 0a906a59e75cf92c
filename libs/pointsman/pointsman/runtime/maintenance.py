"""What grows is bounded: partitions of `fact` by day, outcomes of a day, workers that are gone."""

import asyncio
from datetime import date, timedelta
from typing import Any

import structlog

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS

log = structlog.get_logger(__name__)

DAYS_AHEAD = 2
OUTCOMES_PER_SWEEP_MAX = 20_000

TIDY = (
    "DELETE FROM worker WHERE lease_until < clock_timestamp() - interval '10 minutes'",
    "DELETE FROM skipped WHERE at < clock_timestamp() - interval '90 days'",
    f"""
    DELETE FROM outcome WHERE id IN (
        SELECT id FROM outcome WHERE at < clock_timestamp() - interval '24 hours' LIMIT {OUTCOMES_PER_SWEEP_MAX})
    """,
)


async def make_fact_partitions(db: Any) -> None:
    """The partitions of today and the days ahead. A day whose rows are in the default partition keeps them there."""
    today: date = await db.fetchval("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
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


async def keep_tidy(pool: Any, every_seconds: float = 600.0) -> None:
    """Sweeps until cancelled."""
    while True:
        try:
            async with pool.acquire() as db:
                await make_fact_partitions(db)
                for statement in TIDY:
                    await db.execute(statement)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("maintenance waits", error=repr(error))
        await asyncio.sleep(every_seconds)
