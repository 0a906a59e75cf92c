"""Metrics on real servers: its lane fed with records, and its application."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.runtime.database import open_pool
from pointsman.testing.installation import Installation
from pointsman_metrics.api import create
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.metrics.folding import verified


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


@pytest.fixture
async def pool(installation: Installation) -> AsyncIterator[Any]:
    """Connections of metrics' role to a fresh installation."""
    await verified(installation)
    pool = await open_pool(installation.settings, "metrics", size=4)
    yield pool
    await pool.close()


@pytest.fixture
async def app(installation: Installation, pool: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """Metrics' application in this process."""
    async with a_process(with_key(installation.settings, tmp_path), "metrics") as process:
        yield create(process)


@pytest.fixture
async def viewer(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a viewer's token of the workspace acme."""
    token = a_token(app.state.process.settings, "viewer", sub="wall")
    async with a_client(app, bearer(token)) as client:
        yield client
