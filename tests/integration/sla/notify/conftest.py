"""The workspace acme, whose targets are told. All of a module is on one loop, so that its tests can share a sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pointsman.runtime.database import open_pool
from pointsman.testing.installation import Installation
from pointsman_sla.notify.sandbox import Sandbox
from tests.integration.sla.notify.telling import NotificationReceiver, Telling, a_receiver


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """One for a module, that may tell this host: it loads for most of a second."""
    async with Sandbox(loopback=True) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def telling(installation: Installation, tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Telling]:
    """Nothing is configured yet."""
    pool = await open_pool(installation.settings, "sla", size=3, purpose="test")
    yield Telling(installation, pool, tmp_path, sandbox)
    await pool.close()


@pytest_asyncio.fixture(loop_scope="module")
async def receiver(telling: Telling) -> AsyncIterator[NotificationReceiver]:
    """What the target `pager` tells."""
    async with a_receiver() as receiver:
        await telling.configure(pager={})
        telling.address("pager", receiver.address)
        yield receiver
