"""All services at once, a workspace in them, and no program started beside a service before the test needs it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pointsman.testing.installation import Installation
from pointsman_intake.mail import readers
from pointsman_sla.notify import sender
from tests.integration.http.serving import with_key
from tests.integration.services import Services, running_services
from tests.integration.workspace import Workspace

NEVER_SECONDS = 3_600.0


@pytest.fixture(scope="session", autouse=True)
def nothing_starts_before_it_is_needed() -> Iterator[None]:
    """What reads mail and what sends notifications are programs that load for a second of processor. In a process that
    is there to stay they start by themselves after a while; here the first mail and the first notification start them.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (readers, sender):
            patch.setattr(module, "WARM_UP_SECONDS", NEVER_SECONDS)
        yield


@pytest.fixture
async def services(installation: Installation, tmp_path: Path) -> AsyncIterator[Services]:
    settings = with_key(installation.settings, tmp_path).model_copy(update={"command_timeout_seconds": 5.0})
    async with running_services(settings) as services:
        yield services


@pytest.fixture
async def workspace(services: Services) -> Workspace:
    """A workspace that the test opens."""
    return Workspace(services)
