"""A routing service with its workspace applied."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pointsman.testing.installation import Installation
from tests.integration.routing.service import RoutingService, a_routing_service


@pytest.fixture
async def routing(installation: Installation, tmp_path: Path) -> AsyncIterator[RoutingService]:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace()
        yield routing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_routing(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RoutingService]:
    """The same for a module whose tests change nothing."""
    async with a_routing_service(shared_installation, tmp_path_factory.mktemp("routing")) as routing:
        await routing.open_workspace()
        yield routing
