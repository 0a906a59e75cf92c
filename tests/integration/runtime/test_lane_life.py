"""The edges of a lane's life that the other tests do not walk: claimed → running → draining → released, and halted."""

from pointsman.core.ids import lane_of
from pointsman.runtime.lane import LaneState
from pointsman.runtime.logic import Batch
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import DESK, TallyLane, until


def added(amount: int, **more: object) -> dict[str, object]:
    return {"type": "added", "amount": amount, **more}


def _lane(tally: Tally) -> int:
    return lane_of("acme", tally.settings.partitions)


async def test_claiming_raises_the_epoch_before_anything_is_read(tally: Tally) -> None:
    async with tally.worker() as worker:
        await until(lambda: len(worker.lanes) == 4)
        first = await tally.db.fetchval("SELECT epoch FROM tally.lane WHERE lane = 0")
    async with tally.worker() as worker:
        await until(lambda: len(worker.lanes) == 4)
        assert await tally.db.fetchval("SELECT epoch FROM tally.lane WHERE lane = 0") > first


async def test_draining_relays_what_is_committed_and_gives_the_lane_back(tally: Tally) -> None:
    async with tally.worker() as worker:
        for number in range(300):
            await tally.say(f"s{number}", added(1))
        await until(lambda: tally.db.fetchval("SELECT count(*) > 0 FROM tally.fact"))
        lane = worker.lanes[_lane(tally)]
    assert lane.status is LaneState.RELEASED
    committed = await tally.db.fetchval("SELECT count(*) FROM tally.fact")
    assert len(await tally.read(DESK, committed)) == committed
    assert await tally.db.fetchval("SELECT count(*) FROM tally.lane WHERE owner IS NOT NULL") == 0


async def test_a_gap_that_stays_halts_the_lane_and_another_lane_goes_on(tally: Tally) -> None:
    tally.settings = tally.settings.model_copy(update={"gap_patience_seconds": 0.5})
    async with tally.worker() as worker:
        await tally.say("s", added(1), number=2)
        halted = await until(lambda: worker.lanes.get(_lane(tally)))
        await until(lambda: halted.status is LaneState.HALTED)
        assert worker.why_not_ready() == "a lane is halted"
        other = next(f"w{n}" for n in range(99) if lane_of(f"w{n}", tally.settings.partitions) != _lane(tally))
        await tally.say("t", added(1), workspace=other)
        await until(lambda: _sums(tally, {"t": 1}))


async def test_a_position_outside_the_log_is_an_alarm_and_never_a_silent_reset(tally: Tally) -> None:
    async with tally.worker() as worker:
        await tally.say("s", added(1))
        await until(lambda: _sums(tally, {"s": 1}))
        cluster = worker.link.cluster
    await tally.db.execute("UPDATE tally.position SET next_offset = 1000 WHERE topic = 'requests'")
    async with tally.worker() as worker:
        await until(lambda: worker.link.cluster == cluster)
        await tally.say("s", added(1))
        halted = await until(lambda: worker.lanes.get(_lane(tally)))
        await until(lambda: halted.status is LaneState.HALTED)
    assert await tally.sums() == {"s": 1}


async def test_failures_in_a_row_that_span_workspaces_halt_the_lane(tally: Tally) -> None:
    same_lane = [f"w{n}" for n in range(99) if lane_of(f"w{n}", tally.settings.partitions) == _lane(tally)][:3]
    for number in range(60):
        await tally.say("s", added(1, poison=True), workspace=same_lane[number % 3])
    async with tally.worker() as worker:
        halted = await until(lambda: worker.lanes.get(_lane(tally)))
        await until(lambda: halted.status is LaneState.HALTED)


async def test_failures_of_one_workspace_never_halt_the_lane(tally: Tally) -> None:
    for _ in range(80):
        await tally.say("s", added(1, poison=True))
    await tally.say("s", added(1))
    async with tally.worker():
        await until(lambda: _sums(tally, {"s": 1}))
    assert await tally.db.fetchval("SELECT count(*) FROM tally.dead_letter") == 80


async def test_a_connection_lost_in_a_transaction_loads_the_lane_again_under_a_new_epoch(tally: Tally) -> None:
    logic = TallyLane()

    async def cut_the_line(_: Batch) -> None:
        logic.before_write = None
        await tally.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pointsman-tally-worker'"
        )

    async with tally.worker(logic) as worker:
        await tally.say("s", added(1))
        await until(lambda: _sums(tally, {"s": 1}))
        epoch = worker.lanes[_lane(tally)].epoch
        logic.before_write = cut_the_line
        await tally.say("s", added(1))
        await until(lambda: _sums(tally, {"s": 2}))
        assert worker.lanes[_lane(tally)].epoch > epoch


async def _sums(tally: Tally, expected: dict[str, int]) -> bool:
    return await tally.sums() == expected
