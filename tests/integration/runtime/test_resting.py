"""A consumer that rests asks nothing while it is quiet, and misses nothing, whether it is told of a record or not."""

from datetime import UTC, datetime

import orjson

from pointsman.core.ids import lane_of
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.database import open_pool
from pointsman.runtime.database_watch import announce_publishing
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.worker import Worker
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import REQUESTS, headers_of

LONG_REST_MS = 10_000


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


def rests(worker: Worker) -> bool:
    consumer = worker.reader._consumer
    return consumer is not None and bool(consumer.assignment()) and consumer.paused() == consumer.assignment()


async def test_who_publishes_after_a_pause_ends_the_rest_of_who_reads(sums: Sums) -> None:
    sums.settings = sums.settings.model_copy(update={"fetch_rest_ms": LONG_REST_MS})
    async with sums.worker() as worker:
        await until(lambda: rests(worker))
        async with await open_pool(sums.settings, "sums", size=2) as pool:
            link, tasks = BrokerLink(sums.settings), Tasks("sums")
            announce_publishing(link, pool, tasks)
            await link.check()
            try:
                for number in (1, 2):
                    value = orjson.dumps({"facts": [added(number)]})
                    headers = headers_of(f"e{number}", "source@1", "acme", "s", datetime.now(UTC), number=number)
                    lane = lane_of("acme", sums.settings.partitions)
                    await (await link.send(REQUESTS, lane, b"acme", value, headers))
                await until(lambda: summed(sums, 3), within_seconds=LONG_REST_MS / 2000)
            finally:
                await tasks.close()
                await link.close()


async def test_what_nobody_told_of_is_found_at_the_end_of_the_rest(sums: Sums) -> None:
    sums.settings = sums.settings.model_copy(update={"fetch_rest_ms": 500})
    async with sums.worker() as worker:
        await until(lambda: rests(worker))
        await sums.say("s", added(1))
        await until(lambda: summed(sums, 1))


async def test_a_worker_ends_at_once_amid_a_rest(sums: Sums) -> None:
    sums.settings = sums.settings.model_copy(update={"fetch_rest_ms": LONG_REST_MS})
    began = datetime.now(UTC)
    async with sums.worker() as worker:
        await until(lambda: rests(worker))
        began = datetime.now(UTC)
    assert (datetime.now(UTC) - began).total_seconds() < LONG_REST_MS / 2000


async def summed(sums: Sums, amount: int) -> bool:
    return await sums.sums() == {"s": amount}
