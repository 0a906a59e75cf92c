"""The workspace acme, whose targets are told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.runtime.database import open_pool
from pointsman.testing.installation import Installation
from tests.integration.sla.notify.telling import NotificationReceiver, Telling, a_receiver


@pytest.fixture
async def telling(installation: Installation, tmp_path: Path) -> AsyncIterator[Telling]:
    """Nothing is configured yet."""
    pool = await open_pool(installation.settings, "sla", size=3, purpose="test")
    yield Telling(installation, pool, tmp_path)
    await pool.close()


@pytest.fixture
async def receiver(telling: Telling) -> AsyncIterator[NotificationReceiver]:
    """What the target `pager` tells."""
    async with a_receiver() as receiver:
        await telling.configure(pager={})
        telling.address("pager", receiver.address)
        yield receiver
