"""Whatever raises for a cause, in gathering, deciding or writing: it alone becomes a dead letter, and nothing stops."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant, rfc3339
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import OUTCOMES, SumsLane


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


def due(at: Instant) -> dict[str, object]:
    return {"type": "due", "at": rfc3339(at)}


async def _letters(sums: Sums) -> list[tuple[Any, ...]]:
    rows = await sums.db.fetch("SELECT topic, reason, state, workspace FROM sums.dead_letter ORDER BY at, id")
    return [tuple(row) for row in rows]


async def _outcome(sums: Sums, id: str) -> Any:
    for record in await sums.read(OUTCOMES, 1):
        if dict(record.headers)["ce_id"].decode() == id:
            return orjson.loads(record.value)
    return None


async def _arm(sums: Sums, *subjects: str, within_seconds: float = 2.0) -> Instant:
    """Arms a timer each by a worker that is down again before they are due."""
    at = datetime.now(UTC) + timedelta(seconds=within_seconds)
    for subject in subjects:
        await sums.say(subject, due(at))
    async with sums.worker():
        armed = "SELECT count(*) = $1 FROM sums.sums WHERE due IS NOT NULL"
        await until(lambda: sums.db.fetchval(armed, len(subjects)))
    return at


@pytest.mark.parametrize("subject", ["nul\0", "broken"])
async def test_a_record_whose_gathering_raises_is_a_dead_letter_and_its_neighbours_go_on(
    sums: Sums, subject: str
) -> None:
    for each in ("a", "b", subject, "c"):
        await sums.say(each, added(1))
    async with sums.worker() as worker:
        await until(lambda: _sums(sums, {"a": 1, "b": 1, "c": 1}))
        await until(lambda: worker.why_not_ready() is None)
    assert await _letters(sums) == [("requests", "gather", "open", "acme")]


async def test_a_second_worker_does_not_meet_the_poison_again(sums: Sums) -> None:
    """The log does not forget: the position has passed it."""
    await sums.say("nul\0", added(1))
    async with sums.worker():
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.dead_letter"))
    await sums.say("a", added(1))
    async with sums.worker() as worker:
        await until(lambda: _sums(sums, {"a": 1}))
        await until(lambda: worker.why_not_ready() is None)
    assert len(await _letters(sums)) == 1


@pytest.mark.parametrize("command", ["sums.add", "sums.read"])
async def test_a_command_whose_gathering_raises_is_answered_and_a_dead_letter(sums: Sums, command: str) -> None:
    """Also a question, which leaves no row."""
    await sums.ask("c1", "nul\0", {"type": command, "amount": 1})
    await sums.ask("c2", "a", {"type": "sums.add", "amount": 7})
    async with sums.worker():
        await until(lambda: _sums(sums, {"a": 7}))
        outcome = await until(lambda: _outcome(sums, "c1"))
    assert (outcome["status"], outcome["body"]["code"]) == (500, "internal-error")
    assert await _letters(sums) == [("commands", "gather", "open", "acme")]
    kept = [row["id"] for row in await sums.db.fetch("SELECT id FROM sums.outcome ORDER BY id")]
    assert kept == (["c1", "c2"] if command == "sums.add" else ["c2"])


async def test_a_command_whose_rows_are_refused_is_answered(sums: Sums) -> None:
    await sums.ask("c1", "s", {"type": "sums.add", "amount": 2**63})
    await sums.ask("c2", "a", {"type": "sums.add", "amount": 7})
    async with sums.worker():
        await until(lambda: _sums(sums, {"a": 7}))
        await until(lambda: sums.db.fetchval("SELECT status = 500 FROM sums.outcome WHERE id = 'c1'"))
    assert await _letters(sums) == [("commands", "write", "open", "acme")]


@pytest.mark.parametrize(("subject", "reason"), [("broken", "gather"), ("raising", "raised"), ("refused", "write")])
async def test_a_timer_that_cannot_be_carried_out_is_a_dead_letter_and_its_neighbours_go_on(
    sums: Sums, subject: str, reason: str
) -> None:
    """While records wait: it is not looked for among them for ever."""
    at = await _arm(sums, "a", subject, "z") if subject != "broken" else await _armed_by_hand(sums, subject)
    await until(lambda: datetime.now(UTC) > at)
    for number in range(200):
        await sums.say(f"s{number}", added(1), at=at - timedelta(seconds=1))
    await sums.say("later", added(1))
    async with sums.worker() as worker:
        await until(lambda: _sum(sums, "later", 1))
        await until(lambda: _sum(sums, "z", 1000))
        await until(lambda: worker.why_not_ready() is None)
    totals = await sums.sums()
    assert (totals["a"], totals["s0"], totals["s199"]) == (1000, 1, 1)
    assert await _letters(sums) == [("timers", reason, "open", "acme")]


async def _armed_by_hand(sums: Sums, subject: str) -> Instant:
    """As rows: gathering for its record would raise already."""
    at = datetime.now(UTC)
    lane = await _lane(sums)
    for each in ("a", subject, "z"):
        await sums.db.execute("INSERT INTO sums.sums VALUES ($1, $2, 0, $3, 'acme')", lane, each, at)
    return at


async def _lane(sums: Sums) -> int:
    return lane_of("acme", sums.settings.partitions)


async def test_a_timer_that_was_set_aside_is_passed_over_after_a_takeover_and_decided_by_a_replay(
    sums: Sums,
) -> None:
    await _armed_by_hand(sums, "raising")
    async with sums.worker():
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.dead_letter"))
        await until(lambda: _sum(sums, "z", 1000))
    logic = SumsLane()
    async with sums.worker(logic):
        await sums.say("b", added(1))
        await until(lambda: _sum(sums, "b", 1))
        id = await sums.db.fetchval("SELECT id FROM sums.dead_letter")
        replay = {"type": "dead_letter.replay", "service": "sums", "dead_letter_id": id}
        await sums.ask("r1", id, replay)
        await until(lambda: sums.db.fetchval("SELECT status = 422 FROM sums.outcome WHERE id = 'r1'"))
        assert await _letters(sums) == [("timers", "raised", "open", "acme")]
        logic.decide = _adding(logic)  # type: ignore[method-assign]
        await sums.ask("r2", id, replay)
        await until(lambda: sums.db.fetchval("SELECT status = 200 FROM sums.outcome WHERE id = 'r2'"))
    assert await _letters(sums) == [("timers", "raised", "replayed", "acme")]
    assert (await sums.sums())["raising"] == 1000


def _adding(logic: SumsLane) -> Any:
    """The logic once its fault is mended."""

    def decide(state: Any, cause: Any, now: Instant) -> Any:
        state.journal.pop(state.timers, cause.subject)
        return logic._add(state, cause.workspace, cause.subject, 1000, now)

    return decide


async def test_a_replay_that_is_refused_again_is_answered_and_harms_nobody(sums: Sums) -> None:
    await sums.say("nul\0", added(1))
    async with sums.worker() as worker:
        id = await until(lambda: sums.db.fetchval("SELECT id FROM sums.dead_letter"))
        await sums.ask("r1", id, {"type": "dead_letter.replay", "service": "sums", "dead_letter_id": id})
        await until(lambda: sums.db.fetchval("SELECT status = 422 FROM sums.outcome WHERE id = 'r1'"))
        await sums.say("a", added(1))
        await until(lambda: _sum(sums, "a", 1))
        await until(lambda: worker.why_not_ready() is None)
    assert await _letters(sums) == [("requests", "gather", "open", "acme")]


async def test_a_replay_that_its_api_gave_up_or_sent_twice_does_not_stop_the_lane(sums: Sums) -> None:
    await sums.db.execute("INSERT INTO sums.outcome (id, status) VALUES ('given-up', 503)")
    for id in ("given-up", "twice", "twice"):
        await sums.ask(id, "x", {"type": "dead_letter.replay", "service": "sums", "dead_letter_id": "no"})
    await sums.say("a", added(1))
    async with sums.worker():
        await until(lambda: _sum(sums, "a", 1))
    rows = await sums.db.fetch("SELECT id, status FROM sums.outcome ORDER BY id")
    assert [tuple(row) for row in rows] == [("given-up", 503), ("twice", 404)]


async def test_a_fault_that_spans_workspaces_halts_the_lane(sums: Sums) -> None:
    """Not everything is thrown away because gathering is broken altogether."""
    workspaces = await _of_one_lane(sums, 3)
    for number in range(80):
        await sums.say(f"broken{number}", added(1), workspace=workspaces[number % 3])
    async with sums.worker() as worker:
        await until(lambda: worker.why_not_ready() == "a lane is halted", within_seconds=60)
    assert await sums.db.fetchval("SELECT count(*) FROM sums.dead_letter") < 50


async def _of_one_lane(sums: Sums, count: int) -> list[str]:
    lane = await _lane(sums)
    names = (f"w{number}" for number in range(10_000))
    return [name for name in names if lane_of(name, sums.settings.partitions) == lane][:count]


async def _sums(sums: Sums, expected: dict[str, int]) -> bool:
    return await sums.sums() == expected


async def _sum(sums: Sums, subject: str, amount: int) -> bool:
    return (await sums.sums()).get(subject) == amount
