"""The link to the broker: its address, its identity, the producer; and what happens when it comes back as another.

A broker that lost its log is recognised by its cluster id, asked each second and after every error. `generation`
grows whenever the cluster or the address is another, so that readers and relays begin anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pointsman.core.envelope import Arrived
from pointsman.core.topic import Topic
from pointsman.runtime.broker_access import access_of
from pointsman.runtime.fetch_waits import QUIET_SECONDS
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited, uninterrupted, within

log = structlog.get_logger(__name__)

RECORD_BYTES_MAX = 6 * 1_048_576
REQUEST_TIMEOUT_MS = 5_000


START_ENDS_SECONDS = 2.0
STOP_SECONDS = 2.0
"""So long is waited for the end of a client whose broker may be gone."""

BROKER_ERRORS = (KafkaError, OSError, TimeoutError, asyncio.TimeoutError)


async def start_client(client: Any, end: Callable[[], Awaitable[Any]]) -> None:
    """Starts a consumer, a producer or an admin client; one that does not start, or that nobody waits for any more, is
    ended.

    aiokafka leaves a connection open when its start is broken off: the start goes on to its end, and then `end` comes.
    """
    starting = awaited(client.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        await uninterrupted(_give_up(starting, end))
        raise


async def _give_up(starting: Awaitable[Any], end: Callable[[], Awaitable[Any]]) -> None:
    await within(starting, START_ENDS_SECONDS)
    await end()


async def end_clients(*consumers: Any) -> None:
    """Ends consumers in bounded time, however often the caller is cancelled. One that does not end by itself loses its
    connections at least: for aiokafka it has ended already."""
    await uninterrupted(asyncio.gather(*map(_end, consumers)))


async def _end(consumer: Any) -> None:
    if not await within(consumer.stop(), STOP_SECONDS):
        await within(consumer._client.close(), STOP_SECONDS)


def resolve_broker(settings: RuntimeSettings) -> str:
    """The broker's address now. `file:PATH` is read at each call; raises `OSError` when it is not there yet."""
    if settings.broker.startswith("file:"):
        address = Path(settings.broker.removeprefix("file:")).read_text().strip()
        if not address:
            raise OSError(f"{settings.broker} is empty")
        return address
    return settings.broker


def make_producer(settings: RuntimeSettings, address: str) -> Any:
    """A producer that waits for all replicas; idempotent where the broker can."""
    return AIOKafkaProducer(
        bootstrap_servers=address,
        acks="all",
        enable_idempotence=settings.idempotent_producer,
        linger_ms=0,
        max_request_size=RECORD_BYTES_MAX,
        max_batch_size=256 * 1024,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=50,
        **access_of(settings),
    )


def make_consumer(settings: RuntimeSettings, address: str) -> Any:
    """A consumer without a group: partitions are assigned, positions are ours."""
    return AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=settings.fetch_wait_ms,
        max_partition_fetch_bytes=RECORD_BYTES_MAX,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=50,
        metadata_max_age_ms=60_000,
        **access_of(settings),
    )


def make_admin(settings: RuntimeSettings, address: str) -> Any:
    """A client that asks what there is, and who the cluster is."""
    return AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=REQUEST_TIMEOUT_MS, **access_of(settings))


class BrokerLink:
    """One process's link. `cluster` is None while the broker is out of reach; `watch` keeps it true."""

    def __init__(self, settings: RuntimeSettings, watch_seconds: float = 3.0) -> None:
        self.settings = settings
        self.address: str | None = None
        self.cluster: str | None = None
        self.generation = 0
        self._told = ""
        self._producer: Any = None
        self._admin: Any = None
        self._lost_at: float | None = time.monotonic()
        self._watch_seconds = watch_seconds
        self._doubt = asyncio.Event()
        self._changed: list[Callable[[], Awaitable[None] | None]] = []
        self._sent_at: dict[tuple[str, int], float] = {}
        self._on_first: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], Awaitable[None] | None]) -> None:
        """Calls back after each change of cluster or reach."""
        self._changed.append(callback)

    def on_first(self, callback: Callable[[], None]) -> None:
        """Calls back when a partition got a record that got none for a while: whoever reads it may be resting."""
        self._on_first.append(callback)

    @property
    def out_of_reach_seconds(self) -> float:
        """How long the broker has been out of reach; 0 while it answers."""
        return 0.0 if self._lost_at is None else time.monotonic() - self._lost_at

    def doubt(self) -> None:
        """Something failed: ask the broker who it is at once."""
        self._doubt.set()

    async def send(
        self, topic: Topic, partition: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[Any]":
        """Hands one record to the producer; the future ends with its acknowledgement or an error."""
        producer = self._producer
        if producer is None:
            raise ConnectionError("the broker is out of reach")
        future: asyncio.Future[Any] = await producer.send(
            topic.full_name(self.settings.topic_prefix), value=value, key=key, partition=partition, headers=headers
        )
        future.add_done_callback(_looked_at)
        place, now = (topic.name, partition), time.monotonic()
        if self._on_first and now - self._sent_at.get(place, -QUIET_SECONDS) > QUIET_SECONDS / 2:
            future.add_done_callback(self._tell_of_first)
        self._sent_at[place] = now
        return future

    def _tell_of_first(self, future: "asyncio.Future[Any]") -> None:
        if not future.cancelled() and future.exception() is None:
            for callback in self._on_first:
                callback()

    async def watch(self) -> None:
        """Asks who the broker is, every few seconds and whenever in doubt, until cancelled."""
        try:
            while True:
                await self.check()
                self._doubt.clear()
                try:
                    async with asyncio.timeout(self._watch_seconds if self.cluster else 0.2):
                        await self._doubt.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(0.05)
        finally:
            await self.close()

    async def check(self) -> None:
        """One look at the broker."""
        try:
            address = resolve_broker(self.settings)
            async with asyncio.timeout(REQUEST_TIMEOUT_MS / 1000):
                cluster = await self._identity(address)
            if cluster == self.cluster and address == self.address:
                return
            await self._connect(address, cluster)
        except BROKER_ERRORS as error:
            if self.cluster is not None or repr(error) != self._told:
                self._told = repr(error)
                log.warning("broker out of reach", address=self.address, error=self._told)
            if self.cluster is not None:
                self.cluster, self._lost_at = None, time.monotonic()
                await self._tell()
            await self.close()

    async def _identity(self, address: str) -> str:
        if self._admin is None or address != self.address:
            await self._close_admin()
            admin = make_admin(self.settings, address)
            await start_client(admin, lambda: within(admin.close(), STOP_SECONDS))
            self._admin = admin
        description = await self._admin.describe_cluster()
        return str(description["cluster_id"])

    async def _connect(self, address: str, cluster: str) -> None:
        await self._stop_producer()
        producer = make_producer(self.settings, address)
        await start_client(producer, lambda: within(producer.stop(), STOP_SECONDS))
        self._producer = producer
        self.address, self.cluster, self._lost_at = address, cluster, None
        self.generation += 1
        log.info("broker reached", address=address, cluster=cluster, generation=self.generation)
        await self._tell()

    async def _tell(self) -> None:
        for callback in self._changed:
            result = callback()
            if result is not None:
                await result

    async def close(self) -> None:
        """Lets go of the broker; the next `check` begins anew."""
        await self._close_admin()
        await self._stop_producer()

    async def _close_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await uninterrupted(within(admin.close(), STOP_SECONDS))

    async def _stop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            # A producer with pending sends waits for a broker that is gone; what it held is in the fact table. Its
            # connections stay its own: without them it never says that what it held was not sent.
            await uninterrupted(within(producer.stop(), 1.0))


def arrived(record: Any, topic: str) -> Arrived:
    """aiokafka's record as ours, under the name by which the reader calls its topic."""
    return Arrived(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )


def _looked_at(future: "asyncio.Future[Any]") -> None:
    """Who does not wait for an acknowledgement is not warned of its error either."""
    if not future.cancelled():
        future.exception()
