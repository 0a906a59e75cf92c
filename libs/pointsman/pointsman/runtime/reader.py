"""One consumer per process: fetches the partitions of all lanes it owns and hands the records to their inboxes.

Partitions are assigned and positions sought from the lanes' rows; there is no group. A partition whose inbox is full
is paused, or looked through ahead (see `inbox`). The consumer is made anew for each generation of the broker link and
when the set of lanes changes.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime import telemetry
from pointsman.runtime.broker import (
    BROKER_ERRORS,
    BrokerLink,
    arrived,
    end_clients,
    make_consumer,
    start_client,
)
from pointsman.runtime.clock import Clock
from pointsman.runtime.fetch_waits import FetchWaits
from pointsman.runtime.inbox import TopicInbox
from pointsman.runtime.tasks import awaited

log = structlog.get_logger(__name__)

POLL_MS = 200
FETCHED_RECORDS_MAX = 2_000


class Reading(Protocol):
    """A lane as the reader sees it."""

    lane: int
    cluster: str | None

    @property
    def inboxes(self) -> Mapping[str, TopicInbox]: ...

    def wake(self) -> None: ...

    def beyond_log(self, topic: str, detail: str) -> None:
        """The position is not in the log: an alarm, the lane stops."""


class Reader:
    """`join` a lane when its positions are known, `leave` before it is dropped; `run` until cancelled.

    It rests `rest_seconds` after each answer with records, so that the next one has more of them.
    """

    def __init__(
        self, link: BrokerLink, clock: Clock, topics: tuple[Topic, ...], service: str, rest_seconds: float = 0.0
    ) -> None:
        self._link, self._clock, self._service = link, clock, service
        self._topics = {topic.full_name(link.settings.topic_prefix): topic.name for topic in topics}
        self._rest_seconds = rest_seconds
        self._lanes: dict[int, Reading] = {}
        self._consumer: Any = None
        self._positions: dict[Any, int] = {}
        """What the consumer gives next, by partition."""
        self._asker: Any = None
        self._generation = -1
        self._dirty = True
        self._wake = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self.waits = FetchWaits(link.settings)
        link.on_change(self.waits.told)

    def join(self, lane: Reading) -> None:
        self._lanes[lane.lane] = lane
        self._changed()

    def leave(self, lane: int) -> None:
        if self._lanes.pop(lane, None) is not None:
            self._changed()

    def _changed(self) -> None:
        self._dirty = True
        self._wake.set()
        self.waits.told()

    async def run(self) -> None:
        try:
            while True:
                try:
                    await self._step()
                except BROKER_ERRORS as error:
                    log.debug("reader begins again", service=self._service, error=repr(error))
                    self._link.doubt()
                    self._dirty = True
                    await self._close()
                    await asyncio.sleep(0.1)
        finally:
            await self._close()

    async def _step(self) -> None:
        if self._link.cluster is None or not self._lanes:
            await self._close()
            self._wake.clear()
            try:
                async with asyncio.timeout(0.05):
                    await self._wake.wait()
            except TimeoutError:
                pass
            return
        if self._consumer is None or self._generation != self._link.generation:
            await self._open()
        if self._dirty:
            await self._assign()
        if not self._consumer.assignment():
            await asyncio.sleep(0.01)
            return
        self._pause_full()
        self._seek_wanted()
        try:
            fetched = await self._consumer.getmany(
                timeout_ms=self.waits.patience_ms(POLL_MS), max_records=FETCHED_RECORDS_MAX
            )
        except OffsetOutOfRangeError as error:
            await self._check_positions(error)
            self._dirty = True
            return
        self.waits.answered(self._consumer, bool(fetched))
        for partition, records in fetched.items():
            self._positions[partition] = records[-1].offset + 1
            self._hand_over(partition, records)
        if not fetched:
            await self.waits.rest(self._consumer)
        elif self._rest_seconds:
            await asyncio.sleep(self._rest_seconds)

    def _hand_over(self, partition: Any, records: list[Any]) -> None:
        lane = self._lanes.get(partition.partition)
        if lane is None or self._dirty or lane.cluster != self._link.cluster:
            return
        topic = self._topics[partition.topic]
        inbox = lane.inboxes[topic]
        fetched = [arrived(record, topic) for record in records]
        if inbox.offer(fetched):
            lane.wake()
        elif fetched and fetched[0].offset > inbox.known_offset:
            log.warning(
                "unexpected offset", topic=topic, lane=lane.lane, expected=inbox.next_offset, got=fetched[0].offset
            )
            self._dirty = True
        telemetry.LAG.labels(topic, str(lane.lane)).set(
            len(inbox.records) + max(0, inbox.read_offset - inbox.next_offset)
        )

    def _pause_full(self) -> None:
        pause, resume = [], []
        paused = self._consumer.paused()
        for partition in self._consumer.assignment():
            lane = self._lanes.get(partition.partition)
            inbox = None if lane is None else lane.inboxes[self._topics[partition.topic]]
            full = inbox is not None and inbox.full and not inbox.needed
            if full and partition not in paused:
                pause.append(partition)
            elif not full and partition in paused:
                resume.append(partition)
        if pause:
            self._consumer.pause(*pause)
        if resume:
            self._consumer.resume(*resume)

    def _seek_wanted(self) -> None:
        """An inbox that looks ahead, or has room again after it did, wants another record than the next one."""
        for partition, inbox in self._partitions().items():
            wanted = inbox.wanted_offset
            if self._positions.get(partition, wanted) != wanted:
                self._seek(partition, wanted)

    def _seek(self, partition: Any, offset: int) -> None:
        self._consumer.seek(partition, offset)
        self._positions[partition] = offset

    async def _open(self) -> None:
        await self._close()
        address = self._link.address
        if address is None:
            raise ConnectionError("the broker is out of reach")
        generation = self._link.generation
        # Answers come in the order of the questions: on the connection that fetches, the question where partitions end
        # would wait for as long as a fetch does, and a timer with it. So it has a connection of its own.
        consumer = make_consumer(self._link.settings, address)
        await start_client(consumer, partial(end_clients, consumer))
        try:
            asker = make_consumer(self._link.settings, address)
            await start_client(asker, partial(end_clients, asker))
        except BaseException:
            await end_clients(consumer)
            raise
        self._consumer, self._asker, self._generation, self._dirty = consumer, asker, generation, True

    async def _close(self) -> None:
        closing = [consumer for consumer in (self._consumer, self._asker) if consumer is not None]
        self._consumer = self._asker = None
        await end_clients(*closing)

    def _partitions(self) -> dict[Any, TopicInbox]:
        return {
            TopicPartition(full_name, number): lane.inboxes[name]
            for number, lane in self._lanes.items()
            if lane.cluster == self._link.cluster
            for full_name, name in self._topics.items()
        }

    async def _assign(self) -> None:
        self._dirty = False
        self._positions.clear()
        partitions = self._partitions()
        self._consumer.assign(list(partitions))
        if not partitions:
            return
        begins = await self._consumer.beginning_offsets(list(partitions))
        for partition, inbox in partitions.items():
            if inbox.next_offset < 0:  # never read on this cluster: from the beginning of the log
                inbox.begin_at(begins[partition])
            elif inbox.next_offset < begins[partition]:
                self._lanes[partition.partition].beyond_log(
                    inbox.topic, f"position {inbox.next_offset} is below the log's start {begins[partition]}"
                )
            self._seek(partition, inbox.wanted_offset)

    async def _check_positions(self, error: Exception) -> None:
        partitions = self._partitions()
        begins = await self._consumer.beginning_offsets(list(partitions))
        ends = await self._consumer.end_offsets(list(partitions))
        for partition, inbox in partitions.items():
            if not begins[partition] <= inbox.next_offset <= ends[partition]:
                self._lanes[partition.partition].beyond_log(
                    inbox.topic,
                    f"position {inbox.next_offset} is outside {begins[partition]}…{ends[partition]} ({error!r})",
                )

    async def ask_ends(self) -> None:
        """Asks the broker where each partition ends now; every lane that asks at the same time shares the question."""
        if self._asking is None or self._asking.done():
            self._asking = awaited(self._ask_ends())
        await asyncio.shield(self._asking)

    async def _ask_ends(self) -> None:
        asker = self._asker
        if asker is None or self._dirty or self._generation != self._link.generation:
            await asyncio.sleep(0.01)
            return
        asked_at: Instant = self._clock.now()
        partitions = self._partitions()
        try:
            async with asyncio.timeout(2.0):
                ends = await asker.end_offsets(list(partitions))
        except BROKER_ERRORS as error:
            log.debug("end offsets not told", error=repr(error))
            self._link.doubt()
            await asyncio.sleep(0.05)
            return
        if self._generation == self._link.generation:
            for partition, end_offset in ends.items():
                inbox = partitions[partition]
                inbox.reported_end(asked_at, end_offset)
                if end_offset > inbox.read_offset:
                    self.waits.told()
