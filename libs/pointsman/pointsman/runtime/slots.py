"""Slots: sources without input topics, for API processes that write facts themselves.

A process takes a slot by a lease and an epoch, like a lane. The slot's relay lines publish right after the commit. A
dead process's slot is taken over by another process, drained and given back. See `group_commit` for what writes.
"""

import asyncio
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope
from pointsman.core.ids import lane_of
from pointsman.core.topic import Topic
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.lease import DURABLE, HELD_KEYS
from pointsman.runtime.logic import Codec
from pointsman.runtime.relay import RelayLine
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.source import Source
from pointsman.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

SLOTS_MAX = 256
KEEP_SECONDS = 0.5

_FREE = f"owner IS NULL OR lease_until < clock_timestamp() OR owner_key NOT IN ({HELD_KEYS})"

_TAKE = """
    WITH free AS (
        SELECT slot FROM slot_lease JOIN slot USING (slot) WHERE {which}
        ORDER BY {order} LIMIT 1 FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE slot_lease SET owner = $1, owner_key = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM free WHERE slot_lease.slot = free.slot
    )
    UPDATE slot SET epoch = epoch + 1 FROM free WHERE slot.slot = free.slot RETURNING slot.slot, epoch
"""

TAKE_SLOT = _TAKE.format(which=f"owner = $1 OR {_FREE}", order="owner = $1 DESC NULLS LAST, slot")
"""The slot that the process held before a fault, if nobody took it meanwhile: what it had not sent goes out at once."""

TAKE_LEFT_SLOT = _TAKE.format(which=f"owner IS NOT NULL AND ({_FREE})", order="slot")

RENEW_SLOT = f"""
    WITH renewed AS (
        UPDATE slot_lease SET lease_until = clock_timestamp() + make_interval(secs => $3)
        WHERE owner = $1 AND slot = $2 RETURNING slot
    )
    SELECT EXISTS (SELECT FROM renewed) AS ours, clock_timestamp() AS now,
           EXISTS (SELECT FROM slot_lease WHERE owner <> $1 AND ({_FREE})) AS left_by_another
"""
"""One question for all that a holder asks again and again: whether it still holds it, and whether somebody died."""

GIVE_BACK_SLOT = "UPDATE slot_lease SET owner = NULL, lease_until = '-infinity' WHERE slot = $1 AND owner = $2"


class Slot:
    """A slot held by this process: its source's numbers and its relay lines, one per partition used."""

    def __init__(
        self, pool: Any, link: BrokerLink, codec: Codec, topic: Topic, slot: int, epoch: int, source: str
    ) -> None:
        self._pool, self._link, self._codec, self._topic = pool, link, codec, topic
        self.slot, self.epoch, self.source = slot, epoch, source
        self._records = Source(source, topic.name, codec)
        self.numbers: dict[int, int] = {}
        self.lines: dict[int, RelayLine] = {}
        self._running = Tasks(source.partition("/")[0])

    async def load(self) -> None:
        """The numbers given so far; a line for each partition, which sends what the last holder left."""
        rows = await self._pool.fetch("SELECT partition, number FROM counter WHERE source = $1", self.source)
        for row in rows:
            self.numbers[row["partition"]] = row["number"]
            self.line(row["partition"])

    def line(self, partition: int) -> RelayLine:
        line = self.lines.get(partition)
        if line is None:
            line = RelayLine(self._pool, self._link, self._codec, self._topic, self.source, partition)
            line.last_number = self.numbers.get(partition, 0)
            self.lines[partition] = line
            self._running.keep(line.run())
        return line

    def envelopes(self, emissions: Sequence[Emission], cause: str) -> dict[int, list[Envelope]]:
        """The next records of each partition. The numbers count only when `keep` is called."""
        given: Counter[int] = Counter()
        made: dict[int, list[Envelope]] = {}
        for emission in emissions:
            partition = lane_of(emission.workspace, self._link.settings.partitions)
            given[partition] += 1
            number = self.numbers.get(partition, 0) + given[partition]
            made.setdefault(partition, []).append(self._records.record(emission, partition, number, cause))
        return made

    def keep(self, made: dict[int, list[Envelope]]) -> None:
        """The records are committed: count them and hand them to the relay."""
        for partition, envelopes in made.items():
            line = self.line(partition)
            self.numbers[partition] = envelopes[-1].number
            line.add(envelopes)

    async def drain(self, seconds: float) -> bool:
        """Waits until everything is acknowledged; false when that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(line.drained() for line in self.lines.values()))
        except TimeoutError:
            return False
        for line in self.lines.values():
            await line.store_now()
        return True

    async def close(self) -> None:
        await self._running.close()


class SlotLease:
    """This process's hold on one slot. `slot` is None while there is none: before the first, after a loss, after
    whoever writes has given it up.

    `held(slot, epoch)` makes the slot that was taken. What dead processes left in other slots is sent by the way.
    """

    def __init__(
        self,
        settings: RuntimeSettings,
        service: str,
        link: BrokerLink,
        clock: DatabaseClock,
        held: Callable[[int, int], Slot],
    ) -> None:
        self._settings, self._service, self._link, self._clock, self._held = settings, service, link, clock, held
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._key = secrets.randbits(62)
        self.session: Any = None
        self.slot: Slot | None = None

    async def keep(self) -> None:
        """Renews the lease, and takes a slot when there is none; until cancelled."""
        while True:
            await asyncio.sleep(KEEP_SECONDS if self.slot is not None else 0.1)
            try:
                await self.keep_once()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("slot cannot be renewed", error=repr(error))
                session, self.session = self.session, None
                if session is not None:
                    session.terminate()

    async def keep_once(self) -> None:
        """One round of `keep`. Raises what the infrastructure raises, `TimeoutError` when all slots are taken."""
        if self.session is None or self.session.is_closed():
            self.session = None
            self.session = await self._connected()
        seconds = self._settings.lease_seconds * 2
        if self.slot is None:
            row = await self._take(TAKE_SLOT, seconds)
            if row is None:
                raise TimeoutError(f"all {SLOTS_MAX} slots are taken")
            slot = self._held(row["slot"], row["epoch"])
            await slot.load()
            self.slot = slot
            log.info("slot taken", service=self._service, slot=slot.slot, epoch=slot.epoch)
            return
        asked = time.monotonic()
        row = await self.session.fetchrow(RENEW_SLOT, self.owner, self.slot.slot, seconds)
        self._clock.note(asked, row["now"], time.monotonic())
        if not row["ours"]:
            log.warning("slot lost", slot=self.slot.slot)
            lost, self.slot = self.slot, None
            await lost.close()
            return
        if row["left_by_another"] and self._link.cluster is not None:
            await self._drain_one_left_slot(seconds)

    async def _take(self, statement: str, seconds: float) -> Any:
        async with self.session.transaction():
            await self.session.execute(DURABLE)
            return await self.session.fetchrow(statement, self.owner, self._key, seconds)

    async def _connected(self) -> Any:
        """A session that holds the lock by which others know that this process lives."""
        session = await connect(self._settings, self._service, purpose="slot-lease")
        try:
            await session.execute("SET lock_timeout = 0")
            await session.execute("SET synchronous_commit = off")
            self._key = secrets.randbits(62)
            await session.execute("SELECT pg_advisory_lock($1)", self._key)
            for table in ("slot", "slot_lease"):
                await session.execute(
                    f"INSERT INTO {table} (slot) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", SLOTS_MAX
                )
            if self.slot is not None:
                await session.execute("UPDATE slot_lease SET owner_key = $1 WHERE owner = $2", self._key, self.owner)
        except BaseException:
            session.terminate()
            raise
        return session

    async def _drain_one_left_slot(self, seconds: float) -> None:
        """What a dead process committed and did not send."""
        row = await self._take(TAKE_LEFT_SLOT, seconds)
        if row is None:
            return
        slot = self._held(row["slot"], row["epoch"])
        log.info("slot of a dead process drained", slot=slot.slot)
        try:
            await slot.load()
            await slot.drain(seconds / 2)
        finally:
            await slot.close()
            await self.session.execute(GIVE_BACK_SLOT, slot.slot, self.owner)

    async def give_back(self) -> None:
        """Sends what is committed (for a bounded time), then gives the slot to whoever wants it."""
        slot, self.slot = self.slot, None
        if slot is None:
            return
        drained = self._link.cluster is not None and await slot.drain(2.0)
        await slot.close()
        if drained and self.session is not None:
            await self.session.execute(GIVE_BACK_SLOT, slot.slot, self.owner)

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close(timeout=1)
