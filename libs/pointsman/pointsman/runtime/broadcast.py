"""What a process hears: all partitions of some topics, without a group, from their end on.

One consumer per process. A record is looked at by its headers (workspace, agents, types) and parsed only for a
subscriber that wants it. Nothing is kept: what matters is in tables, and a subscriber that may have missed something
(it was too slow, or the link to the broker was lost) is told `RESET` and reads there.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol

import orjson
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from pointsman.core.envelope import Arrived, Decoded
from pointsman.core.topic import Topic
from pointsman.runtime.broker import (
    BROKER_ERRORS,
    BrokerLink,
    arrived,
    end_clients,
    make_consumer,
    start_client,
)
from pointsman.runtime.fetch_waits import FetchWaits
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

QUEUED_MAX = 1_000
POLL_MS = 500
RECONNECT_SECONDS = 0.2

OVERFLOWS = Counter("pointsman_broadcast_overflows_total", "Subscribers that were too slow and were reset.")


class Decoder(Protocol):
    """How a record is understood (pointsman.contracts.codec)."""

    def decode(self, topic: str, record: Arrived) -> Decoded: ...


class Heard:
    """One record as the broadcast heard it: its headers, and its value parsed when somebody looks."""

    __slots__ = ("_decoder", "_facts", "arrived", "headers", "topic")

    def __init__(self, topic: str, arrived: Arrived, headers: Mapping[str, bytes], decoder: Decoder) -> None:
        self.topic = topic
        self.arrived = arrived
        self.headers = headers
        self._decoder = decoder
        self._facts: list[Any] | None = None

    def header(self, name: str) -> str:
        """The header, "" when it is absent."""
        return self.headers.get(name, b"").decode("utf-8", "replace")

    @property
    def workspace(self) -> str:
        return self.header("ce_workspace")

    @property
    def types(self) -> list[str]:
        return self.header("facts").split(",")

    @property
    def agents(self) -> list[str]:
        named = self.header("agents")
        return named.split(",") if named else []

    @property
    def number(self) -> int:
        """The record's number in its source and partition, 0 when it has none."""
        return int(self.header("ce_number") or 0)

    @property
    def facts(self) -> list[Any]:
        """The facts as JSON values, known types or not."""
        if self._facts is None:
            self._facts = orjson.loads(self.arrived.value or b"{}").get("facts", [])
        return self._facts

    def decoded(self) -> Decoded:
        """The known facts as models. Raises the codec's `Undecodable`."""
        return self._decoder.decode(self.topic, self.arrived)


class Reset:
    """Something may have been missed: read the tables again."""


RESET: Final = Reset()


class Subscription:
    """An iterator over what a subscriber wants, bounded: when it is full, everything waiting becomes one `RESET`."""

    def __init__(self, types: frozenset[str] | None, queued_max: int) -> None:
        self.types = types
        self._waiting: deque[Heard | Reset] = deque()
        self._queued_max = queued_max
        self._bell = asyncio.Event()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Heard | Reset:
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        return self._waiting.popleft()

    async def wait(self, timeout_seconds: float) -> bool:
        """Waits until something is there; False when the time was up first. For long polls."""
        if not self._waiting and timeout_seconds > 0:
            self._bell.clear()
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._bell.wait()
            except TimeoutError:
                return False
        return bool(self._waiting)

    def clear(self) -> None:
        """Forgets what is waiting: the caller reads the tables next."""
        self._waiting.clear()

    def offer(self, heard: Heard) -> None:
        if self.types is not None and self.types.isdisjoint(heard.types):
            return
        if len(self._waiting) >= self._queued_max:
            OVERFLOWS.inc()
            self.reset()
            return
        self._waiting.append(heard)
        self._bell.set()

    def reset(self) -> None:
        self._waiting.clear()
        self._waiting.append(RESET)
        self._bell.set()


Listener = Callable[[Heard], None]


class Broadcast:
    """See the module. `run` reads until it is cancelled; `hearing` is set while it is at the topics' ends."""

    def __init__(self, settings: RuntimeSettings, link: BrokerLink, topics: Sequence[Topic], decoder: Decoder) -> None:
        self._settings = settings
        self._link = link
        self._topics = {topic.full_name(settings.topic_prefix): topic.name for topic in topics}
        self._decoder = decoder
        self._listeners: dict[str, list[Listener]] = {}
        self._on_reset: list[Callable[[], None]] = []
        self._subscriptions: dict[tuple[str, bytes, bytes], set[Subscription]] = {}
        self.hearing = asyncio.Event()
        self.waits = FetchWaits(settings)
        link.on_change(self.waits.told)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._topics.values())

    def listen(self, topic: str, listener: Listener, on_reset: Callable[[], None] | None = None) -> None:
        """Calls back with every record of a topic, at once and in order; for the process's own bookkeeping. `on_reset`
        is called when records may have been missed."""
        self._listeners.setdefault(topic, []).append(listener)
        if on_reset is not None:
            self._on_reset.append(on_reset)

    @asynccontextmanager
    async def subscribe(
        self,
        *,
        topic: str,
        workspace: str,
        agent: str | None = None,
        types: Sequence[str] | None = None,
        queued_max: int = QUEUED_MAX,
    ) -> AsyncIterator[Subscription]:
        """Everything of a workspace's topic from now on: of all agents or of one, of all types or of some."""
        subscription = Subscription(None if types is None else frozenset(types), queued_max)
        key = (topic, workspace.encode(), (agent or "").encode())
        members = self._subscriptions.setdefault(key, set())
        members.add(subscription)
        try:
            yield subscription
        finally:
            members.discard(subscription)
            if not members and self._subscriptions.get(key) is members:
                del self._subscriptions[key]

    async def run(self) -> None:
        """Hears until cancelled; begins anew at the end whenever the broker is another."""
        while True:
            if self._link.cluster is None:
                await asyncio.sleep(0.02)
                continue
            try:
                await self._hear()
            except BROKER_ERRORS as error:
                log.warning("broadcast interrupted", error=repr(error))
                self._link.doubt()
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                self.hearing.clear()

    async def _hear(self) -> None:
        generation = self._link.generation
        consumer = make_consumer(self._settings, str(self._link.address))
        partitions = [
            TopicPartition(full_name, partition)
            for full_name in self._topics
            for partition in range(self._settings.partitions)
        ]
        waits = self.waits
        waits.told()
        await start_client(consumer, partial(end_clients, consumer))
        try:
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            self.hearing.set()
            self.reset_all()
            while self._link.generation == generation and self._link.cluster is not None:
                fetched = await consumer.getmany(timeout_ms=waits.patience_ms(POLL_MS))
                waits.answered(consumer, bool(fetched))
                if not fetched:
                    await waits.rest(consumer)
                for records in fetched.values():
                    for record in records:
                        self._dispatch(record)
        finally:
            await end_clients(consumer)

    def _dispatch(self, record: Any) -> None:
        topic = self._topics[record.topic]
        headers = dict(record.headers)
        heard: Heard | None = None
        for listener in self._listeners.get(topic, ()):
            heard = heard or self._heard(topic, record, headers)
            listener(heard)
        workspace = headers.get("ce_workspace", b"")
        interested = list(self._subscriptions.get((topic, workspace, b""), ()))
        if agents := headers.get("agents"):
            for agent in agents.split(b","):
                interested += self._subscriptions.get((topic, workspace, agent), ())
        if interested:
            heard = heard or self._heard(topic, record, headers)
            for subscription in interested:
                subscription.offer(heard)

    def _heard(self, topic: str, record: Any, headers: Mapping[str, bytes]) -> Heard:
        return Heard(topic, arrived(record, record.topic), headers, self._decoder)

    def reset_all(self) -> None:
        """Wakes every subscriber: something may have been missed, or the process drains."""
        for on_reset in self._on_reset:
            on_reset()
        for members in self._subscriptions.values():
            for subscription in members:
                subscription.reset()


async def read_since(
    settings: RuntimeSettings, address: str, topic: Topic, since_ms: int | None, listener: Callable[[Arrived], None]
) -> None:
    """Reads a topic from an instant (or its beginning) to the end that it has now. Raises one of `BROKER_ERRORS`."""
    consumer = make_consumer(settings, address)
    partitions = [
        TopicPartition(topic.full_name(settings.topic_prefix), partition) for partition in range(settings.partitions)
    ]
    await start_client(consumer, partial(end_clients, consumer))
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        if since_ms is not None:
            try:
                found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
            except KafkaError:
                found = {}  # a broker without time index: everything it has
            starts |= {place: at.offset if at else ends[place] for place, at in found.items()}
        behind = {place for place in partitions if starts[place] < ends[place]}
        for place in partitions:
            consumer.seek(place, starts[place])
        idle_since = time.monotonic()
        while behind:
            fetched = await consumer.getmany(*behind, timeout_ms=200)
            for place, records in fetched.items():
                for record in records:
                    listener(arrived(record, record.topic))
                if records[-1].offset + 1 >= ends[place]:
                    behind.discard(place)
            if fetched:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > 10:
                raise TimeoutError(f"{topic.name} could not be read to its end")
    finally:
        await end_clients(consumer)
