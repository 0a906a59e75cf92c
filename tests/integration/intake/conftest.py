"""Intake's API over a workspace with connectors of every kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.testing.installation import Installation
from tests.integration.intake.serving import Api, an_api, configure


@pytest.fixture
async def api(installation: Installation, tmp_path: Path) -> AsyncIterator[Api]:
    await configure(installation)
    async with an_api(installation.settings, tmp_path) as api:
        yield api
