"""Lanes move between workers, and whoever is not the owner any more changes nothing."""

import asyncio
from itertools import chain
from operator import gt
from typing import Any

from pointsman.core.ids import lane_of
from pointsman.runtime.lane import LanePhase
from pointsman.runtime.logic import Batch
from pointsman.runtime.worker import Worker
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import SumsLane


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


async def _spread(*workers: Worker) -> bool:
    owned = [sorted(worker.lanes) for worker in workers]
    running = all(lane.status is LanePhase.RUNNING for worker in workers for lane in worker.lanes.values())
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


async def test_two_workers_share_the_lanes_and_a_clean_stop_hands_them_over_within_a_second(sums: Sums) -> None:
    async with sums.worker() as stays:
        async with sums.worker() as leaves:
            await until(lambda: _spread(stays, leaves))
            loop = asyncio.get_running_loop()
            stopped_at = loop.time()
        await until(lambda: _spread(stays), within_seconds=1.0 + loop.time() - stopped_at)
        await sums.say("s", added(1))
        await until(lambda: _sum(sums, "s", 1))


async def test_a_killed_worker_is_noticed_within_a_second_and_nothing_is_lost_or_doubled(sums: Sums) -> None:
    async with sums.worker() as stays:
        killed = sums.worker()
        victim = await killed.__aenter__()
        await until(lambda: _spread(stays, victim))
        for number in range(40):
            await sums.say("s", added(1), workspace=f"w{number}")
        await _die(victim)
        await until(lambda: _spread(stays), within_seconds=2.0)
        for number in range(40):
            await sums.say("s", added(1), workspace=f"w{number}")
        await until(lambda: _total(sums, 80))


async def test_a_lease_is_renewed_while_a_batch_holds_its_lane_and_a_batch_commits_while_it_is_renewed(
    sums: Sums,
) -> None:
    """They locked the same row: each waited for the other, and with all lanes' rows locked so did every lane."""
    async with sums.worker() as worker:
        await until(lambda: _spread(worker))
        epochs = await sums.db.fetch("SELECT lane, epoch FROM sums.lane ORDER BY lane")
        async with sums.db.transaction():
            await sums.db.execute("SELECT FROM sums.lane FOR UPDATE")
            since = await _renewed(sums)
            for _ in range(3):
                since = await until(lambda since=since: _renewed(sums, since))  # type: ignore[misc]
        async with sums.db.transaction():
            await sums.db.execute("SELECT FROM sums.lane_lease FOR UPDATE")
            await sums.say("s", added(1))
            await until(lambda: _sum(sums, "s", 1))
        assert await sums.db.fetch("SELECT lane, epoch FROM sums.lane ORDER BY lane") == epochs


async def _renewed(sums: Sums, since: Any = None) -> Any:
    """Up to when each lane is leased; None while some lane is not renewed `since` then."""
    leased = [row["lease_until"] for row in await sums.db.fetch("SELECT * FROM sums.lane_lease ORDER BY lane")]
    return leased if since is None or all(map(gt, leased, since)) else None


async def test_a_batch_that_was_decided_by_a_stopped_owner_is_fenced(sums: Sums) -> None:
    """The worker stops between its decision and its commit; another takes the lane over; then the first goes on."""
    stopped, go_on = asyncio.Event(), asyncio.Event()
    slow = SumsLane()

    async def stop_here(batch: Batch) -> None:
        if batch.decided:
            stopped.set()
            await go_on.wait()

    async with sums.worker(slow) as first:
        await until(lambda: _spread(first))
        # From here on the first worker neither renews its lease nor holds its lock: as if it were stopped.
        lease_task = next(task for task in first._tasks if "Leases.keep" in repr(task.get_coro()))
        lease_task.cancel()
        await asyncio.gather(lease_task, return_exceptions=True)

        slow.before_write = stop_here
        lane = lane_of("acme", sums.settings.partitions)
        await sums.say("s", added(1))
        # The row lock of the fence is held while the batch is stopped, so the database ends that session's
        # transaction (idle_in_transaction_session_timeout), and the second worker claims the lane.
        await asyncio.wait_for(stopped.wait(), 10)
        async with sums.worker() as second:
            await until(lambda: _spread(second), within_seconds=15.0)
            await until(lambda: _sum(sums, "s", 1))
            slow.before_write = None
            go_on.set()
            await until(lambda: lane not in first.lanes)
            await sums.say("s", added(10))
            await until(lambda: _sum(sums, "s", 11))
    facts = await sums.db.fetchval("SELECT count(*) FROM sums.fact")
    assert facts == 2


async def test_the_same_worker_started_twice_is_two_workers(sums: Sums) -> None:
    async with sums.worker() as first, sums.worker() as second:
        await until(lambda: _spread(first, second))
        for number in range(30):
            await sums.say("s", added(1), workspace=f"w{number}")
        await until(lambda: _total(sums, 30))


async def test_the_database_is_restarted_in_the_middle_and_each_record_counts_once(sums: Sums) -> None:
    async with sums.worker() as worker:
        await until(lambda: _spread(worker))
        for number in range(60):
            await sums.say("s", added(1), workspace=f"w{number}")
            if number % 20 == 10:
                await sums.db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'pointsman_sums' AND datname = current_database()"
                )
        await until(lambda: _total(sums, 60))
    assert await sums.db.fetchval("SELECT count(*) FROM sums.fact") == 60


async def _total(sums: Sums, amount: int) -> bool:
    total = await sums.db.fetchval("SELECT coalesce(sum(amount), 0) FROM sums.sums")
    return int(total) == amount


async def _sum(sums: Sums, subject: str, amount: int) -> bool:
    return (await sums.sums()).get(subject) == amount
