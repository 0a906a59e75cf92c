"""The planner knows what has grown: a table that has doubled is analysed at once, not after PostgreSQL's next look."""

import asyncio
from typing import Any

import asyncpg
import structlog

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS

log = structlog.get_logger(__name__)

GREW_ROWS_MIN = 500
GROWN = f"""
    SELECT quote_ident(s.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.schemaname = current_schema() AND s.n_mod_since_analyze >= greatest({GREW_ROWS_MIN}, c.reltuples)
    ORDER BY 1
"""
"""Tables of which as much is new as there was when they were last analysed, or that never were."""
ANALYSING = "SELECT pg_try_advisory_xact_lock(hashtextextended('analyse:' || current_schema(), 0))"


async def analyse_grown(db: Any) -> list[str]:
    """Analyses the tables that have grown fast, unless another process is at it, and returns them. Plans made for them
    before are made anew: one for a small table may read the large one whole."""
    async with db.transaction():
        if not await db.fetchval(ANALYSING):
            return []
        tables = [row[0] for row in await db.fetch(GROWN)]
        for table in tables:
            await db.execute(f"ANALYZE {table}")
        return tables


async def keep_analysed(pool: Any, every_seconds: float = 5.0) -> None:
    """Looks until cancelled."""
    while True:
        try:
            async with pool.acquire() as db:
                tables = await analyse_grown(db)
            if tables:
                log.info("tables analysed", tables=tables)
        except (*INFRASTRUCTURE_ERRORS, asyncpg.UndefinedTableError) as error:
            log.warning("analysis waits", error=repr(error))
        await asyncio.sleep(every_seconds)
