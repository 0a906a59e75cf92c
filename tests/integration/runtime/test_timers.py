"""Inputs before timers: a timer fires only when everything that could stop it was read, and then at once."""

from datetime import UTC, datetime, timedelta

from pointsman.core.instant import rfc3339
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import TallyLane, until


def due(at: datetime) -> dict[str, object]:
    return {"type": "due", "at": rfc3339(at)}


async def test_a_timer_fires_once_at_its_time_and_never_early(tally: Tally) -> None:
    logic = TallyLane()
    async with tally.worker(logic):
        at = datetime.now(UTC) + timedelta(seconds=1)
        await tally.say("s", due(at))
        await until(lambda: _sums(tally, {"s": 1000}))
    fact = await tally.db.fetchrow("SELECT at, made_at FROM tally.fact")
    assert fact["made_at"] >= at
    assert (fact["made_at"] - at).total_seconds() < 0.25
    assert len(logic.fired) == 1
    assert not logic.fired[0].late


async def test_a_stop_that_waits_in_the_log_of_a_worker_that_was_down_prevents_the_firing(tally: Tally) -> None:
    # Far enough away that the worker is down again before it comes, on a slow machine too.
    at = datetime.now(UTC) + timedelta(seconds=4)
    async with tally.worker():
        await tally.say("s", due(at))
        await until(lambda: tally.db.fetchval("SELECT count(*) FROM tally.tally WHERE due IS NOT NULL"))
    await tally.say("s", {"type": "stopped"})
    await tally.say("s", due(datetime.now(UTC) + timedelta(hours=1)))
    assert await tally.db.fetchval("SELECT due FROM tally.tally") == at, "it fired before the worker was down"
    await until(lambda: tally.db.fetchval("SELECT now() > $1", at), within_seconds=10)
    logic = TallyLane()
    async with tally.worker(logic):
        await tally.say("t", {"type": "added", "amount": 1})
        await until(lambda: _sum(tally, "t", 1))
        assert logic.fired == []


async def test_a_timer_that_was_overdue_at_the_start_fires_marked_late(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", due(datetime.now(UTC) + timedelta(seconds=2)))
        await until(lambda: tally.db.fetchval("SELECT count(*) FROM tally.tally WHERE due IS NOT NULL"))
    armed = await tally.db.fetchval("SELECT due FROM tally.tally")
    assert armed is not None, "it fired before the worker was down"
    await until(lambda: datetime.now(UTC) > armed + timedelta(seconds=1.2))
    logic = TallyLane()
    async with tally.worker(logic):
        await until(lambda: _sums(tally, {"s": 1000}))
    assert [timer.late for timer in logic.fired] == [True]


async def test_a_record_that_is_later_than_a_due_timer_is_decided_after_it(tally: Tally) -> None:
    at = datetime.now(UTC) + timedelta(milliseconds=200)
    await tally.say("s", due(at))
    await tally.say("s", {"type": "stopped"}, at=at + timedelta(milliseconds=1))
    await until(lambda: datetime.now(UTC) > at + timedelta(milliseconds=50))
    async with tally.worker():
        await until(lambda: _sums(tally, {"s": 1000}))


async def test_a_stop_that_stands_behind_a_record_later_than_the_timer_prevents_the_firing(tally: Tally) -> None:
    """The log is not in the order of its times: what stops the timer may follow what must wait for it."""
    at = datetime.now(UTC) + timedelta(milliseconds=200)
    await tally.say("s", due(at))
    await tally.say("t", {"type": "added", "amount": 1}, at=at + timedelta(milliseconds=50))
    await tally.say("s", {"type": "stopped"}, at=at - timedelta(milliseconds=50))
    await tally.say("t", {"type": "added", "amount": 2}, at=at + timedelta(milliseconds=60))
    await until(lambda: datetime.now(UTC) > at + timedelta(milliseconds=500))
    logic = TallyLane()
    async with tally.worker(logic):
        await until(lambda: _sums(tally, {"s": 0, "t": 3}))
        assert logic.fired == []


async def _sums(tally: Tally, expected: dict[str, int]) -> bool:
    return await tally.sums() == expected


async def _sum(tally: Tally, subject: str, amount: int) -> bool:
    return (await tally.sums()).get(subject) == amount
