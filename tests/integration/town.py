"""Every service's worker and app in one process, and any workspaces in it."""

from typing import Any

from fastapi import FastAPI

from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.runtime.settings import RuntimeSettings
from pointsman_intake.worker import IntakeLogic
from pointsman_metrics.worker import MetricsLogic
from pointsman_routing.worker import DeskLane
from pointsman_sla.worker import SlaLane
from tests.integration.http.serving import a_client, a_token, bearer

WORKERS: dict[str, dict[str, Any]] = {
    "intake": {"reads": (DESK, COMMANDS), "writes": None, "logic": IntakeLogic, "slot_topic": REQUESTS},
    "routing": {"reads": (REQUESTS, COMMANDS, SLA), "writes": DESK, "logic": DeskLane},
    "sla": {"reads": (DESK, COMMANDS), "writes": SLA, "logic": SlaLane},
    "metrics": {"reads": (DESK, SLA, COMMANDS), "writes": None, "logic": MetricsLogic},
}


class Town:
    """Every service's worker and app in one process, and two workspaces in it."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self.settings = settings
        self.apps: dict[str, FastAPI] = {}

    async def call(self, service: str, method: str, path: str, role: str, workspace: str, **more: Any) -> Any:
        sub = "site-chat" if role == "connector" else "anna"
        token = a_token(self.settings, role, "*" if role == "operator" else workspace, sub)
        async with a_client(self.apps[service], bearer(token)) as client:
            return await client.request(method, path, **more)
