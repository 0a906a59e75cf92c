"""A worker that is killed in the middle of batches that end early: nothing it had taken is lost or counted twice."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
import orjson
import pytest

from pointsman.core.cause import Cause, RecordCause
from pointsman.core.decision import Decision
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.runtime.settings import environment_of
from pointsman.runtime.worker import Worker
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import COMMANDS, SumsLane, SumsState, headers_of

CHECKOUT = Path(__file__).parents[3]
COMMANDS_SENT, KILLS = 3_000, 3


async def _send_commands(sums: Sums, count: int) -> None:
    """As quickly as the broker takes them."""
    partition = lane_of("acme", sums.settings.partitions)
    name = COMMANDS.full_name(sums.settings.topic_prefix)
    value = orjson.dumps({"type": "sums.add", "amount": 1})
    sent = [
        await sums.producer.send(
            name,
            value=value,
            key=b"acme",
            partition=partition,
            headers=headers_of(
                f"c{number}", "test", "acme", f"s{number % 50}", datetime.now(UTC), {"ce_type": "sums.add"}
            ),
        )
        for number in range(count)
    ]
    await asyncio.gather(*sent)


@asynccontextmanager
async def _killed_worker(sums: Sums, log: Path) -> AsyncIterator[None]:
    """A worker's process, SIGKILLed at the end."""
    settings = sums.settings.model_copy(update={"batch_milliseconds": 5})
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.runtime.sums_process",
            cwd=CHECKOUT,
            env={**os.environ, **environment_of(settings.model_dump(exclude_none=True))},
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def _count(sums: Sums) -> int:
    return int(await sums.db.fetchval("SELECT count(*) FROM sums.outcome"))


async def _position(sums: Sums) -> int:
    return int(await sums.db.fetchval("SELECT coalesce(max(next_offset), 0) FROM sums.position"))


async def _position_is_what_was_decided(sums: Sums) -> None:
    row = await sums.db.fetchrow(
        """
        SELECT next_offset, first_offset, decided, (SELECT count(*) FROM sums.outcome) AS outcomes
        FROM sums.position WHERE topic = 'commands'
        """
    )
    assert row["next_offset"] - row["first_offset"] == row["decided"] == row["outcomes"]


@pytest.mark.timeout(180)
async def test_commands_are_not_lost_by_kills_while_batches_end_early(sums: Sums, tmp_path: Path) -> None:
    await _send_commands(sums, COMMANDS_SENT)
    for _ in range(KILLS):
        before = await _count(sums)
        async with _killed_worker(sums, tmp_path / "worker.log"):
            await until(partial(_more_than, sums, before), within_seconds=40)
        await _position_is_what_was_decided(sums)
    assert await _count(sums) < COMMANDS_SENT, "the kills came too late to show anything"
    async with sums.worker():
        await until(lambda: _read_to(sums, COMMANDS_SENT), within_seconds=40)
    await _position_is_what_was_decided(sums)
    assert await _count(sums) == COMMANDS_SENT
    assert sum((await sums.sums()).values()) == COMMANDS_SENT


async def test_the_table_refuses_a_position_ahead_of_what_was_decided(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: _read_to(sums, 1))
    with pytest.raises(asyncpg.CheckViolationError, match="position_is_decided"):
        await sums.db.execute("UPDATE sums.position SET next_offset = next_offset + 1")


async def test_a_lane_whose_position_would_run_ahead_halts_and_writes_nothing(sums: Sums) -> None:
    class Ahead(SumsLane):
        """Moves the lane's own count on at the amount 10, as a fault of the runtime would."""

        worker: Worker

        def decide(self, state: SumsState, cause: Cause, now: Instant) -> Decision:
            if isinstance(cause, RecordCause) and cause.bodies[0].fields.get("amount") == 10:
                self.worker.lanes[lane_of("acme", sums.settings.partitions)].inboxes["requests"].decided_offset += 1
            return super().decide(state, cause, now)

    logic = Ahead()
    async with sums.worker(logic) as worker:
        logic.worker = worker
        await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: _read_to(sums, 1))
        await sums.say("s", {"type": "added", "amount": 10})
        await until(lambda: worker.why_not_ready() == "a lane is halted")
    assert await sums.sums() == {"s": 1}
    assert await sums.db.fetchval("SELECT count(*) FROM sums.dead_letter") == 0


async def _more_than(sums: Sums, count: int) -> bool:
    return await _count(sums) > count


async def _read_to(sums: Sums, offset: int) -> bool:
    return await _position(sums) >= offset
