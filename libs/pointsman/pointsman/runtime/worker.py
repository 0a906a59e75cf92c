"""A worker process: claims lanes, runs them, gives them back.

`async with Worker(…)` runs one inside a process (tests run several); `run_worker` is the process itself.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
import uvloop

from pointsman.core.topic import Topic
from pointsman.runtime import telemetry
from pointsman.runtime.analysing import keep_analysed
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.database_watch import DatabaseWatch, announce_publishing
from pointsman.runtime.gc_tuning import relax_collector
from pointsman.runtime.installation import verify_installation
from pointsman.runtime.lag import report_positions
from pointsman.runtime.lane import Lane, LanePhase
from pointsman.runtime.lease import Leases
from pointsman.runtime.logic import Codec, LaneLogic
from pointsman.runtime.maintenance import keep_tidy
from pointsman.runtime.ops import ops_server
from pointsman.runtime.reader import Reader
from pointsman.runtime.restarts import note_end, note_start
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.stuck import watch
from pointsman.runtime.tasks import Tasks, awaited, cancel_all, ends_if_failed, failure
from pointsman.runtime.zone_editions import keep_comparing, say_edition

log = structlog.get_logger(__name__)


class Worker:
    """The lanes of one service in one process. Leaving the context drains and releases them."""

    def __init__(
        self,
        settings: RuntimeSettings,
        *,
        service: str,
        reads: Sequence[Topic],
        writes: Topic | None,
        logic: LaneLogic[Any],
        codec: Codec,
        slot_topic: Topic | None = None,
        link: BrokerLink | None = None,
    ) -> None:
        self.settings, self.service = settings, service
        self._reads, self._writes, self._slot_topic = tuple(reads), writes, slot_topic
        self._logic, self._codec = logic, codec
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.link = link or BrokerLink(settings)
        self.clock = DatabaseClock()
        self.database = DatabaseWatch(settings, service, self.clock, on_published=self._published)
        self.pool: Any = None
        self.lanes: dict[int, Lane] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._tasks, self._lives = Tasks(service), Tasks(service)
        self._incarnation = ""
        self._draining = False

    async def __aenter__(self) -> "Worker":
        say_edition()
        watch(self)
        self.failed = asyncio.get_running_loop().create_future()
        self.pool = await open_pool(
            self.settings,
            self.service,
            size=min(16, self.settings.partitions + 4),
            purpose="follower" if self._writes is None else "worker",
        )
        async with self.pool.acquire() as db:
            await note_start(db, self.settings)
            self._incarnation = await verify_installation(db, self.settings)
            await self.clock.measure(db)
        rest_seconds = min(self._logic.linger.get(topic.name, 0.0) for topic in self._reads)
        self.reader = Reader(self.link, self.clock, self._reads, self.service, rest_seconds)
        self.leases = Leases(
            self.settings,
            self.service,
            self.owner,
            claimed=self._claimed,
            lost=self._lost,
            surplus=self._surplus,
        )
        announce_publishing(self.link, self.pool, self._tasks)
        self.link.on_change(self._wake_lanes)
        self._tasks.keep(self.database.run())
        self._tasks.keep(self.link.watch())
        self._tasks.keep(self.reader.run())
        self._tasks.keep(self.leases.keep())
        self._tasks.keep(keep_tidy(self.pool, self.service, self.settings))
        self._tasks.keep(keep_analysed(self.pool))
        self._tasks.keep(keep_comparing(self.pool, self.service))
        self._tasks.keep(report_positions(self.link, f"{self.settings.topic_prefix}-{self.service}", self._positions))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._draining = True
        self.leases.drain()
        for lane in self.lanes.values():
            lane.stop()
        running = list(self._running.values())
        if running:
            await cancel_all((await asyncio.wait(running, timeout=5.0))[1])
        await self._tasks.close()
        if not failure():
            with contextlib.suppress(*INFRASTRUCTURE_ERRORS):
                await note_end(self.pool, self.settings)
        await self.pool.close()

    def _positions(self) -> dict[tuple[str, int], int]:
        prefix = self.settings.topic_prefix
        return {
            (topic.full_name(prefix), lane.lane): lane.inboxes[topic.name].stored_offset
            for lane in self.lanes.values()
            for topic in self._reads
            if topic.name in lane.inboxes and lane.inboxes[topic.name].is_stored
        }

    def why_not_ready(self) -> str | None:
        """For `/readyz`."""
        if self._draining:
            return "draining"
        if failure():
            return "background work failed"
        if any(lane.status is LanePhase.HALTED for lane in self.lanes.values()):
            return "a lane is halted"
        if self.pool is None:
            return "starting"
        return self.database.fault or self.database.own_restarts()

    def _published(self) -> None:
        self.reader.waits.told()

    def _wake_lanes(self) -> None:
        for lane in self.lanes.values():
            lane.wake()

    def stuck(self) -> str | None:
        """Which lane stands still although the database answers, for `/healthz`."""
        if self.database.fault is not None:
            return None
        for lane in self.lanes.values():
            if lane.moved_at is not None:
                seconds = time.monotonic() - max(lane.moved_at, self.database.well_since)
                if seconds >= self.settings.lane_stuck_seconds:
                    return f"lane {lane.lane} of {self.service} has stood still for {seconds:.0f} s"
        return None

    # -- what the leases tell ----------------------------------------------------------------------------------------

    def _claimed(self, number: int, epoch: int) -> None:
        telemetry.LANE_MOVES.labels(self.service, "claimed").inc()
        lane = Lane(
            service=self.service,
            lane=number,
            epoch=epoch,
            incarnation=self._incarnation,
            reads=self._reads,
            writes=self._writes,
            slot_topic=self._slot_topic,
            logic=self._logic,
            codec=self._codec,
            pool=self.pool,
            link=self.link,
            reader=self.reader,
            clock=self.clock,
        )
        self.lanes[number] = lane
        self._running[number] = self._lives.start(self._live(lane))
        telemetry.LANES.labels(self.service).set(len(self.lanes))

    async def _live(self, lane: Lane) -> None:
        try:
            await lane.run()
        finally:
            if self.lanes.get(lane.lane) is lane:
                del self.lanes[lane.lane]
            telemetry.LANES.labels(self.service).set(len(self.lanes))
        telemetry.LANE_MOVES.labels(self.service, lane.status.value).inc()
        if lane.status is LanePhase.RELEASED:
            await self.leases.release(lane.lane)
        elif lane.status is LanePhase.LOST:
            await self.leases.forget(lane.lane)

    async def _lost(self, number: int) -> None:
        lane, task = self.lanes.get(number), self._running.get(number)
        if lane is None or task is None or task is asyncio.current_task():
            return
        lane.status = LanePhase.LOST
        await cancel_all([task])

    def _surplus(self, number: int) -> None:
        lane = self.lanes.get(number)
        if lane is not None:
            lane.stop()


async def _until_signal() -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    noted = failure()
    waits = [awaited(event.wait()) for event in (told, noted.happened)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return 1 if noted else 0


async def serve_worker(worker: Worker, *also: contextlib.AbstractAsyncContextManager[Any]) -> int:
    """Runs the worker (and what the service runs beside it) until SIGTERM; the exit code."""
    with ends_if_failed():
        return await _serve_worker(worker, *also)


async def _serve_worker(worker: Worker, *also: contextlib.AbstractAsyncContextManager[Any]) -> int:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(worker)
        for beside in also:
            await stack.enter_async_context(beside)
        port = await stack.enter_async_context(
            ops_server(
                worker.settings.ops_host,
                worker.settings.ops_port,
                worker.why_not_ready,
                worker.database.remarks,
            )
        )
        log.info("worker ready", service=worker.service, owner=worker.owner, ops_port=port)
        return await _until_signal()


def run_worker(
    settings: RuntimeSettings,
    *,
    service: str,
    reads: Sequence[Topic],
    writes: Topic | None,
    logic: LaneLogic[Any],
    codec: Codec,
    slot_topic: Topic | None = None,
    beside: Callable[[Worker], Sequence[contextlib.AbstractAsyncContextManager[Any]]] = lambda _: (),
) -> int:
    """The worker process of a service: returns its exit code after SIGTERM, or when it failed. `beside`: what runs
    beside the worker, given it."""
    telemetry.configure_logs(settings, service)
    telemetry.configure_tracing(settings, service)
    worker = Worker(
        settings, service=service, reads=reads, writes=writes, logic=logic, codec=codec, slot_topic=slot_topic
    )
    relax_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve_worker(worker, *beside(worker)))
