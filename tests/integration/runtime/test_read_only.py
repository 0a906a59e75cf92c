"""A failover that leaves PostgreSQL read-only is the infrastructure's matter: nothing is poison, nothing ends, and all
goes on when it takes writes again."""

import asyncio

import pytest

from pointsman.runtime.tasks import failure
from pointsman.testing.waiting import until
from tests.integration.read_only import read_only
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.test_slots import a_group

pytestmark = pytest.mark.stack


async def test_what_a_read_only_database_refuses_is_no_poison(sums: Sums) -> None:
    async with sums.worker() as worker:
        await until(lambda: len(worker.lanes) == 4 and worker.why_not_ready() is None)
        async with read_only(sums.installation.postgres):
            for number in range(20):
                await sums.say("s", {"type": "added", "amount": 1}, workspace=f"w{number}")
            await until(lambda: worker.why_not_ready() == "sums: the database takes no writes")
            # Every lane has met it: a lane that begins again has no inboxes.
            await until(lambda: all(not lane.inboxes for lane in worker.lanes.values()))
        await until(lambda: _summed(sums, 20))
        await until(lambda: worker.why_not_ready() is None)
        assert not failure()
    assert await sums.db.fetchval("SELECT count(*) FROM sums.dead_letter") == 0
    assert await sums.db.fetchval("SELECT count(*) FROM sums.fact") == 20


async def _summed(sums: Sums, amount: int) -> bool:
    total = await sums.db.fetchval("SELECT coalesce(sum(amount), 0) FROM sums.sums")
    return int(total) == amount


async def test_a_slot_is_taken_again_when_the_database_takes_writes(sums: Sums) -> None:
    async with a_group(sums) as group:
        assert await group.submit(("acme", 1)) == 1
        async with read_only(sums.installation.postgres):

            async def refused() -> bool:
                try:
                    await group.submit(("acme", 2))
                except ConnectionError:
                    return True
                return False  # a transaction that began before

            await until(refused)
            await until(lambda: group.unready() is not None)
        await until(lambda: group.unready() is None)
        assert await group.submit(("acme", 3)) == 3
        assert not failure()


async def test_the_error_that_a_group_failed_by_is_told_though_its_connection_cannot_be_given_up(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_group(sums) as group:
        assert await group.submit(("acme", 1)) == 1
        writer = group._writer

        def fails() -> None:
            raise RuntimeError("the transport is gone")

        # A connection whose transport is broken: whatever is asked of it raises, to end it too.
        connection = writer._con
        monkeypatch.setattr(type(connection), "terminate", lambda _: fails())
        connection._transport.abort()
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError, match="not written") as raised:
            await group.submit(("acme", 2))
        assert "transport is gone" not in str(raised.value)
        monkeypatch.undo()
        await until(lambda: group.unready() is None)
        assert await group.submit(("acme", 3)) == 3
        assert not failure()
