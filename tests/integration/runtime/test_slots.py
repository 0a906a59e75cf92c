"""Slots: one source feeding several partitions, group commit, and what a dead process left."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman.runtime.analysing import GREW_ROWS_MIN
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.group_commit import GROUP_MESSAGES_MAX, QUEUE_MESSAGES_MAX, Busy, GroupCommit
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import DESK, Body, SumsCodec


class Refused(Exception):
    pass


async def _handle(
    db: Any, items: Sequence[tuple[str, int]], now: Instant
) -> tuple[Sequence[int | Exception], Sequence[Emission]]:
    results: list[int | Exception] = []
    emissions = []
    for workspace, amount in items:
        if amount < 0:
            results.append(Refused("negative"))
            continue
        if amount == 0:
            await db.execute("SELECT 1 / 0")
        results.append(amount)
        emissions.append(Emission(workspace, "s", now, (Body("added", {"amount": amount}),)))
    return results, emissions


@asynccontextmanager
async def a_group(sums: Sums) -> AsyncIterator[GroupCommit[tuple[str, int], int]]:
    link = BrokerLink(sums.settings)
    watching = asyncio.create_task(link.watch())
    try:
        async with GroupCommit(
            sums.settings, service="sums", topic=DESK, handle=_handle, codec=SumsCodec(), link=link
        ) as group:
            yield group
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_what_it_fills_is_analysed_while_no_worker_of_its_service_runs(sums: Sums) -> None:
    """Else lookups in a table that grew from nothing are planned by guesses, and may read what shares their first
    columns."""
    async with a_group(sums) as group:
        async with group.pool.acquire() as db:
            await db.execute("CREATE TABLE grown (n int)")
            await db.execute("INSERT INTO grown SELECT generate_series(1, $1)", GREW_ROWS_MIN)
            await db.execute("SELECT pg_stat_force_next_flush()")  # else a session tells of its rows when it likes

        async def analysed() -> bool:
            at = "SELECT last_analyze FROM pg_stat_user_tables WHERE schemaname = 'sums' AND relname = 'grown'"
            return await group.pool.fetchval(at) is not None

        await until(analysed, within_seconds=60)


async def test_one_source_feeds_several_partitions_with_contiguous_numbers_each(sums: Sums) -> None:
    async with a_group(sums) as group:
        results = await asyncio.gather(*(group.submit((f"w{number % 9}", number + 1)) for number in range(90)))
        assert results == list(range(1, 91))
        records = await sums.read(DESK, 90)
    for partition in range(sums.settings.partitions):
        numbers = [int(dict(record.headers)["ce_number"]) for record in records if record.partition == partition]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_what_is_submitted_together_shares_a_commit(sums: Sums) -> None:
    async with a_group(sums) as group:
        await asyncio.gather(*(group.submit(("acme", 1)) for _ in range(100)))
    assert await sums.db.fetchval("SELECT count(DISTINCT cause) FROM sums.fact") <= 3


async def test_a_refused_item_and_one_that_the_database_refuses_fail_alone(sums: Sums) -> None:
    async with a_group(sums) as group:
        results = await asyncio.gather(
            *(group.submit(("acme", amount)) for amount in (1, -1, 2, 0, 3)), return_exceptions=True
        )
    assert [result for result in results if isinstance(result, int)] == [1, 2, 3]
    assert isinstance(results[1], Refused)
    assert "division by zero" in str(results[3])
    assert await sums.db.fetchval("SELECT count(*) FROM sums.fact") == 3


async def test_it_commits_while_the_broker_is_out_of_reach(sums: Sums) -> None:
    reachable = sums.settings
    sums.settings = reachable.model_copy(update={"broker": "127.0.0.1:1"})
    async with a_group(sums) as group:
        assert await group.submit(("acme", 1)) == 1
    sums.settings = reachable
    async with a_group(sums):  # the slot of the process that is gone is taken, and what it left is sent
        assert len(await sums.read(DESK, 1)) == 1


async def test_the_slot_of_a_dead_process_is_drained_by_another(sums: Sums) -> None:
    reachable = sums.settings
    async with a_group(sums) as lives:
        sums.settings = reachable.model_copy(update={"broker": "127.0.0.1:1"})
        dead = a_group(sums)
        group = await dead.__aenter__()
        assert await group.submit(("acme", 1)) == 1
        for task in group._tasks:
            task.cancel()
        group._lease.session.terminate()
        group.pool.terminate()
        sums.settings = reachable
        assert lives.unready() is None
        assert len(await sums.read(DESK, 1)) == 1
        await until(lambda: sums.db.fetchval("SELECT count(*) = 1 FROM sums.slot_lease WHERE owner IS NOT NULL"))


async def test_a_stale_holder_of_a_slot_writes_nothing(sums: Sums) -> None:
    async with a_group(sums) as group:
        await group.submit(("acme", 1))
        await sums.db.execute("UPDATE sums.slot SET epoch = epoch + 1")
        with pytest.raises(ConnectionError):
            await group.submit(("acme", 2))
        assert await sums.db.fetchval("SELECT count(*) FROM sums.fact") == 1


async def test_after_a_fault_a_process_goes_on_with_its_slot(sums: Sums) -> None:
    async with a_group(sums) as group:
        assert await group.submit(("acme", 1)) == 1
        # A commit of which nobody knows is given up as a fenced one is.
        await sums.db.execute("UPDATE sums.slot SET epoch = epoch + 1")
        with pytest.raises(ConnectionError):
            await group.submit(("acme", 2))

        async def accepted() -> bool:
            try:
                return await group.submit(("acme", 3)) == 3
            except ConnectionError:
                return False

        await until(accepted)

        async def sent() -> bool:
            """A fact of whose sending the slot had not heard before its fault is sent again."""
            return {dict(record.headers)["ce_number"] for record in await sums.read(DESK, 2)} == {b"1", b"2"}

        await until(sent)
    assert await sums.db.fetchval("SELECT count(DISTINCT source) FROM sums.fact") == 1


@asynccontextmanager
async def _weighed(sums: Sums) -> AsyncIterator[tuple[GroupCommit[tuple[str, int], int], list[int]]]:
    """A group commit whose items count as many messages as their amount, and how many items each group had."""
    groups: list[int] = []

    async def handle(db: Any, items: Sequence[tuple[str, int]], now: Instant) -> Any:
        groups.append(sum(amount for _, amount in items))
        return await _handle(db, items, now)

    async with GroupCommit(
        sums.settings,
        service="sums",
        topic=DESK,
        handle=handle,
        codec=SumsCodec(),
        link=BrokerLink(sums.settings.model_copy(update={"broker": "127.0.0.1:1"})),
        size=lambda item: (item[1], item[1] * 100),
    ) as group:
        yield group, groups


async def test_batches_at_once_share_no_transaction_longer_than_its_bound(sums: Sums) -> None:
    """Eighty batches of a thousand messages each were one transaction: the health check took two seconds, and most
    were answered 503 after they had waited."""
    async with _weighed(sums) as (group, groups):
        results = await asyncio.gather(*(group.submit(("acme", 1_000)) for _ in range(80)), return_exceptions=True)
        written = [result for result in results if result == 1_000]
        busy = [result for result in results if isinstance(result, Busy)]
        assert len(written) + len(busy) == 80
        assert len(written) * 1_000 == QUEUE_MESSAGES_MAX
        assert max(groups) <= GROUP_MESSAGES_MAX
        assert await group.submit(("acme", 1_000)) == 1_000, "what was refused may come again"


async def test_an_item_larger_than_a_group_is_one_of_its_own(sums: Sums) -> None:
    async with _weighed(sums) as (group, groups):
        results = await asyncio.gather(
            *(group.submit(("acme", size)) for size in (1, 50_000, 1)), return_exceptions=True
        )
        assert isinstance(results[1], Busy) or 50_000 in groups
        assert await group.submit(("acme", 50_000)) == 50_000
        assert groups[-1] == 50_000
