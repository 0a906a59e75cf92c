"""Behind a batch records gather before they cost another one; whatever cannot wait takes them along."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pointsman.runtime.logic import Batch
from pointsman.runtime.worker import Worker
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import SumsLane


class Lingering(SumsLane):
    """Behind a batch requests wait so long that only something else can have made the next."""

    linger: Mapping[str, float] = {"requests": 3600.0}

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.before_write = self._note

    async def _note(self, batch: Batch) -> None:
        self.batches.append(len(batch.decided))


async def test_a_command_takes_the_waiting_records_along_in_one_batch(sums: Sums) -> None:
    logic = Lingering()
    async with sums.worker(logic) as worker:
        await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: _is(sums, {"s": 1}))
        for _ in range(3):
            await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: _waiting(worker) == 3)
        assert logic.batches == [1]
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 10})
        await until(lambda: _is(sums, {"s": 14}))
    assert logic.batches == [1, 4]


async def test_a_due_timer_is_not_kept_waiting_and_the_record_before_it_counts_first(sums: Sums) -> None:
    logic = Lingering()
    at = datetime.now(UTC) + timedelta(seconds=6)
    async with sums.worker(logic):
        await sums.say("s", {"type": "due", "at": at.isoformat()})
        await sums.ask("c1", "other", {"type": "sums.add", "amount": 1})
        await until(lambda: _is(sums, {"s": 0, "other": 1}))
        await sums.say("s", {"type": "added", "amount": 5})
        await until(lambda: _is(sums, {"s": 1005, "other": 1}))
    assert [timer.subject for timer in logic.fired] == ["s"]


def _waiting(worker: Worker) -> int:
    return sum(len(lane.inboxes["requests"].records) for lane in worker.lanes.values() if lane.inboxes)


async def _is(sums: Sums, expected: dict[str, int]) -> bool:
    return await sums.sums() == expected
