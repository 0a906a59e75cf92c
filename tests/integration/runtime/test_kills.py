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
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import COMMANDS, TallyLane, TallyState, headers_of, until

CHECKOUT = Path(__file__).parents[3]
COMMANDS_SENT, KILLS = 3_000, 3


async def _send_commands(tally: Tally, count: int) -> None:
    """As quickly as the broker takes them."""
    partition = lane_of("acme", tally.settings.partitions)
    name = COMMANDS.full_name(tally.settings.topic_prefix)
    value = orjson.dumps({"type": "tally.add", "amount": 1})
    sent = [
        await tally.producer.send(
            name,
            value=value,
            key=b"acme",
            partition=partition,
            headers=headers_of(
                f"c{number}", "test", "acme", f"s{number % 50}", datetime.now(UTC), {"ce_type": "tally.add"}
            ),
        )
        for number in range(count)
    ]
    await asyncio.gather(*sent)


@asynccontextmanager
async def _killed_worker(tally: Tally, log: Path) -> AsyncIterator[None]:
    """A worker's process, SIGKILLed at the end."""
    settings = tally.settings.model_copy(update={"batch_milliseconds": 5})
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.runtime.tally_process",
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


async def _count(tally: Tally) -> int:
    return int(await tally.db.fetchval("SELECT count(*) FROM tally.outcome"))


async def _position(tally: Tally) -> int:
    return int(await tally.db.fetchval("SELECT coalesce(max(next_offset), 0) FROM tally.position"))


async def _position_is_what_was_decided(tally: Tally) -> None:
    row = await tally.db.fetchrow(
        """
        SELECT next_offset, first_offset, decided, (SELECT count(*) FROM tally.outcome) AS outcomes
        FROM tally.position WHERE topic = 'commands'
        """
    )
    assert row["next_offset"] - row["first_offset"] == row["decided"] == row["outcomes"]


@pytest.mark.timeout(180)
async def test_commands_are_not_lost_by_kills_while_batches_end_early(tally: Tally, tmp_path: Path) -> None:
    await _send_commands(tally, COMMANDS_SENT)
    for _ in range(KILLS):
        before = await _count(tally)
        async with _killed_worker(tally, tmp_path / "worker.log"):
            await until(partial(_more_than, tally, before), within_seconds=40)
        await _position_is_what_was_decided(tally)
    assert await _count(tally) < COMMANDS_SENT, "the kills came too late to show anything"
    async with tally.worker():
        await until(lambda: _read_to(tally, COMMANDS_SENT), within_seconds=40)
    await _position_is_what_was_decided(tally)
    assert await _count(tally) == COMMANDS_SENT
    assert sum((await tally.sums()).values()) == COMMANDS_SENT


async def test_the_table_refuses_a_position_ahead_of_what_was_decided(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", {"type": "added", "amount": 1})
        await until(lambda: _read_to(tally, 1))
    with pytest.raises(asyncpg.CheckViolationError, match="position_is_decided"):
        await tally.db.execute("UPDATE tally.position SET next_offset = next_offset + 1")


async def test_a_lane_whose_position_would_run_ahead_halts_and_writes_nothing(tally: Tally) -> None:
    class Ahead(TallyLane):
        """Moves the lane's own count on at the amount 10, as a fault of the runtime would."""

        worker: Worker

        def decide(self, state: TallyState, cause: Cause, now: Instant) -> Decision:
            if isinstance(cause, RecordCause) and cause.bodies[0].fields.get("amount") == 10:
                self.worker.lanes[lane_of("acme", tally.settings.partitions)].inboxes["requests"].decided_offset += 1
            return super().decide(state, cause, now)

    logic = Ahead()
    async with tally.worker(logic) as worker:
        logic.worker = worker
        await tally.say("s", {"type": "added", "amount": 1})
        await until(lambda: _read_to(tally, 1))
        await tally.say("s", {"type": "added", "amount": 10})
        await until(lambda: worker.why_not_ready() == "a lane is halted")
    assert await tally.sums() == {"s": 1}
    assert await tally.db.fetchval("SELECT count(*) FROM tally.dead_letter") == 0


async def _more_than(tally: Tally, count: int) -> bool:
    return await _count(tally) > count


async def _read_to(tally: Tally, offset: int) -> bool:
    return await _position(tally) >= offset
