"""The service of sums in an installation of its own, and a source that feeds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import TopicPartition

from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime.broker import make_consumer, make_producer
from pointsman.runtime.ddl import RUNTIME_TABLES
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from tests.integration.runtime.sums import COMMANDS, DESK, REQUESTS, SumsCodec, SumsLane, headers_of


@dataclass
class Sums:
    """An installation with the schema of sums; workers are started and ended by the test."""

    installation: Installation
    settings: RuntimeSettings
    db: Any
    producer: Any = None
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    @asynccontextmanager
    async def worker(self, logic: SumsLane | None = None) -> AsyncIterator[Worker]:
        async with Worker(
            self.settings,
            service="sums",
            reads=(COMMANDS, REQUESTS),
            writes=DESK,
            logic=logic or SumsLane(),
            codec=SumsCodec(),
        ) as worker:
            yield worker

    async def stop_producer(self) -> None:
        """Stops the producer that is in use now (a test may have replaced it)."""
        await self.producer.stop()

    async def _send(self, topic: Topic, workspace: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        partition = lane_of(workspace, self.settings.partitions)
        await self.producer.send_and_wait(
            topic.full_name(self.settings.topic_prefix),
            value=value,
            key=workspace.encode(),
            partition=partition,
            headers=headers,
        )

    async def say(
        self,
        subject: str,
        *facts: dict[str, Any],
        workspace: str = "acme",
        source: str = "source@1",
        number: int | None = None,
        at: Instant | None = None,
        value: bytes | None = None,
    ) -> int:
        """Produces one record of facts with the source's next number (or the one given); returns the number."""
        key = (source, lane_of(workspace, self.settings.partitions))
        if number is None:
            number = self.numbers[key] = self.numbers.get(key, 0) + 1
        body = orjson.dumps({"facts": facts}) if value is None else value
        at = at or datetime.now(UTC)
        id = f"{source}-{key[1]}-{number}"
        types = {"facts": ",".join(fact["type"] for fact in facts)} if facts else {}
        await self._send(
            REQUESTS, workspace, body, headers_of(id, source, workspace, subject, at, types, number=number)
        )
        return number

    async def ask(self, id: str, subject: str, command: dict[str, Any], workspace: str = "acme", **more: str) -> None:
        """Produces one command."""
        headers = headers_of(
            id, "test", workspace, subject, datetime.now(UTC), {"ce_type": command["type"], "reply_to": "test", **more}
        )
        await self._send(COMMANDS, workspace, orjson.dumps(command), headers)

    async def sums(self) -> dict[str, int]:
        return {row["subject"]: row["amount"] for row in await self.db.fetch("SELECT subject, amount FROM sums.sums")}

    async def read(self, topic: Topic, count: int, within_seconds: float = 15.0) -> list[Any]:
        """At least `count` records of the topic from its beginning, all partitions, in order per partition."""
        consumer = make_consumer(self.settings, self.settings.broker)
        await consumer.start()
        try:
            name = topic.full_name(self.settings.topic_prefix)
            partitions = [TopicPartition(name, number) for number in range(self.settings.partitions)]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, 0)
            records: list[Any] = []
            async with asyncio.timeout(within_seconds):
                while len(records) < count:
                    for some in (await consumer.getmany(timeout_ms=200)).values():
                        records += some
            return records
        finally:
            await consumer.stop()


TABLE = (
    "CREATE TABLE sums (lane int, subject text, amount bigint, due timestamptz, workspace text, "
    "PRIMARY KEY (lane, subject))"
)


@pytest.fixture
async def sums(installation: Installation) -> AsyncIterator[Sums]:
    admin = await asyncpg.connect(installation.dsn)
    if not await admin.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pointsman_sums')"):
        await admin.execute("CREATE ROLE pointsman_sums LOGIN")
    secret = installation.settings.database_password
    if secret:
        await admin.execute(f"ALTER ROLE pointsman_sums PASSWORD '{secret}'")
    await admin.execute("CREATE SCHEMA sums AUTHORIZATION pointsman_sums")
    await admin.execute("SET ROLE pointsman_sums")
    await admin.execute("SET search_path = sums")
    for statement in (*RUNTIME_TABLES, TABLE):
        await admin.execute(statement)
    await admin.execute("RESET ROLE")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.close)
        producer = make_producer(installation.settings, installation.settings.broker)
        await producer.start()
        sums = Sums(installation, installation.settings, admin, producer)
        stack.push_async_callback(sums.stop_producer)
        yield sums
