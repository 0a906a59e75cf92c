"""A town: all services at once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pointsman.contracts import codec
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_process, with_key
from tests.integration.shop import Shop
from tests.integration.town import WORKERS, Town


@pytest.fixture
async def town(installation: Installation, tmp_path: Path) -> AsyncIterator[Town]:
    settings = with_key(installation.settings, tmp_path).model_copy(update={"command_timeout_seconds": 5.0})
    async with AsyncExitStack() as stack:
        town = Town(settings)
        for service, parts in WORKERS.items():
            given = parts | {"logic": parts["logic"]()}
            await stack.enter_async_context(Worker(settings, service=service, codec=codec, **given))
        for entry in entry_points(group="pointsman.apps"):
            process = await stack.enter_async_context(a_process(settings, entry.name))
            app = entry.load()(process)
            await stack.enter_async_context(app.router.lifespan_context(app))
            town.apps[entry.name] = app
        yield town


@pytest.fixture
async def shop(town: Town) -> Shop:
    """A shop that the test opens."""
    return Shop(town)
