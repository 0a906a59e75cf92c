"""`bench intake`: one real API process, a load generator beside it, durable writes; everything else idle.

`figures` gives one list of samples a figure, one sample a run: `single_per_second` (64 connections, as fast as answers
come), `single_p99_ms_at_1000` (1,000 posts a second at appointed times), `batch_per_second` (messages, 1,000 a call).
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.core.ids import random_id
from pointsman.local.process import free_port
from pointsman.runtime.auth import sign_token
from pointsman.runtime.database import open_pool
from pointsman.runtime.issuer_keys import IssuerKeys
from pointsman.runtime.settings import RuntimeSettings
from pointsman_intake.connectors import store_version
from pointsman_intake.load import Load, Measured

WORKSPACE = "bench-intake"
CONNECTOR = "bench"


async def figures(
    settings: RuntimeSettings, *, runs: int = 3, seconds: float = 5.0, seed: int = 7
) -> dict[str, list[float]]:
    """Measures on a running database (and broker, if it is up). `settings` need a key file."""
    await configure(settings)
    token = _token(settings)
    samples: dict[str, list[float]] = {name: [] for name in FIGURES}
    async with api_process(settings) as port:
        for number in range(runs):
            prefix = f"{random_id('run', datetime.now(UTC))}-{number}"
            given = {"port": port, "token": token, "connector": CONNECTOR, "seconds": seconds, "seed": seed + number}
            single = await _load(Load(**given, prefix=f"{prefix}-s"))
            samples["single_per_second"].append(_rate(single))
            steady = await _load(Load(**given, prefix=f"{prefix}-r", rate=1_000, connections=32))
            samples["single_p99_ms_at_1000"].append(steady.p99_ms)
            path = "/intake/v1/messages:batch"
            many = await _load(Load(**given, prefix=f"{prefix}-b", path=path, batch=1_000, connections=4))
            samples["batch_per_second"].append(_rate(many))
    return samples


async def measure(bench: Bench) -> dict[str, list[float]]:
    """The entry point of `pointsman bench intake`: on servers of its own."""
    async with bare_installation(bench) as settings:
        return await figures(settings, runs=bench.runs, seed=bench.seed)


FIGURES = ("single_per_second", "single_p99_ms_at_1000", "batch_per_second")


@asynccontextmanager
async def api_process(settings: RuntimeSettings) -> AsyncIterator[int]:
    """One API process of intake under these settings; its port."""
    port = free_port()
    given = {f"POINTSMAN_{name.upper()}": str(value) for name, value in settings if value is not None}
    given |= {"POINTSMAN_EDGE_PORT": str(port), "POINTSMAN_OPS_PORT": "0", "POINTSMAN_LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pointsman_intake", "api", env=os.environ | given
    )
    try:
        async with httpx.AsyncClient() as client:
            await _ready(client, f"http://127.0.0.1:{port}/readyz", process)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient, url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30):
        while process.returncode is None:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise RuntimeError(f"the API process ended with {process.returncode}")


async def _load(load: Load) -> Measured:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pointsman_intake.load", load.model_dump_json(), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    measured = Measured.model_validate_json(printed)
    if measured.failed:
        raise RuntimeError(f"{measured.failed} calls were not accepted")
    return measured


def _rate(measured: Measured) -> float:
    return measured.answered / measured.seconds


def _token(settings: RuntimeSettings) -> str:
    if settings.key_file is None:
        raise ValueError("a key file is needed")
    key = IssuerKeys.read(settings.key_file)
    return sign_token(key, "connector", WORKSPACE, CONNECTOR, 3600, random_id("tok", datetime.now(UTC)))


async def configure(settings: RuntimeSettings) -> None:
    """The workspace with its connector, as intake's worker would have written it."""
    pool = await open_pool(settings, "intake", size=1, purpose="bench")
    try:
        async with pool.acquire() as db, db.transaction():
            document = {"connectors": {CONNECTOR: {"channel": "chat", "kind": "json"}}}
            await store_version(db, WORKSPACE, 1, document, datetime.now(UTC))
    finally:
        await pool.close()
