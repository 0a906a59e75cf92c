"""Pools of connections: nobody waits for ever, and nobody waits for what they hold themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.ops import ops_app
from pointsman.runtime.pool import AcquiredInside, BoundedPool, PoolExhausted
from pointsman.runtime.stuck import stuck
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.http.serving import a_client


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


@asynccontextmanager
async def a_pool(installation: Installation, size: int = 2, **changes: float) -> AsyncIterator[BoundedPool]:
    settings = installation.settings.model_copy(update={"database_wait_seconds": 0.2} | changes)
    pool = await open_pool(settings, "metrics", size=size, purpose="api")
    try:
        yield pool
    finally:
        pool.terminate()


async def _health(client: httpx.AsyncClient) -> tuple[int, str]:
    answer = await client.get("/healthz")
    return answer.status_code, answer.text


async def test_a_connection_is_not_waited_for_for_ever(installation: Installation) -> None:
    async with a_pool(installation, size=1) as pool:
        held = await pool.acquire()
        with pytest.raises(PoolExhausted, match=r"no connection of the pool metrics-api came free within 0\.2 s"):
            await pool.fetchval("SELECT 1")
        await pool.release(held)
        assert await pool.fetchval("SELECT 1") == 1
    assert issubclass(PoolExhausted, INFRASTRUCTURE_ERRORS)  # so that a call answers 503 and a lane tries again


async def test_acquiring_inside_an_acquire_raises_even_while_connections_are_free(installation: Installation) -> None:
    async with a_pool(installation, size=4) as pool, a_pool(installation) as another:
        async with pool.acquire() as db:
            with pytest.raises(AcquiredInside):
                await pool.fetchval("SELECT 1")
            with pytest.raises(AcquiredInside):
                await asyncio.gather(asyncio.create_task(pool.fetchval("SELECT 1")))
            assert await another.fetchval("SELECT 1") == 1
            assert await db.fetchval("SELECT 1") == 1
        assert await pool.fetchval("SELECT 1") == 1


async def test_what_was_started_inside_may_acquire_once_the_connection_is_back(installation: Installation) -> None:
    async with a_pool(installation) as pool:
        back = asyncio.Event()

        async def later() -> object:
            await back.wait()
            return await pool.fetchval("SELECT 1")

        async with pool.acquire():
            task = asyncio.create_task(later())
        back.set()
        assert await task == 1


async def test_a_stuck_pool_fails_liveness_and_a_busy_one_does_not(installation: Installation) -> None:
    async with a_pool(installation, database_stuck_seconds=0.1) as pool, a_client(ops_app(lambda: None)) as client:
        taken = [await pool.acquire() for _ in range(2)]
        assert await _health(client) == (200, "ok\n")  # all are in use, and nobody asked for more
        with pytest.raises(PoolExhausted):
            await pool.fetchval("SELECT 1")

        async def dead() -> bool:
            return (await _health(client))[0] == 503

        await until(dead)
        assert "the pool metrics-api: no connection came back for" in (await _health(client))[1]
        await pool.release(taken[0])
        assert await _health(client) == (200, "ok\n")
        await pool.release(taken[1])


async def test_a_database_that_is_away_is_no_stuck_pool(installation: Installation) -> None:
    async with a_pool(installation, size=1, database_stuck_seconds=0.0) as pool:
        name = await pool.fetchval("SELECT current_database()")
        admin = await asyncpg.connect(installation.postgres.dsn)
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await admin.close()
        for _ in range(2):
            with pytest.raises((asyncpg.PostgresError, *INFRASTRUCTURE_ERRORS)):
                await pool.fetchval("SELECT 1")
            assert stuck() is None
