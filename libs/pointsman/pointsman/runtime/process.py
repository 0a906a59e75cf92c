"""A process that serves HTTP: what its routes stand on, opened and closed in order.

`Hub` is what all services of one process share: the link to the broker and the broadcast. `ApiProcess` is one
service's part: its pool, its commander, its tokens. What raises beside the calls ends the process (`tasks.failure`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol, Self

import structlog

from pointsman.core.ids import lane_of, random_id
from pointsman.core.instant import EPOCH
from pointsman.core.topic import Topic
from pointsman.runtime.auth import Authenticator, Caller, Revocations
from pointsman.runtime.broadcast import Broadcast
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.commands import CommandBody, CommandEncoder, Commander
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.database_watch import DatabaseWatch, announce_publishing
from pointsman.runtime.http.admission import Admission
from pointsman.runtime.issuer_keys import IssuerKeys
from pointsman.runtime.restarts import note_end, note_start
from pointsman.runtime.revocations import RevocationFeed, RevocationWire
from pointsman.runtime.secrets import Secrets
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import Tasks, failure

log = structlog.get_logger(__name__)

KEYS_SECONDS = 1.0


class Wire(RevocationWire, CommandEncoder, Protocol):
    """The contracts as a process needs them (the module pointsman.contracts.wire)."""

    @property
    def TOPICS(self) -> Mapping[str, Topic]: ...

    def dead_letter_replay(self, service: str, dead_letter_id: str, role: str, sub: str) -> Any: ...


class Hub:
    """One process's link to the broker, what it hears, what it admits, and whether it is draining."""

    def __init__(self, settings: RuntimeSettings, wire: Wire) -> None:
        self.settings = settings
        self.wire = wire
        self.id = settings.service_instance or random_id("api", EPOCH)
        self.admission = Admission(settings)
        self.link = BrokerLink(settings)
        self.broadcast = Broadcast(settings, self.link, _read_by_apis(wire.TOPICS), wire)
        self.draining = asyncio.Event()
        self._tasks = Tasks("edge")

    async def __aenter__(self) -> Self:
        await self.link.check()
        self._tasks.keep(self.link.watch())
        self._tasks.keep(self.broadcast.run())
        self._tasks.keep(self.admission.load.watch())
        return self

    def drain(self) -> None:
        """From now on `/readyz` fails, long polls answer and streams say goodbye."""
        self.draining.set()
        self.broadcast.reset_all()

    async def __aexit__(self, *_: object) -> None:
        self.drain()
        await self._tasks.close()


def _read_by_apis(topics: Mapping[str, Topic]) -> list[Topic]:
    return [topic for topic in topics.values() if "api" in topic.readers]


class ApiProcess:
    """One service's HTTP side. Routes find it as `request.app.state.process`.

    Without a `hub` it opens one of its own. Raises `ValueError` or `OSError` when a key file is missing or wrong.
    """

    pool: Any
    commander: Commander
    secrets: Secrets

    def __init__(self, settings: RuntimeSettings, service: str, *, wire: Wire, hub: Hub | None = None) -> None:
        if settings.key_file is None:
            raise ValueError("POINTSMAN_KEY_FILE is not set: without it no token can be verified")
        self.settings = settings
        self.service = service
        self.wire = wire
        self.clock = DatabaseClock()
        self.revocations = Revocations()
        self.admission = Admission(settings) if hub is None else hub.admission
        self.auth = Authenticator(IssuerKeys.read(settings.key_file), self.revocations, admission=self.admission)
        self._given_hub = hub
        self.database = DatabaseWatch(settings, service, self.clock, self._database_changed, self._published)
        self._asked: list[Callable[[], str | None]] = []
        self._incarnation = ""
        self._stack = AsyncExitStack()
        self._tasks = Tasks(service)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.hub = self._given_hub or Hub(self.settings, self.wire)
            self.pool = await open_pool(
                self.settings, self.service, size=self.settings.database_connections_max, purpose="api"
            )
            stack.push_async_callback(self.pool.close)
            self.secrets = Secrets(self.settings, self.service, self.pool)
            await note_start(self.pool, self.settings)
            stack.push_async_callback(self._note_end)
            await self.clock.measure(self.pool)
            self.commander = Commander(
                self.settings,
                service=self.service,
                process=self.hub.id,
                pool=self.pool,
                link=self.hub.link,
                broadcast=self.hub.broadcast,
                clock=self.clock,
                codec=self.wire,
                topic=self.wire.TOPICS["commands"],
            )
            feed = RevocationFeed(
                self.revocations,
                wire=self.wire,
                pool=self.pool,
                link=self.hub.link,
                broadcast=self.hub.broadcast,
                clock=self.clock,
            )
            feed.listen()
            stack.push_async_callback(self._tasks.close)
            if self._given_hub is None:
                await stack.enter_async_context(self.hub)
            await feed.load()
            announce_publishing(self.hub.link, self.pool, self._tasks)
            self.start(self.commander.watch())
            self.start(feed.keep())
            self.start(self._keep_keys())
            self.start(self.database.run())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs work beside the calls until this service's part ends. When it ends before, the process ends."""
        self._tasks.keep(work)

    @property
    def broadcast(self) -> Broadcast:
        return self.hub.broadcast

    def lane_of(self, workspace: str) -> int:
        return lane_of(workspace, self.settings.partitions)

    async def incarnation(self) -> str:
        """The name of this life of the service's database: a part of its sources' names. "" before its first worker."""
        if not self.known_incarnation:
            self._incarnation = await self.pool.fetchval("SELECT incarnation FROM installation") or ""
        return self.known_incarnation

    @property
    def known_incarnation(self) -> str:
        """As the database said last: it is another one after a restore from a backup."""
        return self.database.incarnation or self._incarnation

    def unready(self) -> str | None:
        """Why this service cannot serve now; None when it can. The broker may be out of reach."""
        if self.hub.draining.is_set():
            return "draining"
        if failure():
            return "background work failed"
        if self.database.fault is not None:
            return self.database.fault
        return next((why for asked in self._asked if (why := asked()) is not None), None)

    def _database_changed(self, _: str | None) -> None:
        """A server that does not answer keeps nobody waiting: what is asked of it now fails, and new calls are refused
        (`refuse_without_database`)."""
        if self.database.away:
            self.pool.break_off()

    def _published(self) -> None:
        self.hub.broadcast.waits.told()

    async def _note_end(self) -> None:
        if not failure() and not self.database.away:
            with suppress(*INFRASTRUCTURE_ERRORS):
                await note_end(self.pool, self.settings)

    def ask_readiness_of(self, unready: Callable[[], str | None]) -> None:
        """A part of the service that may be unable to work although the database answers: why, or None."""
        self._asked.append(unready)

    async def replay_dead_letter(self, caller: Caller, id: str, lane: int) -> Any:
        """Asks the lane to read a dead letter again; the outcome's body."""
        command: CommandBody = self.wire.dead_letter_replay(self.service, id, caller.role, caller.sub)
        answer = await self.commander.ask(command, workspace=caller.workspace, subject=id, partition=lane)
        return answer.body

    async def _keep_keys(self) -> None:
        """Looks for changed keys."""
        while True:
            await asyncio.sleep(KEYS_SECONDS)
            self.auth.refresh()
