"""Intake's API over a workspace with connectors of every kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pointsman.testing.installation import Installation
from tests.integration.intake.lane import Stack, a_stack
from tests.integration.intake.serving import Api, an_api, configure


@pytest.fixture
async def api(installation: Installation, tmp_path: Path) -> AsyncIterator[Api]:
    await configure(installation)
    async with an_api(installation.settings, tmp_path) as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The same for a module whose tests change nothing."""
    await configure(shared_installation)
    async with an_api(shared_installation.settings, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture
async def stack(installation: Installation, tmp_path: Path) -> AsyncIterator[Stack]:
    """The API, the worker and the delivery loop, and a desk that speaks to them."""
    async with a_stack(installation, tmp_path) as stack:
        yield stack
