"""How soon another process goes on: real workers, and commands that show the first effect that another commits."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pointsman.contracts import codec
from pointsman.contracts.commands import TicketReopen
from pointsman.contracts.shapes import Actor
from pointsman.contracts.topics import COMMANDS
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.local.process import LocalProcess
from pointsman.runtime.broker import make_producer
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

ANNA = Actor(kind="agent", id="anna")
TRIES = 3
"""A machine that others use may be late once; the best of so many acts counts."""


class Stage:
    """Two routing workers, and a source of commands: one every few milliseconds for each lane."""

    def __init__(self, installation: Installation, db: Any, workers: list[LocalProcess]) -> None:
        self.installation, self.db, self.workers = installation, db, workers
        self._sent = 0
        partitions = installation.settings.partitions
        names = (f"w{number}" for number in range(100))
        self._workspaces = {lane_of(name, partitions): name for name in names}

    async def lanes_of(self, worker: LocalProcess) -> list[int]:
        rows = await self.db.fetch(
            "SELECT lane FROM routing.lane_lease WHERE owner LIKE $1 ORDER BY 1", f"%:{worker.pid}:%"
        )
        return [row["lane"] for row in rows]

    async def shared(self) -> bool:
        """Whether each worker runs half of the lanes."""
        return sorted([len(await self.lanes_of(worker)) for worker in self.workers]) == [2, 2]

    async def command(self, producer: Any, lane: int) -> str:
        """A command about nothing: its refusal is an outcome, committed by the lane's owner."""
        self._sent += 1
        id, workspace = f"cmd_{self._sent}", self._workspaces[lane]
        key, value, headers = codec.encode_command(
            TicketReopen(actor=ANNA, ticket_id="none"),
            id=id,
            workspace=workspace,
            subject="none",
            at=datetime.now(UTC),
            source="test",
        )
        topic = COMMANDS.full_name(self.installation.settings.topic_prefix)
        await producer.send_and_wait(topic, value=value, key=key, partition=lane, headers=headers)
        return id

    async def first_effects(self, lanes: list[int]) -> Instant:
        """When the last of the lanes had committed the first command that was sent after this call."""
        producer = make_producer(self.installation.settings, self.installation.settings.broker)
        await producer.start()
        try:
            ids = [await self.command(producer, lane) for lane in lanes]
            settled = "SELECT count(*) = $2 FROM routing.outcome WHERE id = ANY($1)"
            await until(lambda: self.db.fetchval(settled, ids, len(ids)))
        finally:
            await producer.stop()
        at: Instant = await self.db.fetchval("SELECT max(at) FROM routing.outcome WHERE id = ANY($1)", ids)
        return at

    async def takeover_of_one(self, number: signal.Signals) -> float:
        """Acts on one worker; seconds until each of its lanes has committed an effect of the other, later command."""
        await until(self.shared, within_seconds=60)
        victim = self.workers[0]
        lanes = await self.lanes_of(victim)
        await self.first_effects(lanes)
        began: Instant = await self.db.fetchval("SELECT clock_timestamp()")
        victim.signal(number)
        if number is signal.SIGTERM:
            # A clean stop still answers what it had taken; another goes on after it has ended.
            await victim.ended()
        try:
            return (await self.first_effects(lanes) - began) / timedelta(seconds=1)
        finally:
            victim.signal(signal.SIGCONT)
            if number is not signal.SIGSTOP:
                await victim.ended()
                victim.start()

    async def best_takeover(self, number: signal.Signals, within_seconds: float) -> float:
        seconds = [await self.takeover_of_one(number)]
        while min(seconds) > within_seconds and len(seconds) < TRIES:
            seconds.append(await self.takeover_of_one(number))
        return min(seconds)


@asynccontextmanager
async def a_stage(installation: Installation, folder: Path) -> AsyncIterator[Stage]:
    workers = [
        LocalProcess(
            f"routing-{number}",
            (sys.executable, "-m", "pointsman_routing", "worker"),
            folder,
            environment=installation.environment(),
        )
        for number in (1, 2)
    ]
    db = await asyncpg.connect(installation.dsn)
    try:
        for worker in workers:
            worker.start()
        yield Stage(installation, db, workers)
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
        await db.close()


async def test_another_worker_goes_on_in_time_after_a_stop_a_clean_end_and_a_kill(
    installation: Installation, tmp_path: Path
) -> None:
    async with a_stage(installation, tmp_path) as stage:
        for number, within_seconds in ((signal.SIGSTOP, 5.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 1.0)):
            assert await stage.best_takeover(number, within_seconds) <= within_seconds, number.name
