"""Lanes move between workers, and whoever is not the owner any more changes nothing."""

import asyncio
from itertools import chain
from operator import gt
from typing import Any

from pointsman.core.ids import lane_of
from pointsman.runtime.lane import LaneState
from pointsman.runtime.logic import Batch
from pointsman.runtime.worker import Worker
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import TallyLane, until


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


async def _spread(*workers: Worker) -> bool:
    owned = [sorted(worker.lanes) for worker in workers]
    running = all(lane.status is LaneState.RUNNING for worker in workers for lane in worker.lanes.values())
    return (
        running
        and sorted(chain.from_iterable(owned)) == [0, 1, 2, 3]
        and max(map(len, owned)) - min(map(len, owned)) <= 1
    )


async def _die(worker: Worker) -> None:
    """What SIGKILL leaves: every session gone, nothing released, nothing committed any more."""
    for task in (*worker._running.values(), *worker._tasks):
        task.cancel()
    session = worker.leases._session
    if session is not None:
        session.terminate()
    worker.pool.terminate()


async def test_two_workers_share_the_lanes_and_a_clean_stop_hands_them_over_within_a_second(tally: Tally) -> None:
    async with tally.worker() as stays:
        async with tally.worker() as leaves:
            await until(lambda: _spread(stays, leaves))
            loop = asyncio.get_running_loop()
            stopped_at = loop.time()
        await until(lambda: _spread(stays), within_seconds=1.0 + loop.time() - stopped_at)
        await tally.say("s", added(1))
        await until(lambda: _sum(tally, "s", 1))


async def test_a_killed_worker_is_noticed_within_a_second_and_nothing_is_lost_or_doubled(tally: Tally) -> None:
    async with tally.worker() as stays:
        killed = tally.worker()
        victim = await killed.__aenter__()
        await until(lambda: _spread(stays, victim))
        for number in range(40):
            await tally.say("s", added(1), workspace=f"w{number}")
        await _die(victim)
        await until(lambda: _spread(stays), within_seconds=2.0)
        for number in range(40):
            await tally.say("s", added(1), workspace=f"w{number}")
        await until(lambda: _total(tally, 80))


async def test_a_lease_is_renewed_while_a_batch_holds_its_lane_and_a_batch_commits_while_it_is_renewed(
    tally: Tally,
) -> None:
    """They locked the same row: each waited for the other, and with all lanes' rows locked so did every lane."""
    async with tally.worker() as worker:
        await until(lambda: _spread(worker))
        epochs = await tally.db.fetch("SELECT lane, epoch FROM tally.lane ORDER BY lane")
        async with tally.db.transaction():
            await tally.db.execute("SELECT FROM tally.lane FOR UPDATE")
            since = await _renewed(tally)
            for _ in range(3):
                since = await until(lambda since=since: _renewed(tally, since))  # type: ignore[misc]
        async with tally.db.transaction():
            await tally.db.execute("SELECT FROM tally.lane_lease FOR UPDATE")
            await tally.say("s", added(1))
            await until(lambda: _sum(tally, "s", 1))
        assert await tally.db.fetch("SELECT lane, epoch FROM tally.lane ORDER BY lane") == epochs


async def _renewed(tally: Tally, since: Any = None) -> Any:
    """Up to when each lane is leased; None while some lane is not renewed `since` then."""
    leased = [row["lease_until"] for row in await tally.db.fetch("SELECT * FROM tally.lane_lease ORDER BY lane")]
    return leased if since is None or all(map(gt, leased, since)) else None


async def test_a_batch_that_was_decided_by_a_stopped_owner_is_fenced(tally: Tally) -> None:
    """The worker stops between its decision and its commit; another takes the lane over; then the first goes on."""
    stopped, go_on = asyncio.Event(), asyncio.Event()
    slow = TallyLane()

    async def stop_here(batch: Batch) -> None:
        if batch.decided:
            stopped.set()
            await go_on.wait()

    async with tally.worker(slow) as first:
        await until(lambda: _spread(first))
        # From here on the first worker neither renews its lease nor holds its lock: as if it were stopped.
        lease_task = next(task for task in first._tasks if "Leases.keep" in repr(task.get_coro()))
        lease_task.cancel()
        await asyncio.gather(lease_task, return_exceptions=True)

        slow.before_write = stop_here
        lane = lane_of("acme", tally.settings.partitions)
        await tally.say("s", added(1))
        # The row lock of the fence is held while the batch is stopped, so the database ends that session's
        # transaction (idle_in_transaction_session_timeout), and the second worker claims the lane.
        await asyncio.wait_for(stopped.wait(), 10)
        async with tally.worker() as second:
            await until(lambda: _spread(second), within_seconds=15.0)
            await until(lambda: _sum(tally, "s", 1))
            slow.before_write = None
            go_on.set()
            await until(lambda: lane not in first.lanes)
            await tally.say("s", added(10))
            await until(lambda: _sum(tally, "s", 11))
    facts = await tally.db.fetchval("SELECT count(*) FROM tally.fact")
    assert facts == 2


async def test_the_same_worker_started_twice_is_two_workers(tally: Tally) -> None:
    async with tally.worker() as first, tally.worker() as second:
        await until(lambda: _spread(first, second))
        for number in range(30):
            await tally.say("s", added(1), workspace=f"w{number}")
        await until(lambda: _total(tally, 30))


async def test_the_database_is_restarted_in_the_middle_and_each_record_counts_once(tally: Tally) -> None:
    async with tally.worker() as worker:
        await until(lambda: _spread(worker))
        for number in range(60):
            await tally.say("s", added(1), workspace=f"w{number}")
            if number % 20 == 10:
                await tally.db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'pointsman_tally' AND datname = current_database()"
                )
        await until(lambda: _total(tally, 60))
    assert await tally.db.fetchval("SELECT count(*) FROM tally.fact") == 60


async def _total(tally: Tally, amount: int) -> bool:
    total = await tally.db.fetchval("SELECT coalesce(sum(amount), 0) FROM tally.tally")
    return int(total) == amount


async def _sum(tally: Tally, subject: str, amount: int) -> bool:
    return (await tally.sums()).get(subject) == amount
