"""Intake's API and worker on one installation, and a desk that says facts beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pointsman.contracts import codec
from pointsman.contracts.desk import TicketReplied
from pointsman.contracts.shapes import Author, Customer
from pointsman.contracts.topics import COMMANDS, DESK
from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman.runtime.group_commit import GroupCommit
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from pointsman_intake.deliver import DeliveryLoop, reporting
from pointsman_intake.fetching import FetchingLoop
from pointsman_intake.settings import IntakeSettings
from pointsman_intake.worker import IntakeLogic
from tests.integration.http.serving import with_key
from tests.integration.intake.serving import Api, an_api, configure, put_secrets


class DeskTopic:
    """Stands for routing: says facts on the topic `desk`, numbered as a source does."""

    def __init__(self, group: GroupCommit[Emission, None]) -> None:
        self._group = group

    async def say(self, subject: str, *facts: Any, workspace: str = "acme") -> None:
        await self._group.submit(Emission(workspace, subject, self._group.clock.now(), facts))

    async def reply(self, ticket: str = "tkt_1", message: str = "msg_r1", **changes: Any) -> None:
        values: dict[str, Any] = {
            "ticket_id": ticket,
            "message_id": message,
            "author": Author(kind="agent", id="anna", name="Anna"),
            "text": "We are on it.",
            "connector": "site-chat",
            "channel": "chat",
            "thread": "t",
            "customer": Customer(id="cus_1"),
            "occurred_at": self._group.clock.now(),
        }
        await self.say(ticket, TicketReplied(**values | changes))


async def _tell(db: Any, items: Any, now: Instant) -> Any:
    return [None] * len(items), list(items)


class Stack:
    """An API process and a worker with its delivery loop on one installation, and the desk beside."""

    def __init__(self, api: Api, desk: DeskTopic, worker: Worker, settings: IntakeSettings, folder: Path) -> None:
        self.api, self.desk, self.worker, self.settings, self.folder = api, desk, worker, settings, folder

    async def pull(self, sub: str = "site-chat", **params: Any) -> dict[str, Any]:
        answer = await self.api.get("/v1/replies", "connector", sub, params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def delivery(self, id: str = "msg_r1") -> Any:
        items = (await self.api.get("/v1/deliveries")).json()["items"]
        return next((item for item in items if item["id"] == id), None)


@asynccontextmanager
async def a_stack(installation: Installation, tmp_path: Path) -> AsyncIterator[Stack]:
    await configure(installation)
    put_secrets(tmp_path / "secrets")
    settings = IntakeSettings(
        **with_key(installation.settings, tmp_path).model_dump()
        | {
            "deliver_to_loopback": True,
            "fetch_from_loopback": True,
            "fetch_backoff_seconds": 0.05,
            "fetch_rounds_max": 3,
            "fetch_seconds_max": 1.0,
            "delivery_backoff_seconds": 0.05,
            "delivery_timeout_seconds": 2.0,
            "secrets_folder": tmp_path / "secrets",
        }
    )
    worker = Worker(settings, service="intake", reads=(DESK, COMMANDS), writes=None, logic=IntakeLogic(), codec=codec)
    async with an_api(settings, tmp_path) as api, worker:
        link = api.process.hub.link
        desk = GroupCommit(settings, service="routing", topic=DESK, handle=_tell, codec=codec, link=link)
        group = reporting(settings, link)
        async with desk, group, DeliveryLoop(settings, group), FetchingLoop(settings, group):
            yield Stack(api, DeskTopic(desk), worker, settings, tmp_path)
