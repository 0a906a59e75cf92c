"""Slots: sources without input topics, for API processes that write facts themselves.

A process takes a slot by a lease and an epoch, like a lane. Its group-commit loop is the slot's only writer: whatever
was submitted while the last transaction ran shares the next one. The slot's relay lines publish right after the
commit. A dead process's slot is taken over by another process, drained and given back.
"""

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import asyncpg
import structlog

from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope, record_id
from pointsman.core.ids import lane_of, random_id
from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect, open_pool
from pointsman.runtime.installation import verify_installation
from pointsman.runtime.lease import HELD_KEYS
from pointsman.runtime.logic import Codec
from pointsman.runtime.relay import RelayLine
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.telemetry import encode
from pointsman.runtime.work import Fenced

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
Handle = Callable[[Any, Sequence[Item], Instant], Awaitable[tuple[Sequence[Result | Exception], Sequence[Emission]]]]

SLOTS_MAX = 256
GROUP_ITEMS_MAX = 2_000
KEEP_SECONDS = 0.5

_FREE = f"owner IS NULL OR lease_until < clock_timestamp() OR owner_key NOT IN ({HELD_KEYS})"

TAKE_SLOT = f"""
    UPDATE slot SET owner = $1, owner_key = $2, epoch = epoch + 1,
                    lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE slot = (SELECT slot FROM slot WHERE owner = $1 OR {_FREE}
                  ORDER BY owner = $1 DESC NULLS LAST, slot LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING slot, epoch
"""
"""The slot that the process held before a fault, if nobody took it meanwhile: what it had not sent goes out at once."""

TAKE_LEFT_SLOT = f"""
    UPDATE slot SET owner = $1, owner_key = $2, epoch = epoch + 1,
                    lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE slot = (SELECT slot FROM slot WHERE owner IS NOT NULL AND ({_FREE})
                  ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING slot, epoch
"""

RENEW_SLOT = """
    UPDATE slot SET lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE owner = $1 AND slot = $2
"""

GIVE_BACK_SLOT = "UPDATE slot SET owner = NULL, lease_until = '-infinity' WHERE slot = $1 AND owner = $2"

BEGIN_FENCED = """
    BEGIN; UPDATE slot SET lease_until = greatest(lease_until, clock_timestamp())
    WHERE slot = {slot} AND epoch = {epoch}
"""

# One statement, and JSON in place of arrays: a group is written in as few round trips as can be.
WRITE = """
    WITH made AS (
        INSERT INTO fact (source, partition, number, at, made_at, id, cause, workspace, subject, types, agents,
                          traceparent, body)
        SELECT $1, f.partition, f.number, f.at, $2, f.id, f.cause, f.workspace, f.subject,
               string_to_array(f.types, ','), coalesce(string_to_array(nullif(f.agents, ''), ','), '{}'),
               f.traceparent, f.body
        FROM json_to_recordset($3::text::json)
             AS f (partition int, number bigint, at timestamptz, id text, cause text, workspace text, subject text,
                   types text, agents text, traceparent text, body json)
    )
    INSERT INTO counter (source, partition, number)
    SELECT $1, c.partition, c.number FROM unnest($4::int[], $5::bigint[]) AS c (partition, number)
    ON CONFLICT (source, partition) DO UPDATE SET number = excluded.number
"""


class Slot:
    """A slot held by this process: its source's numbers and its relay lines, one per partition used."""

    def __init__(
        self, pool: Any, link: BrokerLink, codec: Codec, topic: Topic, slot: int, epoch: int, source: str
    ) -> None:
        self._pool, self._link, self._codec, self._topic = pool, link, codec, topic
        self.slot, self.epoch, self.source = slot, epoch, source
        self.digest = int.from_bytes(blake2b(source.encode(), digest_size=4).digest())
        self.numbers: dict[int, int] = {}
        self.lines: dict[int, RelayLine] = {}
        self._running: list[asyncio.Task[None]] = []

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
            self._running.append(asyncio.create_task(line.run()))
        return line

    def envelopes(self, emissions: Sequence[Emission], cause: str) -> dict[int, list[Envelope]]:
        """The next records of each partition. The numbers count only when `keep` is called."""
        given: Counter[int] = Counter()
        made: dict[int, list[Envelope]] = {}
        for emission in emissions:
            partition = lane_of(emission.workspace, self._link.settings.partitions)
            given[partition] += 1
            number = self.numbers.get(partition, 0) + given[partition]
            envelope = Envelope(
                id=record_id(emission.at, self.digest, partition, number),
                source=self.source,
                topic=self._topic.name,
                partition=partition,
                number=number,
                cause=cause,
                workspace=emission.workspace,
                subject=emission.subject,
                at=emission.at,
                types=tuple(fact.type for fact in emission.facts),
                agents=emission.agents,
                body=self._codec.encode_facts(emission),
            )
            made.setdefault(partition, []).append(envelope)
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
            await asyncio.wait_for(asyncio.gather(*(line.drained() for line in self.lines.values())), seconds)
        except TimeoutError:
            return False
        for line in self.lines.values():
            await line.store_now()
        return True

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


class GroupCommit(Generic[Item, Result]):
    """Everything that waits shares one fenced transaction. `submit` returns after the commit.

    `handle(db, items, now)` returns a result (or an exception, which refuses only that item) for each item, and the
    emissions. When it raises because of the data, the items are handled one by one, so that a bad one fails alone.
    `planner` are settings of the connection that groups are written on.
    """

    def __init__(
        self,
        settings: RuntimeSettings,
        *,
        service: str,
        topic: Topic,
        handle: Handle[Item, Result],
        codec: Codec,
        link: BrokerLink,
        pool: Any = None,
        planner: Mapping[str, str] | None = None,
    ) -> None:
        self._settings, self._service, self._topic = settings, service, topic
        self._planner = dict(planner or {})
        self._handle, self._codec, self.link = handle, codec, link
        self.pool = pool
        self._own_pool = pool is None
        self.clock = DatabaseClock()
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._key = secrets.randbits(62)
        self._session: Any = None
        self._slot: Slot | None = None
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._incarnation = ""
        self._writer: Any = None

    async def __aenter__(self) -> "GroupCommit[Item, Result]":
        if self._own_pool:
            self.pool = await open_pool(self._settings, self._service, size=6, purpose="slot")
        async with self.pool.acquire() as db:
            self._incarnation = await verify_installation(db, self._settings)
            await self.clock.measure(db)
        await self._keep_once()
        self._tasks.append(asyncio.create_task(self._commit_groups()))
        self._tasks.append(asyncio.create_task(self._keep_slot()))
        self._tasks.append(asyncio.create_task(self.clock.keep_measuring(self.pool)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._waiting:
            _fail(waiting[1], ConnectionError("the process is stopping"))
        await self._give_back()
        if self._writer is not None:
            await self.pool.release(self._writer)
        if self._session is not None:
            await self._session.close(timeout=1)
        if self._own_pool:
            await self.pool.close()

    async def submit(self, item: Item) -> Result:
        """The item's result, after the commit. Raises what `handle` gave for it, or an infrastructure error when
        nothing was written."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._wake.set()
        return await future

    @property
    def ready(self) -> bool:
        return self._slot is not None

    # -- the group-commit loop ---------------------------------------------------------------------------------------

    async def _commit_groups(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP_ITEMS_MAX], self._waiting[GROUP_ITEMS_MAX:]
                await self._commit_group(group)

    async def _commit_group(self, group: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        try:
            results = await self._transact([item for item, _ in group])
        except (Fenced, *INFRASTRUCTURE_ERRORS) as error:
            for _, future in group:
                _fail(future, ConnectionError(f"not written: {error!r}"))
            return
        except Exception as error:
            if len(group) == 1:
                log.error("item refused by the database", error=repr(error), exc_info=error)
                _fail(group[0][1], error)
                return
            for single in group:
                await self._commit_group([single])
            return
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                _fail(future, result)
            elif not future.done():
                future.set_result(result)

    async def _transact(self, items: list[Item]) -> Sequence[Result | Exception]:
        slot = self._slot
        if slot is None:
            raise ConnectionError("no slot yet: the database is out of reach")
        now = self.clock.now()
        cause = random_id("grp", now)
        try:
            db = await self._writing()
            try:
                # With the fence in the same message as BEGIN: both are numbers of ours.
                if await db.execute(BEGIN_FENCED.format(slot=slot.slot, epoch=slot.epoch)) != "UPDATE 1":
                    raise Fenced(f"slot {slot.slot} is not at epoch {slot.epoch} any more")
                results, emissions = await self._handle(db, items, now)
                made = slot.envelopes(emissions, cause)
                if made:
                    last = [envelopes[-1].number for envelopes in made.values()]
                    await db.execute(WRITE, slot.source, now, _rows(made), list(made), last)
                await db.execute("COMMIT")
            except BaseException:
                await self._roll_back()
                raise
        except (Fenced, *INFRASTRUCTURE_ERRORS) as error:
            # Whether a broken commit went through is unknown: the numbers are read again under a new epoch.
            log.warning("slot given up", slot=slot.slot, error=repr(error))
            self._slot = None
            self._tasks.append(asyncio.create_task(slot.close()))
            raise
        slot.keep(made)
        return results

    async def _writing(self) -> Any:
        """The connection that groups are written on. It is kept: a pool asks the server at every return."""
        if self._writer is None:
            writer = await self.pool.acquire(timeout=5)
            for name, value in self._planner.items():
                await writer.execute("SELECT set_config($1, $2, false)", name, value)
            self._writer = writer
        return self._writer

    async def _roll_back(self) -> None:
        """Undoes the transaction, or gives the connection up when it cannot say so."""
        writer = self._writer
        if writer is None:
            return
        try:
            async with asyncio.timeout(2):
                await writer.execute("ROLLBACK")
        except (*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError):
            self._writer = None
            writer.terminate()
            await self.pool.release(writer)

    # -- the lease ---------------------------------------------------------------------------------------------------

    async def _keep_slot(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS if self._slot is not None else 0.1)
            try:
                await self._keep_once()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("slot cannot be renewed", error=repr(error))
                session, self._session = self._session, None
                if session is not None:
                    session.terminate()

    async def _keep_once(self) -> None:
        if self._session is None or self._session.is_closed():
            session = await connect(self._settings, self._service, purpose="slot-lease")
            await session.execute("SET lock_timeout = 0")
            self._key = secrets.randbits(62)
            await session.execute("SELECT pg_advisory_lock($1)", self._key)
            await session.execute(
                "INSERT INTO slot (slot) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", SLOTS_MAX
            )
            self._session = session
            if self._slot is not None:
                await session.execute("UPDATE slot SET owner_key = $1 WHERE owner = $2", self._key, self.owner)
        seconds = self._settings.lease_seconds * 2
        if self._slot is None:
            row = await self._session.fetchrow(TAKE_SLOT, self.owner, self._key, seconds)
            if row is None:
                raise TimeoutError(f"all {SLOTS_MAX} slots are taken")
            slot = self._held(row["slot"], row["epoch"])
            await slot.load()
            self._slot = slot
            log.info("slot taken", service=self._service, slot=slot.slot, epoch=slot.epoch)
            return
        if await self._session.execute(RENEW_SLOT, self.owner, self._slot.slot, seconds) != "UPDATE 1":
            log.warning("slot lost", slot=self._slot.slot)
            lost, self._slot = self._slot, None
            await lost.close()
            return
        await self._drain_one_left_slot(seconds)

    def _held(self, slot: int, epoch: int) -> Slot:
        source = f"{self._service}/{slot}@{self._incarnation}"
        return Slot(self.pool, self.link, self._codec, self._topic, slot, epoch, source)

    async def _drain_one_left_slot(self, seconds: float) -> None:
        """What a dead process committed and did not send."""
        if self.link.cluster is None:
            return
        row = await self._session.fetchrow(TAKE_LEFT_SLOT, self.owner, self._key, seconds)
        if row is None:
            return
        slot = self._held(row["slot"], row["epoch"])
        log.info("slot of a dead process drained", slot=slot.slot)
        try:
            await slot.load()
            await slot.drain(seconds / 2)
        finally:
            await slot.close()
            await self._session.execute(GIVE_BACK_SLOT, slot.slot, self.owner)

    async def _give_back(self) -> None:
        slot, self._slot = self._slot, None
        if slot is None:
            return
        drained = self.link.cluster is not None and await slot.drain(2.0)
        await slot.close()
        if drained and self._session is not None:
            await self._session.execute(GIVE_BACK_SLOT, slot.slot, self.owner)


def _rows(made: dict[int, list[Envelope]]) -> str:
    """The records as JSON, each body as it was encoded."""
    rows = [
        encode(
            {
                "partition": partition,
                "number": envelope.number,
                "at": envelope.at,
                "id": envelope.id,
                "cause": envelope.cause,
                "workspace": envelope.workspace,
                "subject": envelope.subject,
                "types": ",".join(envelope.types),
                "agents": ",".join(envelope.agents),
                "traceparent": envelope.traceparent,
            }
        )[:-1]
        + b',"body":'
        + envelope.body
        + b"}"
        for partition, envelopes in made.items()
        for envelope in envelopes
    ]
    return (b"[" + b",".join(rows) + b"]").decode()


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
