"""The relay: facts that are committed, sent to their topic in the order of their numbers.

One line per (source, partition). A line sends a chunk only after every acknowledgement of the last, and goes back to
the first unacknowledged number after a failure; a reader drops what it has. How far a line came is stored per target
(the broker's cluster id), lazily: what is sent again after a crash is dropped as well. On a cluster that was never
sent to, it begins with the first fact younger than `resend_seconds`: so a broker that lost its log gets it again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog

from pointsman.core.envelope import Envelope
from pointsman.core.topic import Topic
from pointsman.runtime import telemetry
from pointsman.runtime.broker import BROKER_ERRORS, REQUEST_TIMEOUT_MS, BrokerLink
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.logic import Codec

log = structlog.get_logger(__name__)

CHUNK_RECORDS_MAX = 500
PENDING_RECORDS_MAX = 20_000
STORE_SECONDS = 0.5
SEND_SECONDS_MAX = 4 * REQUEST_TIMEOUT_MS / 1000

FIRST_TO_SEND = """
    SELECT coalesce(
        (SELECT number FROM sent WHERE source = $1 AND partition = $2 AND cluster = $3),
        (SELECT min(number) - 1 FROM fact
         WHERE source = $1 AND partition = $2 AND made_at >= clock_timestamp() - make_interval(secs => $4)),
        (SELECT number FROM counter WHERE source = $1 AND partition = $2),
        0)
"""

STORED_FACTS = """
    SELECT * FROM fact
    WHERE source = $1 AND partition = $2 AND number > $3 AND ($4::bigint IS NULL OR number <= $4)
    ORDER BY number LIMIT $5
"""

STORE_SENT = """
    INSERT INTO sent (source, partition, cluster, number) VALUES ($1, $2, $3, $4)
    ON CONFLICT (source, partition, cluster) DO UPDATE SET number = greatest(sent.number, excluded.number)
"""


def stored_envelope(topic: str, row: Any) -> Envelope:
    """The envelope of a row of `fact`. The body is JSON text as it was written."""
    body = row["body"]
    return Envelope(
        id=row["id"],
        source=row["source"],
        topic=topic,
        partition=row["partition"],
        number=row["number"],
        cause=row["cause"],
        workspace=row["workspace"],
        subject=row["subject"],
        at=row["at"],
        types=tuple(row["types"]),
        agents=tuple(row["agents"]),
        body=body if isinstance(body, bytes) else telemetry.encode(body),
        traceparent=row["traceparent"],
    )


class RelayLine:
    """Sends the facts of one source to one partition. `add` what was committed; `run` until cancelled."""

    def __init__(self, pool: Any, link: BrokerLink, codec: Codec, topic: Topic, source: str, partition: int) -> None:
        self._pool, self._link, self._codec, self._topic = pool, link, codec, topic
        self.source, self.partition = source, partition
        self._pending: deque[Envelope] = deque()
        self._generation = -1
        self._acknowledged = 0
        self._stored = 0
        self._stored_at = 0.0
        self._backlog_since: float | None = None
        self.last_number = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()

    def add(self, envelopes: Sequence[Envelope]) -> None:
        """Facts that were just committed, in the order of their numbers, after all that were added before."""
        if not envelopes:
            return
        self.last_number = envelopes[-1].number
        if len(self._pending) + len(envelopes) <= PENDING_RECORDS_MAX:
            self._pending.extend(envelopes)
        else:
            self._pending.clear()  # read again from the table when the broker is back
        self._idle.clear()
        self._wake.set()
        self._tell()

    def _tell(self) -> None:
        labels = (self._topic.name, str(self.partition))
        now = time.monotonic()
        if self.unsent <= 0:
            self._backlog_since = None
        elif self._backlog_since is None:
            self._backlog_since = now
        telemetry.UNSENT.labels(*labels).set(max(0, self.unsent))
        telemetry.UNSENT_AGE.labels(*labels).set(0 if self._backlog_since is None else now - self._backlog_since)

    @property
    def unsent(self) -> int:
        return self.last_number - self._acknowledged

    def go_back(self, first: int) -> None:
        """A reader misses `first` and what follows: send from there again."""
        if first - 1 < self._acknowledged:
            self._acknowledged = max(0, first - 1)
            self._pending.clear()
            self._idle.clear()
            self._wake.set()

    async def drained(self) -> None:
        """Returns when everything committed so far is acknowledged."""
        if self.unsent > 0 or self._generation != self._link.generation:
            await self._idle.wait()

    async def run(self) -> None:
        self.last_number = max(self.last_number, await self._counted())
        self._wake.set()
        while True:
            try:
                await self._wake.wait()
                self._wake.clear()
                await self._send_all()
            except (*BROKER_ERRORS, *INFRASTRUCTURE_ERRORS) as error:
                log.debug("relay goes back", source=self.source, partition=self.partition, error=repr(error))
                self._pending.clear()
                self._tell()
                self._link.doubt()
                await asyncio.sleep(0.2)
                self._wake.set()

    async def _counted(self) -> int:
        while True:
            try:
                number = await self._pool.fetchval(
                    "SELECT number FROM counter WHERE source = $1 AND partition = $2", self.source, self.partition
                )
                return int(number or 0)
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("relay waits for the database", source=self.source, error=repr(error))
                await asyncio.sleep(0.2)

    async def _send_all(self) -> None:
        if self._link.cluster is None:
            raise ConnectionError("the broker is out of reach")
        if self._generation != self._link.generation:
            await self._begin(self._link.generation, self._link.cluster)
        while self._acknowledged < self.last_number:
            if self._generation != self._link.generation:
                raise ConnectionError("the broker is another")
            chunk = await self._next_chunk()
            if not chunk:
                break
            await self._send(chunk)
            self._acknowledged = max(self._acknowledged, chunk[-1].number)
            self._tell()
            await self._store(force=False)
        await self._store(force=False)
        if self.unsent <= 0:
            self._idle.set()

    async def _begin(self, generation: int, cluster: str) -> None:
        seconds = float(self._link.settings.resend_seconds)
        number = await self._pool.fetchval(FIRST_TO_SEND, self.source, self.partition, cluster, seconds)
        self._acknowledged = self._stored = int(number)
        if self._pending and self._pending[0].number > self._acknowledged + 1:
            self._pending.clear()
        self._generation = generation

    async def _next_chunk(self) -> list[Envelope]:
        while self._pending and self._pending[0].number <= self._acknowledged:
            self._pending.popleft()
        if self._pending and self._pending[0].number == self._acknowledged + 1:
            return [self._pending.popleft() for _ in range(min(CHUNK_RECORDS_MAX, len(self._pending)))]
        rows = await self._pool.fetch(
            STORED_FACTS, self.source, self.partition, self._acknowledged, self.last_number, CHUNK_RECORDS_MAX
        )
        return [stored_envelope(self._topic.name, row) for row in rows]

    async def _send(self, chunk: Sequence[Envelope]) -> None:
        futures = [
            await self._link.send(
                self._topic,
                self.partition,
                envelope.workspace.encode(),
                envelope.body,
                self._codec.fact_headers(envelope),
            )
            for envelope in chunk
        ]
        async with asyncio.timeout(SEND_SECONDS_MAX):  # a producer that was ended may forget what it held
            results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise ConnectionError(f"a record was not acknowledged: {result!r}") from result

    async def _store(self, *, force: bool) -> None:
        due = force or time.monotonic() - self._stored_at > STORE_SECONDS
        if not due or self._acknowledged <= self._stored or self._link.cluster is None:
            return
        await self._pool.execute(STORE_SENT, self.source, self.partition, self._link.cluster, self._acknowledged)
        self._stored, self._stored_at = self._acknowledged, time.monotonic()

    async def store_now(self) -> None:
        """At a drain: note how far it came, so that the next owner sends little again."""
        try:
            await self._store(force=True)
        except INFRASTRUCTURE_ERRORS as error:
            log.debug("position of the relay not stored", source=self.source, error=repr(error))


async def resend(
    pool: Any, link: BrokerLink, codec: Codec, topic: Topic, source: str, partition: int, first: int
) -> int:
    """Sends what a source made from `first` on to the partition again, with the old numbers; returns how many.

    For sources that this process does not own (another slot): the numbers are fixed, so anybody may send them.
    """
    line = RelayLine(pool, link, codec, topic, source, partition)
    number, count = first - 1, 0
    while True:
        rows = await pool.fetch(STORED_FACTS, source, partition, number, None, CHUNK_RECORDS_MAX)
        if not rows:
            return count
        await line._send([stored_envelope(topic.name, row) for row in rows])
        number, count = rows[-1]["number"], count + len(rows)
