"""A floor with its workspace applied."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.testing.installation import Installation
from tests.integration.routing.floor import Floor, a_floor


@pytest.fixture
async def floor(installation: Installation, tmp_path: Path) -> AsyncIterator[Floor]:
    async with a_floor(installation, tmp_path) as floor:
        await floor.open_workspace()
        yield floor
