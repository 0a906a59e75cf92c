"""A lane that stands still for good is seen: its process says that it does not live, and is started anew."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from pointsman.core.instant import rfc3339
from pointsman.runtime.reader import Reader
from pointsman.runtime.stuck import stuck
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import SumsLane

pytestmark = pytest.mark.stack

STOOD_STILL = "of sums has stood still for"


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


class Hanging(SumsLane):
    """Waits without end where it is told to."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()

    async def load(self, db: Any, *given: Any) -> Any:
        await self._hang("load")
        return await super().load(db, *given)

    async def gather(self, db: Any, *given: Any) -> None:
        await self._hang("gather")
        await super().gather(db, *given)

    async def write(self, db: Any, *given: Any) -> None:
        await self._hang("write")
        await super().write(db, *given)

    async def _hang(self, at: str) -> None:
        if at == self._at:
            self.arrived.set()
            await self.go_on.wait()


@pytest.fixture
def impatient(sums: Sums) -> Sums:
    sums.settings = sums.settings.model_copy(update={"lane_stuck_seconds": 1.5})
    return sums


@pytest.mark.parametrize("at", ["gather", "write"])
async def test_a_lane_that_stands_still_fails_liveness_until_it_goes_on(impatient: Sums, at: str) -> None:
    """A lane waited for a relay whose cancellation had got lost: nobody saw it, and its workspaces stood still."""
    logic = Hanging(at)
    async with impatient.worker(logic) as worker:
        assert worker.stuck() is None
        await impatient.say("s", added(1))
        await logic.arrived.wait()
        await until(lambda: STOOD_STILL in (stuck() or ""))
        logic.go_on.set()
        await until(lambda: stuck() is None)


async def test_a_lane_that_goes_on_looking_and_decides_nothing_stands_still_too(
    impatient: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer, its inputs and the room for these waited for one another: the loop ran, and nothing called it stuck."""

    async def never(_: Reader) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(Reader, "ask_ends", never)
    async with impatient.worker() as worker:
        await impatient.say("s", {"type": "due", "at": rfc3339(datetime.now(UTC))})
        await until(lambda: STOOD_STILL in (worker.stuck() or ""))


async def test_a_lane_that_rests_does_not_stand_still(impatient: Sums) -> None:
    async with impatient.worker() as worker:
        await until(lambda: all(lane.moved_at for lane in worker.lanes.values()) and worker.lanes)
        first = max(lane.moved_at or 0.0 for lane in worker.lanes.values())
        await until(lambda: min(lane.moved_at or 0.0 for lane in worker.lanes.values()) > first + 2.0)
        assert worker.stuck() is None


async def test_loading_may_take_long(impatient: Sums) -> None:
    """Who is ended at its loading would be at the next one too."""
    logic = Hanging("load")
    async with impatient.worker(logic) as worker:
        await logic.arrived.wait()
        assert [lane.moved_at for lane in worker.lanes.values() if lane.moved_at is None]
        logic.go_on.set()
        await until(lambda: all(lane.moved_at for lane in worker.lanes.values()))


async def test_a_database_that_is_away_is_no_lane_that_stands_still(impatient: Sums) -> None:
    logic = Hanging("write")
    async with impatient.worker(logic) as worker:
        await impatient.say("s", added(1))
        await logic.arrived.wait()
        worker.database.fault = "the database is out of reach"
        assert worker.stuck() is None
        worker.database._tell(None)
        assert worker.stuck() is None, "it has just come back: the lane has not had its time"
        await until(lambda: STOOD_STILL in (worker.stuck() or ""))
        logic.go_on.set()


async def test_a_lane_whose_sessions_end_begins_again_in_time(impatient: Sums) -> None:
    async with impatient.worker() as worker:
        await impatient.say("s", added(1))
        await impatient.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await impatient.say("s", added(2))
        await until(lambda: _summed(impatient))
        assert worker.stuck() is None


async def _summed(sums: Sums) -> bool:
    return bool(await sums.sums() == {"s": 3})
