"""A workspace on a real lane, with its HTTP API: customers write on the topic, agents' apps call over HTTP."""

import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope
from pointsman.core.ids import lane_of
from pointsman.core.topic import Topic
from pointsman.runtime.broker import make_producer
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import Worker
from pointsman.testing.customers import a_message
from pointsman.testing.installation import Installation
from pointsman_routing.api import create
from pointsman_routing.worker import DeskLane
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key

DOCUMENT: dict[str, Any] = {
    "workspace": "acme",
    "connectors": {"site-chat": {"channel": "chat", "kind": "json"}},
    "queues": {"general": {"order": "fifo", "offer": {"timeout_seconds": 60}}},
    "agents": {
        "anna": {"name": "Anna", "capacity": 8},
        "boris": {"name": "Boris", "capacity": 8},
    },
}


class RoutingService:
    """One installation with a routing worker and an API process. `as_` gives a client of a role."""

    worker: Worker
    logic: DeskLane

    def __init__(self, settings: RuntimeSettings, process: ApiProcess, app: Any, stack: AsyncExitStack) -> None:
        self.settings, self.process, self.app = settings, process, app
        self._stack = stack
        self._numbers = itertools.count(1)
        self._said = 0
        self._written: Counter[str] = Counter()
        self._producer: Any = None

    async def as_(self, role: str, sub: str = "anna", workspace: str = "acme") -> httpx.AsyncClient:
        token = a_token(self.settings, role, workspace, sub)
        return await self._stack.enter_async_context(a_client(self.app, bearer(token)))

    async def open_workspace(self, document: dict[str, Any] = DOCUMENT) -> None:
        operator = await self.as_("operator", "root", "*")
        answer = await operator.put("/v1/config", json=document, headers={"If-None-Match": "*"})
        assert answer.status_code == 200, answer.text

    async def sign_in(self, agent: str, workspace: str = "acme") -> httpx.AsyncClient:
        """The agent's app, its agent available."""
        app = await self.as_("agent", agent, workspace)
        presence = {"session": "s1", "lease_seconds": 600, "state": "available"}
        answer = await app.put("/v1/me/presence", json=presence)
        assert (answer.status_code, answer.json()["state"]) == (200, "available"), answer.text
        return app

    async def customer_writes(self, ticket: str, text: str = "Hello", workspace: str = "acme", **changes: Any) -> None:
        """As intake would publish it; the first message of a ticket opens it."""
        number = next(self._numbers)
        self._written[ticket] += 1
        now = self.process.clock.now()
        given: dict[str, Any] = {"channel": "chat", "text": text, "occurred_at": now} | changes
        message = a_message(ticket, number=self._written[ticket], at=now, **given)
        source = f"intake/{lane_of(workspace, self.settings.partitions)}@test"
        await self._produce(REQUESTS, source, number, Emission(workspace, ticket, now, (message,)))

    async def intake_says(self, ticket: str, *facts: Any, workspace: str = "acme") -> None:
        """As intake would publish it, beside messages."""
        source = f"intake/{lane_of(workspace, self.settings.partitions)}@test"
        said = Emission(workspace, ticket, self.process.clock.now(), facts)
        await self._produce(REQUESTS, source, next(self._numbers), said)

    async def clock_says(self, ticket: str, *facts: Any, workspace: str = "acme", agents: tuple[str, ...] = ()) -> None:
        """As sla would publish it."""
        self._said += 1
        said = Emission(workspace, ticket, self.process.clock.now(), facts, agents)
        await self._produce(SLA, "sla@test", self._said, said)

    async def _produce(self, topic: Topic, source: str, number: int, emission: Emission) -> None:
        partition = lane_of(emission.workspace, self.settings.partitions)
        envelope = Envelope(
            id=f"evt-{topic.name}-{number}",
            source=source,
            topic=topic.name,
            partition=partition,
            number=number,
            cause=f"req-{number}",
            workspace=emission.workspace,
            subject=emission.subject,
            at=emission.at,
            types=tuple(fact.type for fact in emission.facts),
            agents=emission.agents,
            body=codec.encode_facts(emission),
        )
        if self._producer is None:
            self._producer = make_producer(self.settings, self.settings.broker)
            await self._producer.start()
            self._stack.push_async_callback(self._producer.stop)
        await self._producer.send_and_wait(
            topic.full_name(self.settings.topic_prefix),
            value=envelope.body,
            key=emission.workspace.encode(),
            partition=partition,
            headers=codec.fact_headers(envelope),
        )


@asynccontextmanager
async def a_routing_service(
    installation: Installation, folder: Path, *, works: bool = True, **changes: Any
) -> AsyncIterator[RoutingService]:
    """The worker and the API of an installation; without `works` the API alone."""
    settings = with_key(installation.settings, folder).model_copy(update=changes)
    async with AsyncExitStack() as stack:
        logic = DeskLane()
        worker = Worker(
            settings, service="routing", reads=(REQUESTS, COMMANDS, SLA), writes=DESK, logic=logic, codec=codec
        )
        if works:
            await stack.enter_async_context(worker)
        process = await stack.enter_async_context(a_process(settings))
        app = create(process)
        routing = RoutingService(settings, process, app, stack)
        routing.worker, routing.logic = worker, logic
        yield routing


async def next_offer(app: httpx.AsyncClient, after: str | None = None) -> dict[str, Any]:
    """The first offer of a long poll."""
    if after is None:
        answer = (await app.get("/v1/me/offers")).json()
        if answer["items"]:
            return dict(answer["items"][0])
        after = answer["cursor"]
    answer = (await app.get("/v1/me/offers", params={"wait": 10, "after": after})).json()
    return dict(answer["items"][0])
