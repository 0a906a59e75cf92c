"""The wallboard: the figures of now, and how soon a commit is seen."""

import asyncio
from typing import Any

import httpx
import pytest

from pointsman_metrics.live import LiveBoard
from tests.integration.metrics.a_day import a_day
from tests.integration.metrics.folding import fold
from tests.integration.metrics.test_reports import config
from tests.unit.metrics.desk_facts import opened, queued, record

pytestmark = pytest.mark.stack


async def test_what_waits_who_is_there_and_what_is_late(pool: Any, viewer: httpx.AsyncClient) -> None:
    await a_day(pool)
    figures = (await viewer.get("/v1/live")).json()
    assert figures["queues"]["billing"]["waiting"] == 1
    assert figures["queues"]["general"] == {"waiting": 0, "oldest_seconds": 0}
    assert figures["agents"] == {"available": 1, "away": 1, "offline": 0, "in_hand": 1}
    assert figures["breached"] == 1


async def test_a_commit_is_seen_within_a_fraction_of_a_second(pool: Any, app: Any) -> None:
    board = LiveBoard(app.state.process)
    await fold(pool, [record(0, config())])
    async with board.watch("acme") as editions, asyncio.timeout(5):
        assert (await anext(editions))["queues"]["billing"]["waiting"] == 0
        await fold(pool, [record(1, opened(), queued())])
        committed = asyncio.get_running_loop().time()
        async for figures in editions:
            if figures["queues"]["billing"]["waiting"] == 1:
                break
        assert asyncio.get_running_loop().time() - committed < 1.0
        await editions.aclose()


async def test_a_connector_may_not_look(app: Any) -> None:
    from tests.integration.http.serving import a_client, a_token, bearer

    token = a_token(app.state.process.settings, "connector")
    async with a_client(app, bearer(token)) as client:
        assert (await client.get("/v1/live")).status_code == 403
