"""Inputs before timers: a timer fires only when everything that could stop it was read, and then at once."""

from datetime import UTC, datetime, timedelta

import pytest

from pointsman.core.instant import rfc3339
from pointsman.runtime import inbox, reader
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import SumsLane


def due(at: datetime) -> dict[str, object]:
    return {"type": "due", "at": rfc3339(at)}


async def test_a_timer_fires_once_at_its_time_and_never_early(sums: Sums) -> None:
    logic = SumsLane()
    async with sums.worker(logic):
        at = datetime.now(UTC) + timedelta(seconds=1)
        await sums.say("s", due(at))
        await until(lambda: _sums(sums, {"s": 1000}))
    fact = await sums.db.fetchrow("SELECT at, made_at FROM sums.fact")
    assert fact["made_at"] >= at
    assert (fact["made_at"] - at).total_seconds() < 0.25
    assert len(logic.fired) == 1
    assert not logic.fired[0].late


async def test_a_stop_that_waits_in_the_log_of_a_worker_that_was_down_prevents_the_firing(sums: Sums) -> None:
    # Far enough away that the worker is down again before it comes, on a slow machine too.
    at = datetime.now(UTC) + timedelta(seconds=4)
    async with sums.worker():
        await sums.say("s", due(at))
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.sums WHERE due IS NOT NULL"))
    await sums.say("s", {"type": "stopped"})
    await sums.say("s", due(datetime.now(UTC) + timedelta(hours=1)))
    assert await sums.db.fetchval("SELECT due FROM sums.sums") == at, "it fired before the worker was down"
    await until(lambda: sums.db.fetchval("SELECT now() > $1", at), within_seconds=10)
    logic = SumsLane()
    async with sums.worker(logic):
        await sums.say("t", {"type": "added", "amount": 1})
        await until(lambda: _sum(sums, "t", 1))
        assert logic.fired == []


async def test_a_timer_that_was_overdue_at_the_start_fires_marked_late(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", due(datetime.now(UTC) + timedelta(seconds=2)))
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.sums WHERE due IS NOT NULL"))
    armed = await sums.db.fetchval("SELECT due FROM sums.sums")
    assert armed is not None, "it fired before the worker was down"
    await until(lambda: datetime.now(UTC) > armed + timedelta(seconds=1.2))
    logic = SumsLane()
    async with sums.worker(logic):
        await until(lambda: _sums(sums, {"s": 1000}))
    assert [timer.late for timer in logic.fired] == [True]


async def test_a_backlog_that_is_later_than_a_due_timer_and_more_than_is_kept_holds_neither(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer waited until all was read, reading until the inbox had room, and the records for the timer: a lane
    whose process had stood still for 14 s under a flood of commands never moved again."""
    monkeypatch.setattr(inbox, "BUFFERED_RECORDS_MAX", 3)
    monkeypatch.setattr(reader, "FETCHED_RECORDS_MAX", 3)
    async with sums.worker():
        await sums.say("s", due(datetime.now(UTC) + timedelta(seconds=2)))
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.sums WHERE due IS NOT NULL"))
    armed = await sums.db.fetchval("SELECT due FROM sums.sums")
    assert armed is not None, "it fired before the worker was down"
    await until(lambda: datetime.now(UTC) > armed)
    for _ in range(20):
        await sums.say("t", {"type": "added", "amount": 1})
    logic = SumsLane()
    kept: list[int] = []
    async with sums.worker(logic) as worker:

        async def summed() -> bool:
            kept.extend(len(lane.inboxes["requests"].records) for lane in worker.lanes.values() if lane.inboxes)
            return await _sums(sums, {"s": 1000, "t": 20})

        await until(summed)
    assert len(logic.fired) == 1
    assert max(kept) <= 3 + 2, "the bound, and what came with the record that reached it"


async def test_a_record_that_is_later_than_a_due_timer_is_decided_after_it(sums: Sums) -> None:
    at = datetime.now(UTC) + timedelta(milliseconds=200)
    await sums.say("s", due(at))
    await sums.say("s", {"type": "stopped"}, at=at + timedelta(milliseconds=1))
    await until(lambda: datetime.now(UTC) > at + timedelta(milliseconds=50))
    async with sums.worker():
        await until(lambda: _sums(sums, {"s": 1000}))


async def test_a_stop_that_stands_behind_a_record_later_than_the_timer_prevents_the_firing(sums: Sums) -> None:
    """The log is not in the order of its times: what stops the timer may follow what must wait for it."""
    at = datetime.now(UTC) + timedelta(milliseconds=200)
    await sums.say("s", due(at))
    await sums.say("t", {"type": "added", "amount": 1}, at=at + timedelta(milliseconds=50))
    await sums.say("s", {"type": "stopped"}, at=at - timedelta(milliseconds=50))
    await sums.say("t", {"type": "added", "amount": 2}, at=at + timedelta(milliseconds=60))
    await until(lambda: datetime.now(UTC) > at + timedelta(milliseconds=500))
    logic = SumsLane()
    async with sums.worker(logic):
        await until(lambda: _sums(sums, {"s": 0, "t": 3}))
        assert logic.fired == []


async def _sums(sums: Sums, expected: dict[str, int]) -> bool:
    return await sums.sums() == expected


async def _sum(sums: Sums, subject: str, amount: int) -> bool:
    return (await sums.sums()).get(subject) == amount
