"""Commands are settled once: outcomes are rows, refusals are values, questions leave no trace."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from pointsman.core.instant import rfc3339
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import OUTCOMES


async def _outcomes(sums: Sums, count: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for record in await sums.read(OUTCOMES, count):
        found.setdefault(dict(record.headers)["ce_id"].decode(), []).append(orjson.loads(record.value))
    return found


async def test_a_command_is_answered_by_a_row_and_a_wake_up(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 5})
        outcomes = await _outcomes(sums, 1)
    assert outcomes == {"c1": [{"status": 200, "body": {"sum": 5}, "body_hash": None}]}
    row = await sums.db.fetchrow("SELECT status, body FROM sums.outcome WHERE id = 'c1'")
    assert (row["status"], orjson.loads(row["body"])) == (200, {"sum": 5})


async def test_a_repeated_command_gets_the_first_answer_and_counts_once(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 5})
        await _outcomes(sums, 1)
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 5})
        outcomes = await _outcomes(sums, 2)
    assert [outcome["body"] for outcome in outcomes["c1"]] == [{"sum": 5}, {"sum": 5}]
    assert await sums.sums() == {"s": 5}


async def test_a_repeat_in_the_same_batch_counts_once(sums: Sums) -> None:
    for _ in range(3):
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 5})
    async with sums.worker():
        outcomes = await _outcomes(sums, 3)
    assert [outcome["body"] for outcome in outcomes["c1"]] == [{"sum": 5}] * 3
    assert await sums.sums() == {"s": 5}


async def test_the_same_key_with_another_body_is_refused(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 5, "hash": "a"})
        await _outcomes(sums, 1)
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 6, "hash": "b"})
        outcomes = await _outcomes(sums, 2)
    assert [outcome["status"] for outcome in outcomes["c1"]] == [200, 422]
    assert await sums.sums() == {"s": 5}


async def test_a_command_that_its_api_gave_up_is_not_applied(sums: Sums) -> None:
    await sums.db.execute("INSERT INTO sums.outcome (id, status) VALUES ('c1', 503)")
    await sums.ask("c1", "s", {"type": "sums.add", "amount": 5})
    await sums.ask("c2", "s", {"type": "sums.add", "amount": 7})
    async with sums.worker():
        await until(lambda: _sums(sums, {"s": 7}))


async def test_a_late_command_is_not_applied(sums: Sums) -> None:
    past = rfc3339(datetime.now(UTC) - timedelta(seconds=1))
    await sums.ask("c1", "s", {"type": "sums.add", "amount": 5}, not_after=past)
    await sums.ask("c2", "s", {"type": "sums.add", "amount": 7})
    async with sums.worker():
        await until(lambda: _sums(sums, {"s": 7}))
    rows = await sums.db.fetch("SELECT id, status, body::jsonb ->> 'code' AS code FROM sums.outcome ORDER BY id")
    assert [tuple(row) for row in rows] == [("c1", 503, "abandoned"), ("c2", 200, None)]


async def test_a_refusal_is_an_outcome_and_its_changes_are_undone(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "sums.refuse"})
        await sums.ask("c2", "s", {"type": "sums.add", "amount": 7})
        outcomes = await _outcomes(sums, 2)
    assert outcomes["c1"][0]["status"] == 409
    assert outcomes["c1"][0]["body"] == {"status": 409, "code": "no", "detail": "as asked", "sum": 0}
    assert outcomes["c2"][0]["body"] == {"sum": 7}


async def test_a_question_is_answered_without_a_row(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "sums.add", "amount": 7})
        await sums.ask("q1", "s", {"type": "sums.read"})
        outcomes = await _outcomes(sums, 2)
    assert outcomes["q1"][0]["body"] == {"sum": 7}
    assert [row["id"] for row in await sums.db.fetch("SELECT id FROM sums.outcome")] == ["c1"]


async def test_others_commands_are_skipped(sums: Sums) -> None:
    async with sums.worker():
        await sums.ask("c1", "s", {"type": "offer.accept"})
        await sums.ask("c2", "s", {"type": "sums.add", "amount": 7})
        await until(lambda: _sums(sums, {"s": 7}))
    assert await sums.db.fetchval("SELECT count(*) FROM sums.dead_letter") == 0


async def test_ten_thousand_requests_before_a_command_do_not_starve_it(sums: Sums) -> None:
    for number in range(3_000):
        await sums.say(f"s{number}", {"type": "added", "amount": 1})
    await sums.ask("c1", "x", {"type": "sums.add", "amount": 7})
    async with sums.worker():
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.outcome"))
        assert await sums.db.fetchval("SELECT count(*) FROM sums.fact") < 3_000


async def _sums(sums: Sums, expected: dict[str, int]) -> bool:
    return await sums.sums() == expected
