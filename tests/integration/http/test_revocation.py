"""A revoked token is refused by every process, also by one that starts later, also when the broker lost its log."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.local import Tansu, create_topics
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.process import ApiProcess
from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_process
from tests.integration.routing.floor import a_floor
from tests.integration.runtime.tally import until

pytestmark = pytest.mark.stack


def refuses(process: ApiProcess, token: dict[str, Any]) -> bool:
    headers = {"authorization": f"Bearer {token['token']}"}
    try:
        process.auth.admit(headers, ("connector",), reads=False)
    except Problem as problem:
        return problem.status == 401
    return False


async def test_every_process_learns_of_a_revocation(installation: Installation, tmp_path: Path) -> None:
    address = tmp_path / "broker"

    async def start(folder: str) -> Tansu:
        server = Tansu(tmp_path / folder)
        await server.start()
        await create_topics(server.address, installation.settings.partitions, installation.settings.topic_prefix)
        address.write_text(server.address)
        return server

    broker = await start("first")
    try:
        changes = {"broker": f"file:{address}", **Tansu.settings}
        async with a_floor(installation, tmp_path, **changes) as floor, a_process(floor.settings, "intake") as running:
            await floor.open_workspace()
            admin = await floor.as_("admin", "root")
            body = {"role": "connector", "sub": "site-chat", "ttl_seconds": 600}
            token = (await admin.post("/v1/tokens", json=body)).json()
            assert not refuses(running, token)
            assert (await admin.delete(f"/v1/tokens/{token['token_id']}")).status_code == 204
            await until(lambda: refuses(running, token))
            async with a_process(floor.settings, "sla") as started_later:
                assert refuses(started_later, token)
            await until(lambda: running.pool.fetchval("SELECT count(*) FROM revoked_token"))
        await broker.stop()
        broker = await start("second")
        async with a_process(floor.settings, "intake") as after_the_loss:
            assert refuses(after_the_loss, token)
    finally:
        await broker.stop()
