"""A routing service with its workspace applied."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.testing.installation import Installation
from tests.integration.routing.service import RoutingService, a_routing_service


@pytest.fixture
async def routing(installation: Installation, tmp_path: Path) -> AsyncIterator[RoutingService]:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace()
        yield routing
