"""The supervisor of `pointsman up`: starts PostgreSQL, the broker, the workers and the edge, and keeps them alive.

Order of a start: what a killed supervisor left is ended; PostgreSQL; the broker and its topics, then the file with its
address; migrations; the key of tokens; the processes. `run` returns when all are ready to be stopped again, in reverse.
A process that dies is started again after a pause that doubles (0.2 to 10 s) until it lived for half a minute; one
whose `/healthz` says no, or nothing, for `not_alive_seconds` is ended first. A dead
tansu comes back as another cluster on another port: topics first, then the address. A tansu that has grown beyond
`tansu_bytes_max` (its log is in memory and never shrinks) is replaced by a new one in the same way.
"""

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import psutil
import structlog

from pointsman.local.folder import BrokerKind, ProcessStatus, StackFolder, StackStatus, replace_file
from pointsman.local.kafka import Kafka
from pointsman.local.liveness import not_alive
from pointsman.local.postgres import Postgres
from pointsman.local.process import (
    LocalProcess,
    LocalStackError,
    end_leftover,
    free_port,
    last_words,
    take_port,
    write_pid_file,
)
from pointsman.local.tansu import Tansu
from pointsman.local.topics import create_topics
from pointsman.runtime import telemetry
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.runtime.migrate import migrate
from pointsman.runtime.restarts import RESTARTS_MAX, WITHIN_SECONDS
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.sealing import generate_sealing_key
from pointsman.runtime.settings import environment_of
from pointsman.runtime.tasks import awaited

log = structlog.get_logger(__name__)

PARTITIONS = 4
TANSU_BYTES_MAX = 1_500_000_000
READY_WITHIN_SECONDS = 120.0
PAUSE_SECONDS = (0.2, 10.0)
LIVED_SECONDS = 30.0
EARLY_DEATHS_MAX = 3
NOT_ALIVE_SECONDS = 20.0
END_SECONDS = 3.0
"""How long a process that is not alive may take to end by itself."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process of the stack beside the servers. `port_variable` is the variable that tells it where to serve."""

    name: str
    argv: Sequence[str]
    port_variable: str


def installed_programs() -> list[Program]:
    """One worker a service, and one edge."""
    workers = [
        Program(service, (sys.executable, "-m", package, "worker"), "POINTSMAN_OPS_PORT")
        for service, package in installed_services().items()
    ]
    return [*workers, Program("edge", (sys.executable, "-m", "pointsman.edge"), "POINTSMAN_EDGE_PORT")]


def zones_said(readiness: str) -> str | None:
    """What a `/readyz` says that time zones are read from."""
    return next((line.removeprefix("zones ") for line in readiness.splitlines() if line.startswith("zones ")), None)


TO_LOOPBACK = tuple(f"POINTSMAN_{kind}_TO_LOOPBACK" for kind in ("DELIVER", "NOTIFY", "WEBHOOK"))


@dataclass(slots=True)
class Unit:
    """A kept process: how it is named, and how it is started again."""

    name: str
    process: Callable[[], LocalProcess]
    port: Callable[[], int]
    again: Callable[[], Awaitable[None]]
    state: str = "starting"
    zones: str | None = None
    restarted_at: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    @property
    def restarts(self) -> int:
        """How often it was started again within the last minute."""
        return sum(at > time.monotonic() - WITHIN_SECONDS for at in self.restarted_at)

    def status(self) -> ProcessStatus:
        process = self.process()
        return ProcessStatus(
            self.name,
            process.pid if process.running else None,
            self.port(),
            "failing" if self.restarts >= RESTARTS_MAX else self.state,
            str(process.log),
            self.zones,
            self.restarts,
        )


class ProcessSupervisor:
    """See the module. `announce` is told what is being done, for a person who waits."""

    def __init__(
        self,
        folder: StackFolder,
        *,
        broker: BrokerKind = "tansu",
        port: int | None = None,
        programs: Sequence[Program] | None = None,
        services: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None,
        tansu_bytes_max: int = TANSU_BYTES_MAX,
        not_alive_seconds: float = NOT_ALIVE_SECONDS,
    ) -> None:
        self._folder = folder
        self._programs = installed_programs() if programs is None else list(programs)
        self._services = installed_services() if services is None else dict(services)
        self._announce = announce
        self._tansu_bytes_max = tansu_bytes_max
        self._not_alive_seconds = not_alive_seconds
        self._postgres = Postgres(folder.root / "postgres")
        self._broker: Tansu | Kafka = (
            Tansu(folder.root / "tansu")
            if broker == "tansu"
            else Kafka(folder.root / "kafka", jars=folder.root / "kafka" / "lib")
        )
        self._retired: list[Tansu] = []  # brokers that are not the broker yet or any more, to be stopped with it
        self._edge_port = port
        self._public_url = ""
        self._units: dict[str, Unit] = {}
        self._state = "starting"
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Starts everything, keeps it alive until `stop` is set, and stops it. Raises `LocalStackError`."""
        self._folder.create()
        with self._folder.owned():
            write_pid_file(self._folder.supervisor_pid_file, os.getpid())
            keepers: list[asyncio.Task[None]] = []
            try:
                started = awaited(self._start())
                stopped = awaited(stop.wait())
                await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if started.done():
                    started.result()
                    keepers = [awaited(self._keep(unit)) for unit in self._units.values()]
                    keepers += [
                        awaited(self._end_when_not_alive(self._units[program.name])) for program in self._programs
                    ]
                    keepers.append(awaited(self._watch_memory()))
                    self._say("running")
                    await asyncio.wait({stopped, *keepers}, return_when=asyncio.FIRST_COMPLETED)
                    for keeper in keepers:
                        if keeper.done():
                            keeper.result()
                started.cancel()
                stopped.cancel()
                await asyncio.gather(started, stopped, return_exceptions=True)
            except LocalStackError as error:
                await self._stop(keepers)
                self._folder.write_status(StackStatus("failed", error=str(error)))
                raise
            finally:
                await self._stop(keepers)
                self._folder.supervisor_pid_file.unlink(missing_ok=True)
            self._folder.state_file.unlink(missing_ok=True)

    async def _start(self) -> None:
        self._say("starting")
        port_of_edge = self._port_of_edge()
        self._public_url = f"http://127.0.0.1:{port_of_edge}"
        replace_file(self._folder.port_file, b"%d\n" % port_of_edge)
        for pid_file in self._folder.root.glob("**/run/*.pid"):
            await asyncio.to_thread(end_leftover, pid_file)
        self._announce("starting PostgreSQL")
        await self._postgres.start()
        self._add(Unit("postgres", lambda: self._postgres.process, lambda: self._postgres.port, self._postgres.start))
        self._announce(f"starting the broker ({self._broker.kind})")
        await self._start_broker()
        self._add(Unit("broker", lambda: self._broker.process, lambda: self._broker.port, self._start_broker))
        self._announce("migrating the schemas")
        for service, package in self._services.items():
            # Nothing of this stack runs yet, of no release.
            await migrate(self._postgres.dsn, service, package, password=self._postgres.password, after=True)
        if not self._folder.key_file.exists():
            generate_key_file(self._folder.key_file)
        if not self._folder.secrets_key_file.exists():
            generate_sealing_key(self._folder.secrets_key_file)
        self._announce("starting the workers and the edge")
        units = [
            self._add(self._unit_of(program, port_of_edge if program.name == "edge" else free_port()))
            for program in self._programs
        ]
        for unit in units:
            await unit.again()
        for unit in units:
            await self._until_ready(unit)

    async def _start_broker(self) -> None:
        """Topics before the address: a client must never find a broker without them."""
        await self._broker.start()
        await create_topics(self._broker.address, PARTITIONS)
        replace_file(self._folder.broker_address_file, self._broker.address.encode() + b"\n")

    def _add(self, unit: Unit) -> Unit:
        if unit.name in ("postgres", "broker"):
            unit.state = "running"
        self._units[unit.name] = unit
        self._say(self._state)
        return unit

    def _unit_of(self, program: Program, port: int) -> Unit:
        environment = {
            "POINTSMAN_BROKER": f"file:{self._folder.broker_address_file}",
            "POINTSMAN_DATABASE": self._postgres.address_of(),
            "POINTSMAN_DATABASE_PASSWORD": self._postgres.password,
            "POINTSMAN_PARTITIONS": str(PARTITIONS),
            **environment_of(self._broker.settings),
            "POINTSMAN_KEY_FILE": str(self._folder.key_file),
            "POINTSMAN_SECRETS_FOLDER": str(self._folder.secrets),
            "POINTSMAN_SECRETS_KEY_FILE": str(self._folder.secrets_key_file),
            # This stack is of this host alone: people reach it here, and it may call receivers that are here too.
            "POINTSMAN_PUBLIC_URL": self._public_url,
            **dict.fromkeys(TO_LOOPBACK, "true"),
            program.port_variable: str(port),
            "POINTSMAN_PROCESS_NAME": program.name,
        }
        process = LocalProcess(program.name, program.argv, self._folder.root, environment=environment)

        async def again() -> None:
            process.start()

        return Unit(program.name, lambda: process, lambda: port, again)

    def _port_of_edge(self) -> int:
        if self._edge_port is None:
            return self._port_of_before() or free_port()
        if not take_port(self._edge_port):
            raise LocalStackError(f"port {self._edge_port} is taken: choose another with --port")
        return self._edge_port

    def _port_of_before(self) -> int | None:
        """The edge's port of the last time: addresses that people and apps keep stay good. None when another has it."""
        try:
            port = int(self._folder.port_file.read_text())
        except (OSError, ValueError):
            return None
        return port if take_port(port) else None

    async def _until_ready(self, unit: Unit) -> None:
        """Waits until its `/readyz` says so. A process that dies at its start is tried again a few times."""
        deaths = 0
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while True:
                process = unit.process()
                if not process.running:
                    deaths += 1
                    if deaths >= EARLY_DEATHS_MAX:
                        raise LocalStackError(
                            f"{unit.name} ended at its start: {last_words(process.log, 1)}", process.log
                        )
                    await unit.again()
                try:
                    answer = await client.get(f"http://127.0.0.1:{unit.port()}/readyz")
                    if answer.status_code == 200:
                        unit.zones = zones_said(answer.text)
                        break
                except httpx.TransportError:
                    pass
                if time.monotonic() - began > READY_WITHIN_SECONDS:
                    raise LocalStackError(
                        f"{unit.name} is not ready after {READY_WITHIN_SECONDS:.0f} s: {last_words(process.log, 1)}",
                        process.log,
                    )
                await asyncio.sleep(0.05)
        unit.state = "running"
        self._say(self._state)

    async def _keep(self, unit: Unit) -> None:
        """Starts the process again whenever it ends, until the stack stops."""
        pause, pause_max = PAUSE_SECONDS
        while True:
            began = time.monotonic()
            process = unit.process()
            code = await process.ended()
            if process is not unit.process():
                continue
            log.warning("process ended", name=unit.name, exit_code=code, last=last_words(process.log, 1))
            unit.state = "restarting"
            self._say(self._state)
            if time.monotonic() - began > LIVED_SECONDS:
                pause = PAUSE_SECONDS[0]
            await asyncio.sleep(pause)
            pause = min(pause * 2, pause_max)
            unit.restarted_at.append(time.monotonic())
            if unit.restarts >= RESTARTS_MAX:
                telemetry.alarm("supervisor", "process-restarts", process=unit.name, restarts=unit.restarts)
            try:
                await unit.again()
                unit.state = "running"
            except LocalStackError as error:
                log.warning("process cannot be started", name=unit.name, error=str(error))
            self._say(self._state)

    async def _end_when_not_alive(self, unit: Unit) -> None:
        """Ends the process whenever it says that it does not live, or says nothing; `_keep` starts it again."""
        while True:
            why = await not_alive(unit.process(), unit.port(), self._not_alive_seconds)
            log.error("process is not alive and is ended", name=unit.name, why=why)
            await unit.process().stop(within_seconds=END_SECONDS)

    async def _watch_memory(self) -> None:
        """Replaces a tansu that has grown too large. The old one goes only when the new one's address is known."""
        while True:
            await asyncio.sleep(2)
            if any(unit.restarted_at for unit in self._units.values()):
                self._say(self._state)  # restarts are of the last minute: they pass
            old = self._broker
            if not isinstance(old, Tansu) or not old.process.running or old.process.pid is None:
                continue
            try:
                grown = psutil.Process(old.process.pid).memory_info().rss >= self._tansu_bytes_max
            except psutil.NoSuchProcess:
                continue
            if not grown:
                continue
            log.info("tansu is replaced: its log has grown too large", pid=old.process.pid)
            successor = Tansu(self._folder.root / "tansu", name=f"tansu-{int(time.time())}")
            self._retired.append(successor)
            await successor.start()
            await create_topics(successor.address, PARTITIONS)
            self._retired[:] = [old]
            self._broker = successor
            replace_file(self._folder.broker_address_file, successor.address.encode() + b"\n")
            await old.stop()
            self._retired.clear()
            self._say(self._state)

    async def _stop(self, keepers: Sequence["asyncio.Task[None]"]) -> None:
        """Stops the processes, then what they need."""
        if self._stopping:
            return
        self._stopping = True
        self._say("stopping")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        servers = ("postgres", "broker")
        await asyncio.gather(*(unit.process().stop() for unit in self._units.values() if unit.name not in servers))
        await asyncio.gather(*(broker.stop() for broker in (self._broker, *self._retired)))
        await self._postgres.stop()
        self._folder.broker_address_file.unlink(missing_ok=True)

    def _say(self, state: str) -> None:
        self._state = state
        edge = self._units.get("edge")
        self._folder.write_status(
            StackStatus(
                state=state,
                url=f"http://127.0.0.1:{edge.port()}" if edge else None,
                broker=self._broker.kind,
                key_file=str(self._folder.key_file),
                processes=[unit.status() for unit in self._units.values()],
            )
        )
