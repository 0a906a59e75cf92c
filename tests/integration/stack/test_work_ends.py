"""A process whose work beside has ended stops, with an exit code that its supervisor sees."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.integration.http.serving import with_key
from tests.integration.runtime.conftest import Sums, sums  # noqa: F401  # a fixture
from tests.integration.runtime.sums import COMMANDS, DESK, REQUESTS, SumsCodec, SumsLane

from pointsman.edge.serve import serve
from pointsman.edge.settings import EdgeSettings
from pointsman.local.process import free_port
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.worker import Worker, serve_worker
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until

pytestmark = pytest.mark.stack


async def _dies(began: asyncio.Event) -> None:
    await began.wait()
    raise ZeroDivisionError("beside")


@asynccontextmanager
async def _beside(began: asyncio.Event) -> AsyncIterator[None]:
    tasks = Tasks("sums")
    tasks.keep(_dies(began))
    try:
        yield
    finally:
        await tasks.close()


async def test_a_worker_stops_when_what_runs_beside_it_raises(sums: Sums) -> None:  # noqa: F811
    worker = Worker(
        sums.settings,
        service="sums",
        reads=(COMMANDS, REQUESTS),
        writes=DESK,
        logic=SumsLane(),
        codec=SumsCodec(),
    )
    began = asyncio.Event()
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve_worker(worker, _beside(began)))
        await until(lambda: len(worker.lanes) == 4 and worker.why_not_ready() is None)
        began.set()
        assert await serving == 1
    assert worker.why_not_ready() is not None


async def test_an_edge_stops_when_its_work_beside_raises(installation: Installation, tmp_path: Path) -> None:
    settings = EdgeSettings(
        **with_key(installation.settings, tmp_path).model_dump(),
        edge_port=free_port(),
        edge_services="routing",
        drain_seconds=1,
    )
    began = asyncio.Event()
    async with asyncio.timeout(30), _beside(began), httpx.AsyncClient(trust_env=False) as client:
        serving = asyncio.create_task(serve(settings))

        async def ready() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{settings.edge_port}/readyz")).is_success
            except httpx.TransportError:
                return False

        await until(ready)
        began.set()
        assert await serving == 1
