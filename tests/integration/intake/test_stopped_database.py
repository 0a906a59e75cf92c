"""A database that is stopped (not gone: its connections stay open and say nothing) keeps nobody waiting."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from pointsman.local import Postgres
from pointsman.runtime.tasks import failure
from pointsman.testing.installation import Broker, fresh_installation, make_template
from pointsman.testing.waiting import until
from tests.integration.intake.serving import an_api, configure

pytestmark = pytest.mark.stack

READS = ("/v1/replies?connector=pushed", "/v1/quarantine", "/v1/config-version", "/v1/customers/c_none")


async def test_reads_answer_503_within_two_seconds_and_come_back(broker: Broker, tmp_path: Path) -> None:
    async with Postgres(tmp_path / "postgres", durable=False) as postgres:
        await make_template(postgres, "template_stopped")
        async with fresh_installation(postgres, broker, template="template_stopped", name="stopped") as installation:
            await configure(installation)
            async with an_api(installation.settings, tmp_path) as api:
                await until(lambda: api.process.unready() is None)
                assert (await api.get("/v1/config-version")).status_code == 200
                stopped = _stop(postgres)
                try:
                    # One that is in flight when it stops ends as soon as `/readyz` knows.
                    flying = asyncio.create_task(api.get("/v1/config-version"))
                    await until(lambda: "out of reach" in (api.process.unready() or ""))
                    for path in READS:
                        began = time.monotonic()
                        assert (await api.get(path)).status_code == 503, path
                        assert time.monotonic() - began < 2.0, path
                    assert (await flying).status_code in (200, 503)  # 200 when it was read before
                finally:
                    for process in stopped:
                        process.resume()
                await until(lambda: api.process.unready() is None)

                async def reads() -> bool:
                    return (await api.get("/v1/config-version")).status_code == 200

                await until(reads)
                assert not failure()


def _stop(postgres: Postgres) -> list[psutil.Process]:
    """Stops the server and all its backends."""
    assert postgres.process.pid is not None
    server = psutil.Process(postgres.process.pid)
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.suspend()
    return family
