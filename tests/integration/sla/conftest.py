"""Sla on real servers: desk facts and commands published as routing and the APIs do, and workers that read them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn

from pointsman.contracts import codec
from pointsman.contracts.commands import Command
from pointsman.contracts.desk import TicketClassified, TicketOpened, TicketQueued, TicketReplied
from pointsman.contracts.shapes import Actor, Author, Customer
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime.broker import make_producer
from pointsman.runtime.database import open_pool
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane

SUPERVISOR = Actor(kind="supervisor", id="sue")


@dataclass
class Service:
    """An installation whose desk is the test; workers are started and ended by it."""

    installation: Installation
    pool: Any
    producer: Any
    numbers: dict[int, int] = field(default_factory=dict)
    sent: list[tuple[str, bytes, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def worker(self, logic: SlaLane | None = None) -> AsyncIterator[Worker]:
        async with Worker(
            # The service's own: the sweep asks them how long each table is kept.
            SlaSettings(**self.installation.settings.model_dump()),
            service="sla",
            reads=(DESK, COMMANDS),
            writes=SLA,
            logic=logic or SlaLane(),
            codec=codec,
        ) as worker:
            yield worker

    async def _send(self, topic: Topic, workspace: str, value: bytes, headers: Any) -> None:
        settings = self.installation.settings
        await self.producer.send_and_wait(
            topic.full_name(settings.topic_prefix),
            value=value,
            key=workspace.encode(),
            partition=lane_of(workspace, settings.partitions),
            headers=headers,
        )

    async def tell(self, subject: str, *facts: Any, at: Instant | None = None, workspace: str = "acme") -> None:
        """Publishes one record of the desk."""
        at = at or datetime.now(UTC)
        partition = lane_of(workspace, self.installation.settings.partitions)
        number = self.numbers[partition] = self.numbers.get(partition, 0) + 1
        emission = Emission(workspace, subject, at, facts)
        types = tuple(fact.type for fact in facts)
        body = codec.encode_facts(emission)
        envelope = Envelope(
            f"evt-{partition}-{number}", "routing@test", "desk", partition, number, "test", workspace, subject, at,
            types, (), body,
        )  # fmt: skip
        self.sent.append((workspace, body, codec.fact_headers(envelope)))
        await self._send(DESK, *self.sent[-1])

    async def speak_to(self, address: str) -> None:
        """Publishes to another broker from now on, beginning with all that was said before, as a relay does."""
        self.producer = make_producer(self.installation.settings, address)
        await self.producer.start()
        for record in self.sent:
            await self._send(DESK, *record)

    async def ask(self, command: Command, subject: str, id: str = "cmd_1", workspace: str = "acme") -> Any:
        """Publishes a command and waits for its outcome: (status, body)."""
        _, value, headers = codec.encode_command(
            command, id=id, workspace=workspace, subject=subject, at=datetime.now(UTC), source="test"
        )
        await self._send(COMMANDS, workspace, value, headers)
        row = await self.row("SELECT status, body FROM outcome WHERE id = $1", id)
        return row["status"], row["body"]

    async def configure(
        self,
        *policies: dict[str, Any],
        version: int = 1,
        workspace: str = "acme",
        open_clocks: str | None = None,
        **document_keys: Any,
    ) -> None:
        """Applies a workspace document with these policies, counting always unless they say otherwise."""
        office = {"tz": "UTC", "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
        document = {"workspace": workspace, "timezone": "UTC", "calendars": {"office": office},
                    "sla": {"policies": list(policies)}, **document_keys}  # fmt: skip
        fact = ConfigApplied(
            config_version=version,
            document=document,
            author=Actor(kind="admin", id="ada"),
            applied_at=datetime.now(UTC),
            open_clocks=open_clocks,
        )
        await self.tell("config", fact, workspace=workspace)

    async def open(
        self,
        ticket: str,
        at: Instant | None = None,
        queue: str = "general",
        workspace: str = "acme",
        config_version: int = 1,
    ) -> None:
        """Publishes the opening of a ticket."""
        at = at or datetime.now(UTC)
        await self.tell(
            ticket,
            TicketOpened(
                ticket_id=ticket, channel="email", connector="mail", thread=ticket, customer=Customer(id="c1"),
                opened_at=at, message_id=f"msg_{ticket}", config_version=config_version,
            ),
            TicketClassified(ticket_id=ticket, language="en", category="other", priority="normal", queue=queue),
            TicketQueued(ticket_id=ticket, queue=queue, reason="opened", waiting_since=at),
            at=at,
            workspace=workspace,
        )  # fmt: skip

    async def reply(self, ticket: str, at: Instant | None = None, workspace: str = "acme") -> None:
        """Publishes an agent's public reply."""
        at = at or datetime.now(UTC)
        fact = TicketReplied(
            ticket_id=ticket, message_id=f"rep_{ticket}", author=Author(kind="agent", id="anna"), text="…",
            connector="mail", channel="email", thread=ticket, customer=Customer(id="c1"), occurred_at=at,
        )  # fmt: skip
        await self.tell(ticket, fact, at=at, workspace=workspace)

    async def row(self, query: str, *arguments: Any) -> Any:
        """The query's first row, as soon as there is one."""
        return await first(lambda: self.pool.fetchrow(query, *arguments))

    async def facts(self, type: str) -> list[dict[str, Any]]:
        """The facts of a type, in order."""
        rows = await self.pool.fetch("SELECT body FROM fact WHERE $1 = ANY(types) ORDER BY partition, number", type)
        return [fact for row in rows for fact in row["body"]["facts"] if fact["type"] == type]

    async def fact(self, type: str) -> dict[str, Any]:
        """The first fact of a type, as soon as there is one."""
        found: list[dict[str, Any]] = await first(lambda: self.facts(type))
        return found[0]


async def first(question: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is true."""
    answers: list[Any] = []

    async def answered() -> bool:
        answers.append(await question())
        return bool(answers[-1])

    await until(answered)
    return answers[-1]


def soon(seconds: float) -> Instant:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def a_policy(seconds: int, **changes: Any) -> dict[str, Any]:
    """First response within seconds, around the clock, without warnings."""
    return {"name": "standard", "targets": {"first_response": {"default": seconds}}, "warn": {}, **changes}


@asynccontextmanager
async def a_server(app: Any) -> AsyncIterator[str]:
    """The application on a port of its own, for streams; its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        app.state.process.hub.draining.set()
        server.should_exit = True
        await serving


@asynccontextmanager
async def a_service(installation: Installation) -> AsyncIterator[Service]:
    pool = await open_pool(installation.settings, "sla", size=4, purpose="test")
    producer = make_producer(installation.settings, installation.settings.broker)
    await producer.start()
    service = Service(installation, pool, producer)
    yield service
    await service.producer.stop()
    await pool.close()


@pytest.fixture
async def service(installation: Installation) -> AsyncIterator[Service]:
    """A fresh installation with the desk in the test's hands."""
    async with a_service(installation) as service:
        yield service
