"""A PostgreSQL that takes no writes for a while, as a failover that went wrong leaves it: sessions stay open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from pointsman.local import Postgres


@asynccontextmanager
async def read_only(postgres: Postgres) -> AsyncIterator[None]:
    """While the block runs, every transaction of every session on the server is read-only."""
    await _say(postgres, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        await _say(postgres, "ALTER SYSTEM RESET default_transaction_read_only")


async def _say(postgres: Postgres, statement: str) -> None:
    admin = await asyncpg.connect(postgres.dsn, server_settings={"default_transaction_read_only": "off"})
    try:
        await admin.execute(statement)
        await admin.execute("SELECT pg_reload_conf()")
    finally:
        await admin.close()
