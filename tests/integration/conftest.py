"""A town: all services at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.testing.installation import Installation
from tests.integration.http.serving import with_key
from tests.integration.shop import Shop
from tests.integration.town import Town, a_town


@pytest.fixture
async def town(installation: Installation, tmp_path: Path) -> AsyncIterator[Town]:
    settings = with_key(installation.settings, tmp_path).model_copy(update={"command_timeout_seconds": 5.0})
    async with a_town(settings) as town:
        yield town


@pytest.fixture
async def shop(town: Town) -> Shop:
    """A shop that the test opens."""
    return Shop(town)
