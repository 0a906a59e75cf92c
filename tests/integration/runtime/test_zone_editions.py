"""Processes that read different editions of the time zone database are an alarm; one edition is none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from pointsman.core import zones
from pointsman.core.zones import ZONES, Zones
from pointsman.runtime.database import connect, open_pool
from pointsman.runtime.zone_editions import editions, keep_comparing
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until


@asynccontextmanager
async def a_process(installation: Installation, edition: str, service: str) -> AsyncIterator[None]:
    """A session as a process with that edition has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zones, "ZONES", Zones(edition))
        connection = await connect(installation.settings, service, purpose="worker")
    try:
        yield
    finally:
        await connection.close()


async def test_services_whose_editions_differ_are_an_alarm(installation: Installation) -> None:
    pool = await open_pool(installation.settings, "sla", size=1)
    comparing = asyncio.create_task(keep_comparing(pool, "sla", every_seconds=0.01))
    try:
        with capture_logs() as logs:
            async with a_process(installation, ZONES.edition, "metrics"):
                assert await editions(pool) == {ZONES.edition: ["metrics-worker", "sla-worker"]}
                assert not logs
                async with a_process(installation, "2099a", "routing"):
                    await until(lambda: _told(logs))
        said = next(line for line in logs if line.get("alarm") == "zone-editions-differ")
        assert said["editions"]["2099a"] == ["routing-worker"]
    finally:
        comparing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await comparing
        await pool.close()


async def _told(logs: list[Any]) -> bool:
    return any(line.get("alarm") == "zone-editions-differ" for line in logs)
