"""`bench alerts`: from a clock's deadline to the event of its alert on somebody's stream.

`POINTSMAN_BENCH_ALERTS` clocks (3,000), 50 a second, in 64 workspaces, each in a queue of its own, so that each breach
opens an alert. A worker fires them, the API streams them, and 64 readers follow `GET /sla/v1/alerts/stream`. The figure
is from the appointed instant to the reader's having the event, over a connection as any client has one.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.cli.server import local_token
from pointsman.client.session import Session
from pointsman.client.sse import notices
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.local.process import free_port
from pointsman.runtime.database import open_pool
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited
from pointsman_sla.bench import LEAD_SECONDS, WORKSPACES, arm, worker_process

ALERTS = int(os.environ.get("POINTSMAN_BENCH_ALERTS", "3000"))
PER_SECOND = 50
READY_SECONDS = 30

DUE = "SELECT queue, breach_at FROM clock WHERE starts_with(ticket_id, $1)"
OWN_QUEUE = "UPDATE clock SET queue = 'q-' || clock_id WHERE starts_with(ticket_id, $1)"


async def alerts(bench: Bench) -> dict[str, list[float]]:
    """The figures of as many runs, after one that warms up."""
    samples: dict[str, list[float]] = {name: [] for name in ("alerts", "to_stream_p50_ms", "to_stream_p99_ms")}
    async with bare_installation(bench) as settings:
        pool = await open_pool(settings, "sla", size=2, purpose="bench")
        lanes = [lane_of(name, settings.partitions) for name in WORKSPACES]
        async with worker_process(settings), _api(settings) as url, httpx.AsyncClient(trust_env=False) as client:
            heard: dict[str, Instant] = {}
            reading = [
                awaited(_read(Session(url, _token(settings, name), client=client), heard)) for name in WORKSPACES
            ]
            for run in range(bench.runs + 1):
                prefix = f"run{run}_"
                first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
                await arm(pool, lanes, prefix, ALERTS, first, timedelta(seconds=1 / PER_SECOND))
                await pool.execute(OWN_QUEUE, prefix)
                due: dict[str, Instant] = {row["queue"]: row["breach_at"] for row in await pool.fetch(DUE, prefix)}
                async with asyncio.timeout(ALERTS / PER_SECOND + 60):
                    while not due.keys() <= heard.keys():  # noqa: ASYNC110  # the streams set no event
                        await asyncio.sleep(0.05)
                late = sorted((heard[queue] - at).total_seconds() * 1000 for queue, at in due.items())
                if run:  # the first is the warm-up
                    samples["alerts"].append(float(len(late)))
                    samples["to_stream_p50_ms"].append(late[len(late) // 2])
                    samples["to_stream_p99_ms"].append(late[int(len(late) * 0.99)])
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        await pool.close()
    return samples


async def _read(session: Session, heard: dict[str, Instant]) -> None:
    """Notes when the opening of each queue's alert came."""
    async for notice in notices(session, "/sla/v1/alerts/stream"):
        if notice.name == "alert.opened":
            heard[notice.data["queue"]] = datetime.now(UTC)


def _token(settings: RuntimeSettings, workspace: str) -> str:
    assert settings.key_file is not None
    return local_token(settings.key_file, "supervisor", workspace, "bench", 3600)


@asynccontextmanager
async def _api(settings: RuntimeSettings) -> AsyncIterator[str]:
    """An API process of sla; its URL."""
    port = free_port()
    given = {f"POINTSMAN_{name.upper()}": str(value) for name, value in settings if value is not None}
    environment = os.environ | given | {"POINTSMAN_LOG_LEVEL": "warning", "POINTSMAN_EDGE_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "pointsman_sla", "api", env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_serves(url)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_serves(url: str) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                answer: Any = await client.get(f"{url}/sla/openapi.json")
                if answer.is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
