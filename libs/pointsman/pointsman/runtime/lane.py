"""The life of a lane in one process, from the claim to the release.

::

    CLAIMED ──load──▶ RUNNING ──stop()──▶ DRAINING ──last commit, relay empty──▶ RELEASED
       ▲                │  │
       │   infrastructure  └──fenced, lease lost──▶ LOST (state dropped, nothing written)
       └────────────────┤
                        └──gap that stays, position outside the log, failures that span workspaces──▶ HALTED

- CLAIMED → RUNNING: the epoch is raised and committed before anything is read, so no former owner can commit after it.
- RUNNING: batches, one fenced transaction each. An error of the infrastructure, even at the commit when nobody knows
  whether it went through, drops the state, raises the epoch (which waits for the old transaction) and loads again.
- LOST: another worker has the lane. HALTED: an alarm was raised; the lane keeps its lease and does nothing, so that no
  other worker repeats the damage; a restart tries again.
- DRAINING: no new batch; what is committed is relayed (for a bounded time), then the lease is given back.

What a batch is made of is in `batching`, how its records and timers are decided in `deciding`, how it is written in
`transaction`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import asyncpg
import structlog

from pointsman.core.cause import TimerCause
from pointsman.core.envelope import Arrived
from pointsman.core.instant import EPOCH, Instant
from pointsman.core.topic import Topic
from pointsman.runtime import telemetry
from pointsman.runtime.batching import Batching
from pointsman.runtime.broker import BROKER_ERRORS, BrokerLink
from pointsman.runtime.clock import Clock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.deciding import Decider, Halted, described
from pointsman.runtime.gathering import gather
from pointsman.runtime.inbox import TopicInbox
from pointsman.runtime.lane_producer import LaneProducer
from pointsman.runtime.logic import Batch, Codec, LaneLogic
from pointsman.runtime.reader import Reader
from pointsman.runtime.relay import RelayLine
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.transaction import (
    POSITION_CHECK,
    RAISE_EPOCH,
    BatchWrites,
    Fenced,
    Outcome,
    Position,
    Settled,
    fenced,
    insert_facts,
    write_progress,
)

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 2.0
IDLE_SECONDS = 5.0
"""A lane that nothing wakes, and no timer, looks again after so long."""


class LanePhase(Enum):
    CLAIMED = "claimed"
    RUNNING = "running"
    DRAINING = "draining"
    RELEASED = "released"
    LOST = "lost"
    HALTED = "halted"


class Lane:
    """One owned lane. `run` returns when it was drained or lost; `stop` asks it to drain."""

    def __init__(
        self,
        *,
        service: str,
        lane: int,
        epoch: int,
        incarnation: str,
        reads: Sequence[Topic],
        writes: Topic | None,
        slot_topic: Topic | None,
        logic: LaneLogic[Any],
        codec: Codec,
        pool: Any,
        link: BrokerLink,
        reader: Reader,
        clock: Clock,
    ) -> None:
        self.service, self.lane, self.epoch = service, lane, epoch
        self._reads = [topic.name for topic in reads]
        self._writes, self._slot_topic = writes, slot_topic
        self._logic, self._codec, self._pool = logic, codec, pool
        self._link, self._reader, self._clock = link, reader, clock
        self.source = f"{service}@{incarnation}"
        self.status = LanePhase.CLAIMED
        self.cluster: str | None = None
        self._entered: str | None = None
        self._batching = Batching(reads, logic, link)
        self._decider = self._new_decider()
        self._relay: RelayLine | None = None
        self._relaying = Tasks(service)
        self._producer = LaneProducer(service, lane, self.source, link, pool, codec)
        self._wake = asyncio.Event()
        self._now: Instant = EPOCH
        self._refreshed_at = 0.0
        self.moved_at: float | None = None
        """When it last did something or had nothing to do (monotonic seconds); None while it loads or is halted."""

    def _new_decider(self) -> Decider:
        writes = self._writes.name if self._writes else ""
        return Decider(self.service, self.lane, self.source, self._logic, self._codec, frozenset(self._reads), writes)

    # -- the reader's side -------------------------------------------------------------------------------------------

    @property
    def inboxes(self) -> Mapping[str, TopicInbox]:
        return self._batching.inboxes

    def wake(self) -> None:
        self._wake.set()

    def beyond_log(self, topic: str, detail: str) -> None:
        telemetry.alarm(self.service, "position-outside-log", lane=self.lane, topic=topic, detail=detail)
        self.status = LanePhase.HALTED
        self._wake.set()

    def stop(self) -> None:
        """Finish the batch at hand, relay what is committed, then end."""
        if self.status is not LanePhase.HALTED:
            self.status = LanePhase.DRAINING
        self._wake.set()

    # -- the life ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        try:
            while self.status in (LanePhase.CLAIMED, LanePhase.RUNNING):
                self.moved_at = time.monotonic()
                try:
                    await self._live()
                except (*INFRASTRUCTURE_ERRORS, *BROKER_ERRORS) as error:
                    log.warning("lane begins again", service=self.service, lane=self.lane, error=repr(error))
                    await self._leave()
                    await asyncio.sleep(0.2)
                except Halted as error:
                    log.critical("lane halted", service=self.service, lane=self.lane, error=str(error))
                    self.status = LanePhase.HALTED
                except Fenced as error:
                    log.warning("lane fenced", service=self.service, lane=self.lane, error=str(error))
                    self.status = LanePhase.LOST
            if self.status is LanePhase.DRAINING:
                await self._finish()
                self.status = LanePhase.RELEASED
            while self.status is LanePhase.HALTED:
                self.moved_at = None
                self._reader.leave(self.lane)
                self._wake.clear()
                await self._wake.wait()
        finally:
            await self._leave()
            await self._producer.close()

    async def _live(self) -> None:
        await self._load()
        if self.status is LanePhase.CLAIMED:
            self.status = LanePhase.RUNNING
        while self.status is LanePhase.RUNNING:
            if self._link.cluster is not None and self.cluster != self._link.cluster:
                await self._enter_cluster(self._link.cluster)
            if not await self._batch():
                await self._rest()

    async def _load(self) -> None:
        await self._leave()
        async with self._pool.acquire() as db:
            epoch = await db.fetchval(RAISE_EPOCH, self.lane, self.epoch)
            if epoch is None:
                raise Fenced(f"lane {self.lane} is not at epoch {self.epoch} any more")
            self.epoch = epoch
            self._now = await db.fetchval("SELECT lane_now FROM lane WHERE lane = $1", self.lane)
            decider = self._new_decider()
            for row in await db.fetch("SELECT * FROM seen WHERE lane = $1", self.lane):
                decider.seen[row["topic"], row["source"]] = row["number"]
                if row["gap_since"] is not None:
                    decider.gaps[row["topic"], row["source"]] = row["gap_since"]
            decider.last_number = (
                await db.fetchval(
                    "SELECT number FROM counter WHERE source = $1 AND partition = $2", self.source, self.lane
                )
                or 0
            )
            started, self.moved_at = time.monotonic(), None
            decider.state = await self._logic.load(db, self.lane, self._advance())
            self.moved_at = time.monotonic()
            took = round((self.moved_at - started) * 1000)
            log.info("lane loaded", service=self.service, lane=self.lane, epoch=epoch, milliseconds=took)
            await decider.timers.load(db, self.lane)
        decider.poisoned = self._decider.poisoned
        self._decider = decider
        if self._writes is not None:
            self._relay = RelayLine(self._pool, self._link, self._codec, self._writes, self.source, self.lane)
            self._relay.last_number = decider.last_number
            self._relaying.keep(self._relay.run())
        self._refreshed_at = 0.0

    async def _leave(self) -> None:
        """Drops everything that belongs to the loaded state."""
        self._reader.leave(self.lane)
        self._batching.inboxes, self.cluster = {}, None
        self._relay = None
        await self._relaying.close()

    async def _finish(self) -> None:
        if self._relay is not None and self._link.cluster is not None:
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._relay.drained()
            except TimeoutError:
                log.info("facts left for the next owner", lane=self.lane, unsent=self._relay.unsent)
            await self._relay.store_now()

    async def _enter_cluster(self, cluster: str) -> None:
        """The positions on this cluster; where there are none, from the beginning of its log.

        What was fetched from the former log and not decided is dropped: its end cannot be asked any more, so that
        timers would wait for ever, and the sources send it again.
        """
        rows = await self._pool.fetch(
            "SELECT topic, next_offset FROM position WHERE lane = $1 AND cluster = $2", self.lane, cluster
        )
        known = {row["topic"]: row["next_offset"] for row in rows}
        if cluster != self._entered:
            self._decider.poisoned.clear()  # offsets of the former log
            self._entered = cluster
        self._batching.inboxes = {name: TopicInbox(name, known.get(name, -1)) for name in self._reads}
        self.cluster = cluster
        self._reader.join(self)

    def _advance(self) -> Instant:
        self._now = max(self._now, self._clock.now())
        return self._now

    # -- a batch -----------------------------------------------------------------------------------------------------

    async def _batch(self) -> bool:
        """Takes, decides and commits one batch; false when there is nothing to do now."""
        now = self._advance()
        await self._refresh(now)
        timers = self._batching.due_timers(self._decider.timers, self._decider.state, now)
        if self._batching.single_steps:
            records, fires = self._batching.one(timers)
        else:
            records, fires = self._batching.take(timers.holds), timers.fires
        if not records and not fires:
            if timers.unread:
                await self._reader.ask_ends()
                return self._batching.has_read(timers.holds)
            if self._link.cluster is None or not self._batching.has_records:
                self.moved_at = time.monotonic()
            return False
        await self._decide_and_commit(records, fires, now)
        self.moved_at = time.monotonic()
        return True

    async def _refresh(self, now: Instant) -> None:
        if time.monotonic() - self._refreshed_at >= self._logic.refresh_seconds:
            async with self._pool.acquire() as db:
                await self._logic.refresh(db, self._decider.state, now)
            self._refreshed_at = time.monotonic()
        await self._producer.ask_for_gaps(self._decider, now)

    async def _decide_and_commit(self, records: list[Arrived], fires: list[TimerCause], now: Instant) -> None:
        with telemetry.batch_span(self.service, self.lane, records):
            try:
                await gather(self._pool, self._logic, self._decider, records, fires)
            except Exception as error:
                self._search(records, fires, "gather", error)
                return
            await self._until_committed(records, fires, now)

    async def _until_committed(self, records: list[Arrived], fires: list[TimerCause], now: Instant) -> None:
        decider = self._decider
        while True:
            work = decider.begin(now)
            try:
                left = self._batching.decide(decider, records, fires, now)
                # Before the positions are taken: they must not run ahead of what was decided.
                self._batching.put_back(left)
                records = records[: len(records) - len(left)]
                await self._commit(work)
            except Settled as settled:
                decider.take_back()
                if decider.settled.keys() >= set(settled.ids):
                    # Told before, and decided all the same: it would be so for ever.
                    self._search(records, fires, "write", settled)
                    return
                await self._learn_settled(settled.ids)
                continue
            except Exception as error:
                decider.take_back()
                self._search(records, fires, "write", error)
                return
            except BaseException:
                decider.take_back()
                raise
            self._after_commit(work)
            self._batching.single_steps = max(0, self._batching.single_steps - 1)
            return

    async def _commit(self, work: BatchWrites) -> None:
        started = time.monotonic()
        positions = [
            Position(name, inbox.stored_offset, inbox.decided_offset, work.passed[name])
            for name, inbox in self.inboxes.items()
            if inbox.decided_offset != inbox.stored_offset or (inbox.decided_offset >= 0 and not inbox.is_stored)
        ]
        last = self._decider.last_number + len(work.envelopes) if work.envelopes else None
        batch = Batch(self.lane, work.now, tuple(work.decided), self.source, self._decider.last_number)
        async with fenced(self._pool, self.lane, self.epoch, work.now) as db:
            await self._logic.write(db, self._decider.state, batch)
            if work.envelopes:
                await insert_facts(db, self.source, self.lane, work.now, work.envelopes)
            await write_progress(db, self.lane, self.cluster or "", self.source, positions, last, work)
        for position in positions:
            self.inboxes[position.topic].stored(position.next_offset)
        telemetry.TRANSACTION_SECONDS.labels(self.service).observe(time.monotonic() - started)
        telemetry.BATCH_RECORDS.labels(self.service).observe(len(work.decided))

    async def _learn_settled(self, ids: Sequence[str]) -> None:
        rows = await self._pool.fetch("SELECT * FROM outcome WHERE id = ANY($1::text[])", list(ids))
        for row in rows:
            self._decider.settled[row["id"]] = Outcome(
                row["id"], "", row["status"], row["body"], row["body_hash"], None
            )

    def _search(self, records: list[Arrived], fires: Sequence[TimerCause], stage: str, error: Exception) -> None:
        """Something in a batch is refused for what it is: go on one cause at a time until it is found, and then make a
        dead letter of it. Raises again what says nothing about the batch."""
        if isinstance(error, (*INFRASTRUCTURE_ERRORS, *BROKER_ERRORS, MemoryError, Halted, Fenced)):
            raise error
        causes = len(records) + len(fires)
        log.error("refused", service=self.service, lane=self.lane, stage=stage, causes=causes, error=repr(error))
        if isinstance(error, asyncpg.CheckViolationError) and error.constraint_name == POSITION_CHECK:
            telemetry.alarm(self.service, "position-ahead", lane=self.lane, detail=str(error))
            raise Halted("a position would run ahead of what was decided") from error
        self._batching.put_back(records)
        if causes == 1:
            self._decider.refuse(records[0] if records else fires[0], stage, described(error))
            self._batching.single_steps = max(self._batching.single_steps, 1)
        else:
            self._batching.search(causes)

    def _after_commit(self, work: BatchWrites) -> None:
        self._decider.keep()
        for key in list(self._decider.poisoned):
            if isinstance(key, str):
                done = key in self._decider.timers.aside
            else:
                inbox = self.inboxes.get(key[0])
                done = inbox is not None and inbox.decided_offset > key[1]
            if done:
                del self._decider.poisoned[key]
        if self._relay is not None:
            self._relay.add(work.envelopes)
        self._producer.publish(work.outcomes)
        requests, self._decider.resend_requests = self._decider.resend_requests, []
        self._producer.send_again(requests, self._relay, self._writes, self._slot_topic)

    async def _rest(self) -> None:
        """Waits for a record, the next timer or the next refresh."""
        for_company = self._batching.seconds_for_company()
        earliest = self._decider.timers.earliest(self._decider.state)
        if for_company <= 0 and not earliest:
            await asyncio.sleep(0)  # a lane never keeps its process to itself
            return
        self._wake.clear()
        now = self._clock.now()
        seconds = min(IDLE_SECONDS, self._logic.refresh_seconds)
        if for_company > 0:
            seconds = min(seconds, for_company)
        for due in earliest.values():
            seconds = min(seconds, (due - now).total_seconds())
        if self._link.cluster is None:
            seconds = max(seconds, 0.02)
        try:
            async with asyncio.timeout(max(0.0005, seconds)):
                await self._wake.wait()
        except TimeoutError:
            return
