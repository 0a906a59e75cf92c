"""Every service's worker and app in one process, and any workspaces in it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from fastapi import FastAPI

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import Worker
from pointsman_intake.settings import IntakeSettings
from pointsman_intake.worker import IntakeLogic
from pointsman_metrics.settings import MetricsSettings
from pointsman_metrics.worker import MetricsLogic
from pointsman_routing.settings import RoutingSettings
from pointsman_routing.worker import DeskLane
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane
from tests.integration.http.serving import a_client, a_process, a_token, bearer

WORKERS: dict[str, dict[str, Any]] = {
    "intake": {"reads": (DESK, COMMANDS), "writes": None, "logic": IntakeLogic, "slot_topic": REQUESTS},
    "routing": {"reads": (REQUESTS, COMMANDS, SLA), "writes": DESK, "logic": DeskLane},
    "sla": {"reads": (DESK, COMMANDS), "writes": SLA, "logic": SlaLane},
    "metrics": {"reads": (DESK, SLA, COMMANDS), "writes": None, "logic": MetricsLogic},
}

SETTINGS: dict[str, type[RuntimeSettings]] = {
    "intake": IntakeSettings,
    "routing": RoutingSettings,
    "sla": SlaSettings,
    "metrics": MetricsSettings,
}
"""Of each service's own processes: its sweeps look there for how long rows are kept."""


class Services:
    """Every service's worker and app in one process, and two workspaces in it."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self.settings = settings
        self.apps: dict[str, FastAPI] = {}

    async def call(self, service: str, method: str, path: str, role: str, workspace: str, **more: Any) -> Any:
        """`sub`, if given, is of the token; else it is site-chat's when it is a connector's, else anna's."""
        sub = more.pop("sub", "site-chat" if role == "connector" else "anna")
        token = a_token(self.settings, role, "*" if role == "operator" else workspace, sub)
        async with a_client(self.apps[service], bearer(token)) as client:
            return await client.request(method, path, **more)


def a_worker(settings: RuntimeSettings, service: str) -> Worker:
    """A service's worker, not yet entered."""
    parts = WORKERS[service]
    own = SETTINGS[service](**settings.model_dump())
    return Worker(own, service=service, codec=codec, **(parts | {"logic": parts["logic"]()}))


@cache
def _apps() -> dict[str, Any]:
    """Of each service what makes its application."""
    return {entry.name: entry.load() for entry in entry_points(group="pointsman.apps")}


@asynccontextmanager
async def running_services(settings: RuntimeSettings) -> AsyncIterator[Services]:
    """All of it runs while the context lives. `settings` have their key files."""
    async with AsyncExitStack() as stack:
        services = Services(settings)
        for service in WORKERS:
            await stack.enter_async_context(a_worker(settings, service))
        for service, create in _apps().items():
            process = await stack.enter_async_context(a_process(settings, service))
            app = create(process)
            await stack.enter_async_context(app.router.lifespan_context(app))
            services.apps[service] = app
        yield services
