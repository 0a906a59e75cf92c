"""Group commit: the only writer of a slot, one fenced transaction after the other.

Whatever was submitted while the last transaction ran shares the next one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg
import structlog

from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope
from pointsman.core.ids import random_id
from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime.analysing import keep_analysed
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database import BY_KEY, INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.installation import verify_installation
from pointsman.runtime.logic import Codec
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.slots import Slot, SlotLease
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.telemetry import encode
from pointsman.runtime.transaction import Fenced

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
Handle = Callable[[Any, Sequence[Item], Instant], Awaitable[tuple[Sequence[Result | Exception], Sequence[Emission]]]]

GROUP_MESSAGES_MAX, GROUP_BYTES_MAX = 2_000, 8_000_000
"""What shares a transaction: one that is longer holds up everybody, the process's other work and its slot."""
QUEUE_MESSAGES_MAX, QUEUE_BYTES_MAX = 20_000, 64_000_000
"""What may wait for its transaction: some seconds' worth. More is refused at once, before it has waited."""


class Busy(ConnectionError):
    """More waits than can be written soon: nothing was written, and the call may be repeated."""


BEGIN_FENCED = "BEGIN; SELECT FROM slot WHERE slot = {slot} AND epoch = {epoch} FOR NO KEY UPDATE"

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


class GroupCommit(Generic[Item, Result]):
    """Everything that waits shares one fenced transaction. `submit` returns after the commit.

    `handle(db, items, now)` returns a result (or an exception, which refuses only that item) for each item, and the
    emissions. When it raises because of the data, the items are handled one by one, so that a bad one fails alone.
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
        size: Callable[[Item], tuple[int, int]] = lambda _: (1, 0),
    ) -> None:
        self._settings, self._service, self._topic = settings, service, topic
        self._handle, self._codec, self.link = handle, codec, link
        self.pool = pool
        self._own_pool = pool is None
        self.clock = DatabaseClock()
        self._lease = SlotLease(settings, service, link, self.clock, self._held)
        self._size = size
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._waiting_messages = self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._tasks = Tasks(service)
        self._incarnation = ""
        self._writer: Any = None

    async def __aenter__(self) -> "GroupCommit[Item, Result]":
        if self._own_pool:
            self.pool = await open_pool(self._settings, self._service, size=6, purpose="slot")
        async with self.pool.acquire() as db:
            self._incarnation = await verify_installation(db, self._settings)
            await self.clock.measure(db)
        await self._lease.keep_once()
        self._tasks.keep(self._commit_groups())
        self._tasks.keep(self._lease.keep())
        self._tasks.keep(keep_analysed(self.pool))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        for waiting in self._waiting:
            _fail(waiting[1], ConnectionError("the process is stopping"))
        await self._lease.give_back()
        if self._writer is not None:
            await self.pool.release(self._writer)
        await self._lease.close()
        if self._own_pool:
            await self.pool.close()

    async def submit(self, item: Item) -> Result:
        """The item's result, after the commit. Raises what `handle` gave for it, `Busy` when too much waits, or an
        infrastructure error when nothing was written."""
        messages, size_bytes = self._size(item)
        if self._waiting and (
            self._waiting_messages + messages > QUEUE_MESSAGES_MAX or self._waiting_bytes + size_bytes > QUEUE_BYTES_MAX
        ):
            raise Busy(f"{self._waiting_messages} messages wait to be written")
        self._waiting_messages += messages
        self._waiting_bytes += size_bytes
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._wake.set()
        return await future

    def unready(self) -> str | None:
        """Why nothing can be written now; None when it can."""
        return None if self._lease.slot is not None else f"{self._service}: no slot is held: nothing can be written"

    def _held(self, slot: int, epoch: int) -> Slot:
        source = f"{self._service}/{slot}@{self._incarnation}"
        return Slot(self.pool, self.link, self._codec, self._topic, slot, epoch, source)

    # -- the group-commit loop ---------------------------------------------------------------------------------------

    async def _commit_groups(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._commit_group(self._next_group())

    def _next_group(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        """What has waited longest, up to the bounds of a group; a larger item is one of its own."""
        group: list[tuple[Item, asyncio.Future[Result]]] = []
        messages = size_bytes = 0
        while self._waiting:
            more, more_bytes = self._size(self._waiting[0][0])
            if group and (messages + more > GROUP_MESSAGES_MAX or size_bytes + more_bytes > GROUP_BYTES_MAX):
                break
            group.append(self._waiting.popleft())
            messages, size_bytes = messages + more, size_bytes + more_bytes
        self._waiting_messages -= messages
        self._waiting_bytes -= size_bytes
        return group

    async def _commit_group(self, group: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        try:
            await self._commit_and_answer(group)
        except BaseException as error:  # the process stops, or must: nobody is left waiting
            for _, future in group:
                _fail(future, ConnectionError(f"whether it was written is unknown: {error!r}"))
            raise

    async def _commit_and_answer(self, group: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
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
        slot = self._lease.slot
        if slot is None:
            raise ConnectionError("no slot yet: the database is out of reach")
        now = self.clock.now()
        cause = random_id("grp", now)
        try:
            db = await self._writing()
            try:
                # With the fence in the same message as BEGIN: both are numbers of ours.
                if await db.execute(BEGIN_FENCED.format(slot=slot.slot, epoch=slot.epoch)) != "SELECT 1":
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
            self._lease.slot = None
            self._tasks.start(slot.close())
            raise
        slot.keep(made)
        return results

    async def _writing(self) -> Any:
        """The connection that groups are written on. It is kept, since its planner is set for them."""
        if self._writer is None:
            writer = await self.pool.acquire(timeout=5)
            for name, value in BY_KEY.items():
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
        except (*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError) as error:
            await self._drop_writer(error)

    async def _drop_writer(self, why: Exception) -> None:
        """Gives the connection up. Whatever that raises says less than what led to it, which is told on."""
        writer, self._writer = self._writer, None
        try:
            writer.terminate()
            async with asyncio.timeout(2):
                await self.pool.release(writer)
        except Exception as error:
            log.warning("connection not given up in order", error=repr(error), because=repr(why))


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
