"""A stack of its own, in a folder of its own: real servers, real processes, each known by its pid.

It is its own supervisor: a process that ends is started again, unless a fault is being made on it.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import httpx
import structlog

from pointsman.local.folder import replace_file
from pointsman.local.kafka import Kafka
from pointsman.local.postgres import Postgres
from pointsman.local.process import LocalProcess, LocalStackError, free_port, last_words, port_is_free
from pointsman.local.tansu import Tansu
from pointsman.local.topics import create_topics
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.runtime.migrate import migrate
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.settings import environment_of
from pointsman.runtime.tasks import awaited

log = structlog.get_logger(__name__)

PARTITIONS = 4
READY_WITHIN_SECONDS = 60.0
RESTART_SECONDS = 0.3
WORKERS = {"routing": 2, "sla": 2, "intake": 1, "metrics": 1}
EDGES = 2
COMMAND_TIMEOUT_SECONDS = 4.0


@dataclass(slots=True)
class StackProcess:
    """One process beside the servers. `down` while a fault keeps it from being started again."""

    name: str
    service: str
    process: LocalProcess
    port: int
    down: bool = False


@dataclass
class Exits:
    """Processes that ended although nobody had ended them: name, exit code, last words of their log."""

    found: list[dict[str, Any]] = field(default_factory=list)


class ChaosStack:
    """Entering starts everything and waits until it is ready; leaving ends what was started, by pid."""

    def __init__(self, folder: Path, broker: str = "tansu", *, workers: dict[str, int] | None = None) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres")
        self.broker: Tansu | Kafka = Tansu(folder / "tansu") if broker == "tansu" else Kafka(folder / "kafka")
        self.key_file = folder / "tokens.jwk"
        self.address_file = folder / "broker.address"
        self.programs: dict[str, StackProcess] = {}
        self.exits = Exits()
        self._workers = WORKERS if workers is None else workers
        self._keeper: asyncio.Task[None] | None = None
        self._broker_down = False

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def dsn(self) -> str:
        """The superuser's."""
        return self.postgres.dsn

    @property
    def urls(self) -> list[str]:
        """Where the API processes serve."""
        return [f"http://127.0.0.1:{program.port}" for program in self.programs.values() if program.service == "edge"]

    def of_service(self, service: str) -> list[StackProcess]:
        return [program for program in self.programs.values() if program.service == service]

    async def _start(self) -> None:
        await asyncio.gather(self.postgres.start(), self.start_broker())
        for service, package in installed_services().items():
            await migrate(self.postgres.dsn, service, package, password=self.postgres.password)
        generate_key_file(self.key_file)
        packages = installed_services()
        for service, count in self._workers.items():
            for number in range(1, count + 1):
                self.add(f"{service}-{number}", service, (sys.executable, "-m", packages[service], "worker"))
        for number in range(1, EDGES + 1):
            self.add(f"edge-{number}", "edge", (sys.executable, "-m", "pointsman.edge"))
        for program in self.programs.values():
            program.process.start()
        await asyncio.gather(*(self.until_ready(program) for program in self.programs.values()))
        self._keeper = awaited(self._keep())

    def add(self, name: str, service: str, argv: Sequence[str]) -> StackProcess:
        """A further process, not started yet."""
        port = free_port()
        environment = {
            "POINTSMAN_BROKER": f"file:{self.address_file}",
            "POINTSMAN_DATABASE": self.postgres.address_of(),
            "POINTSMAN_DATABASE_PASSWORD": self.postgres.password,
            "POINTSMAN_PARTITIONS": str(PARTITIONS),
            **environment_of(self.broker.settings),
            "POINTSMAN_KEY_FILE": str(self.key_file),
            "POINTSMAN_COMMAND_TIMEOUT_SECONDS": str(COMMAND_TIMEOUT_SECONDS),
            "POINTSMAN_EDGE_PORT" if service == "edge" else "POINTSMAN_OPS_PORT": str(port),
        }
        program = StackProcess(name, service, LocalProcess(name, argv, self.folder, environment=environment), port)
        self.programs[name] = program
        return program

    async def twin(self, name: str) -> StackProcess:
        """The same worker started once more."""
        original = self.programs[name]
        twin = self.add(f"{name}-twin", original.service, self._argv_of(original))
        twin.down = True  # it is not kept: it lives as long as its fault
        twin.process.start()
        return twin

    async def drop(self, program: StackProcess) -> None:
        """Ends a twin."""
        await program.process.stop(within_seconds=8)
        del self.programs[program.name]

    def _argv_of(self, program: StackProcess) -> Sequence[str]:
        return (sys.executable, "-m", installed_services()[program.service], "worker")

    async def until_ready(self, program: StackProcess) -> None:
        """Waits for its `/readyz`; a process that dies at its start is started again."""
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while time.monotonic() - began < READY_WITHIN_SECONDS:
                if not program.process.running:
                    program.process.start()
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{program.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        words = last_words(program.process.log, 1)
        raise LocalStackError(f"{program.name} is not ready after {READY_WITHIN_SECONDS:.0f} s: {words}")

    async def start_broker(self) -> None:
        """Topics before the address: no client ever finds a broker without them."""
        await self.broker.start()
        await create_topics(self.broker.address, PARTITIONS)
        replace_file(self.address_file, self.broker.address.encode() + b"\n")

    # -- what faults do ------------------------------------------------------------------------------------------------

    async def end_broker(self, number: signal.Signals, down_seconds: float) -> None:
        """Ends the broker (tansu loses its log) and starts it again."""
        self._broker_down = True
        try:
            self.broker.process.signal(number)
            await self.broker.process.ended()
            await asyncio.sleep(down_seconds)
            await self.start_broker()
        finally:
            self._broker_down = False

    async def end_postgres(self, number: signal.Signals, down_seconds: float) -> None:
        """Ends PostgreSQL in the middle of whatever it does (SIGKILL, or SIGQUIT: "immediate"), and starts it again
        on its port, with its data."""
        port = self.postgres.port
        self.postgres.process.signal(number)
        await self.postgres.process.ended()
        await asyncio.sleep(down_seconds)
        deadline = time.monotonic() + 30
        while True:
            # The sessions of a killed postmaster take a moment to notice, and hold its memory until then.
            if port_is_free(port):
                try:
                    await self.postgres.start()
                    return
                except LocalStackError:
                    if time.monotonic() > deadline:
                        raise
            elif time.monotonic() > deadline:
                raise LocalStackError(f"PostgreSQL's port {port} stays taken", self.postgres.process.log)
            await asyncio.sleep(0.1)

    async def kill(self, program: StackProcess, number: signal.Signals, down_seconds: float) -> None:
        """Ends a process and starts it again."""
        program.down = True
        try:
            program.process.signal(number)
            await program.process.ended()
            await asyncio.sleep(down_seconds)
            program.process.start()
        finally:
            program.down = False

    # -- looking -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Any]:
        """A connection as the superuser."""
        connection = await asyncpg.connect(self.dsn, timeout=10)
        try:
            yield connection
        finally:
            await connection.close()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            for program in list(self.programs.values()):
                if not program.down and not program.process.running:
                    self._note_exit(program.name, program.process)
                    program.process.start()
            if not self._broker_down and not self.broker.process.running:
                self._note_exit("broker", self.broker.process)
                await self.start_broker()

    def _note_exit(self, name: str, process: LocalProcess) -> None:
        found = {"name": name, "exit_code": process.exit_code, "last_words": last_words(process.log, 2)[-600:]}
        log.warning("process ended by itself", **found)
        self.exits.found.append(found)

    async def close(self) -> None:
        """Ends everything that was started."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.gather(*(program.process.stop(within_seconds=5) for program in self.programs.values()))
        await self.broker.stop()
        await self.postgres.stop()
