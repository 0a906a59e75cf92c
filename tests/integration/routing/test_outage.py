"""Routing is down for longer than every agent's lease: agents whose apps went on renewing have not lapsed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_routing.api import create
from pointsman_routing.worker import DeskLane
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.routing.service import DOCUMENT

pytestmark = pytest.mark.stack

LEASE_SECONDS = 5
DOWN_SECONDS = 8.0


@asynccontextmanager
async def routing(settings: RuntimeSettings) -> AsyncIterator[Worker]:
    async with Worker(
        settings, service="routing", reads=(REQUESTS, COMMANDS, SLA), writes=DESK, logic=DeskLane(), codec=codec
    ) as worker:
        yield worker


async def renew(app: httpx.AsyncClient, state: str | None = None) -> httpx.Response:
    body = {"session": "s1", "lease_seconds": LEASE_SECONDS} | ({"state": state} if state else {})
    return await app.put("/v1/me/presence", json=body)


async def test_who_renewed_all_the_time_is_still_there_and_who_did_not_has_lapsed(
    installation: Installation, tmp_path: Path
) -> None:
    settings = with_key(installation.settings, tmp_path)
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(a_process(settings))
        app = create(process)
        await stack.enter_async_context(app.router.lifespan_context(app))

        async def client(role: str, sub: str, workspace: str = "acme") -> httpx.AsyncClient:
            token = a_token(settings, role, workspace, sub)
            return await stack.enter_async_context(a_client(app, bearer(token)))

        operator, anna, boris = (
            await client("operator", "root", "*"),
            await client("agent", "anna"),
            await client("agent", "boris"),
        )
        async with routing(settings):
            await operator.put("/v1/config", json=DOCUMENT, headers={"If-None-Match": "*"})
            for agent in (anna, boris):
                assert (await renew(agent, "available")).json()["state"] == "available"
        down_since = asyncio.get_running_loop().time()

        async def long_enough() -> bool:
            assert (await renew(anna)).status_code == 200
            return asyncio.get_running_loop().time() - down_since > DOWN_SECONDS

        await until(long_enough)
        async with routing(settings):
            changed = "SELECT body FROM fact WHERE 'agent.presence_changed' = ANY(types) ORDER BY number"

            async def boris_has_lapsed() -> bool:
                await renew(anna)
                return bool(await process.pool.fetchval("SELECT count(*) >= 3 FROM fact WHERE subject LIKE 'agent:%'"))

            await until(boris_has_lapsed)
            facts = [fact for row in await process.pool.fetch(changed) for fact in row["body"]["facts"]]
    assert [(fact["agent"], fact["state"], fact["set_by"]) for fact in facts] == [
        ("anna", "available", "agent"),
        ("boris", "available", "agent"),
        ("boris", "offline", "lapse"),
    ]
