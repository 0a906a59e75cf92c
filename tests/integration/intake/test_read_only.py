"""A failover that left PostgreSQL read-only: `/readyz` says so, calls answer 503, and all goes on by itself."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.runtime.tasks import failure
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.intake.serving import Api, an_api, configure
from tests.integration.read_only import read_only

pytestmark = pytest.mark.stack


async def _status(api: Api, external_id: str) -> int:
    message: dict[str, Any] = {"connector": "site-chat", "external_id": external_id, "text": "Hello"}
    return (await api.post("/v1/messages", json=message)).status_code


async def test_posts_are_refused_and_accepted_again_after_a_failover(
    installation: Installation, tmp_path: Path
) -> None:
    await configure(installation)
    async with an_api(installation.settings, tmp_path) as api:
        assert await _status(api, "before") == 202
        await until(lambda: api.process.unready() is None)
        async with read_only(installation.postgres):
            await until(lambda: api.process.unready() == "intake: the database takes no writes")
            assert await _status(api, "meanwhile") == 503
        await until(lambda: api.process.unready() is None)

        async def accepted() -> bool:
            return await _status(api, "after") == 202

        await until(accepted)
        assert not failure()


async def test_readiness_asks_the_gate(installation: Installation, tmp_path: Path) -> None:
    """A process without a slot accepts nothing, though its database answers."""
    await configure(installation)
    async with an_api(installation.settings, tmp_path) as api:
        await until(lambda: api.process.unready() is None)
        db = await installation.connect("intake")
        async with db.transaction():
            await db.execute("SELECT FROM slot FOR UPDATE")
            assert await _status(api, "meanwhile") == 503
            await until(lambda: "no slot is held" in (api.process.unready() or ""))
        await until(lambda: api.process.unready() is None)
        assert await _status(api, "after") == 202
        await db.close()
