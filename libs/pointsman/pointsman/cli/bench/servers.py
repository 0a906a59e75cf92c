"""Servers for a bench: in a temporary folder, durable as in production, on free ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pointsman.local import Kafka, Postgres, Tansu, create_topics
from pointsman.local.folder import StackFolder
from pointsman.local.supervisor import PARTITIONS, ProcessSupervisor
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.runtime.migrate import migrate
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited

BrokerKind = Literal["tansu", "kafka"]
KAFKA_JARS = Path(".pointsman/kafka/lib")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a bench is given: which broker, a folder that is its own, how many runs, the seed."""

    broker: BrokerKind
    folder: Path
    runs: int
    seed: int


@asynccontextmanager
async def bare_installation(bench: Bench) -> AsyncIterator[RuntimeSettings]:
    """PostgreSQL, the broker, migrated schemas, topics and a key; no process of Pointsman runs yet."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(Postgres(bench.folder / "postgres"))
        broker: Tansu | Kafka = (
            Kafka(bench.folder / "kafka", jars=KAFKA_JARS) if bench.broker == "kafka" else Tansu(bench.folder / "tansu")
        )
        await stack.enter_async_context(broker)
        await create_topics(broker.address, PARTITIONS)
        for service, package in installed_services().items():
            await migrate(postgres.dsn, service, package, password=postgres.password)
        key_file = bench.folder / "tokens.jwk"
        if not key_file.exists():
            generate_key_file(key_file)
        yield RuntimeSettings(
            broker=broker.address,
            database=postgres.address_of(),
            database_password=postgres.password,
            partitions=PARTITIONS,
            key_file=key_file,
            # What is measured is the process, and one connector stands for many.
            calls_per_second_max=1_000_000,
            calls_per_token_max=10_000,
            **broker.settings,
        )


@asynccontextmanager
async def whole_stack(bench: Bench) -> AsyncIterator[StackFolder]:
    """Everything that `pointsman up` starts, in the bench's folder; its status has the processes and the URL."""
    folder = StackFolder(bench.folder / "stack")
    folder.create()
    if bench.broker == "kafka":
        _lend_jars(folder.root / "kafka" / "lib")
    supervisor = ProcessSupervisor(folder, broker=bench.broker)
    stop = asyncio.Event()
    running = awaited(supervisor.run(stop))
    try:
        while folder.status().state != "running":
            await asyncio.wait({running}, timeout=0.1)
            if running.done():
                running.result()
        yield folder
    finally:
        stop.set()
        await running


def _lend_jars(jars: Path) -> None:
    """Kafka's jars of this checkout, if they were fetched before."""
    if KAFKA_JARS.is_dir():
        jars.parent.mkdir(parents=True, exist_ok=True)
        jars.symlink_to(KAFKA_JARS.resolve())
