"""Whatever raises for a cause, in gathering, deciding or writing: it alone becomes a dead letter, and nothing stops."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant, rfc3339
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import OUTCOMES, TallyLane, until


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


def due(at: Instant) -> dict[str, object]:
    return {"type": "due", "at": rfc3339(at)}


async def _letters(tally: Tally) -> list[tuple[Any, ...]]:
    rows = await tally.db.fetch("SELECT topic, reason, state, workspace FROM tally.dead_letter ORDER BY at, id")
    return [tuple(row) for row in rows]


async def _outcome(tally: Tally, id: str) -> Any:
    for record in await tally.read(OUTCOMES, 1):
        if dict(record.headers)["ce_id"].decode() == id:
            return orjson.loads(record.value)
    return None


async def _arm(tally: Tally, *subjects: str, within_seconds: float = 2.0) -> Instant:
    """Arms a timer each by a worker that is down again before they are due."""
    at = datetime.now(UTC) + timedelta(seconds=within_seconds)
    for subject in subjects:
        await tally.say(subject, due(at))
    async with tally.worker():
        armed = "SELECT count(*) = $1 FROM tally.tally WHERE due IS NOT NULL"
        await until(lambda: tally.db.fetchval(armed, len(subjects)))
    return at


@pytest.mark.parametrize("subject", ["nul\0", "broken"])
async def test_a_record_whose_gathering_raises_is_a_dead_letter_and_its_neighbours_go_on(
    tally: Tally, subject: str
) -> None:
    for each in ("a", "b", subject, "c"):
        await tally.say(each, added(1))
    async with tally.worker() as worker:
        await until(lambda: _sums(tally, {"a": 1, "b": 1, "c": 1}))
        await until(lambda: worker.why_not_ready() is None)
    assert await _letters(tally) == [("requests", "gather", "open", "acme")]


async def test_a_second_worker_does_not_meet_the_poison_again(tally: Tally) -> None:
    """The log does not forget: the position has passed it."""
    await tally.say("nul\0", added(1))
    async with tally.worker():
        await until(lambda: tally.db.fetchval("SELECT count(*) FROM tally.dead_letter"))
    await tally.say("a", added(1))
    async with tally.worker() as worker:
        await until(lambda: _sums(tally, {"a": 1}))
        await until(lambda: worker.why_not_ready() is None)
    assert len(await _letters(tally)) == 1


@pytest.mark.parametrize("command", ["tally.add", "tally.read"])
async def test_a_command_whose_gathering_raises_is_answered_and_a_dead_letter(tally: Tally, command: str) -> None:
    """Also a question, which leaves no row."""
    await tally.ask("c1", "nul\0", {"type": command, "amount": 1})
    await tally.ask("c2", "a", {"type": "tally.add", "amount": 7})
    async with tally.worker():
        await until(lambda: _sums(tally, {"a": 7}))
        outcome = await until(lambda: _outcome(tally, "c1"))
    assert (outcome["status"], outcome["body"]["code"]) == (500, "internal-error")
    assert await _letters(tally) == [("commands", "gather", "open", "acme")]
    kept = [row["id"] for row in await tally.db.fetch("SELECT id FROM tally.outcome ORDER BY id")]
    assert kept == (["c1", "c2"] if command == "tally.add" else ["c2"])


async def test_a_command_whose_rows_are_refused_is_answered(tally: Tally) -> None:
    await tally.ask("c1", "s", {"type": "tally.add", "amount": 2**63})
    await tally.ask("c2", "a", {"type": "tally.add", "amount": 7})
    async with tally.worker():
        await until(lambda: _sums(tally, {"a": 7}))
        await until(lambda: tally.db.fetchval("SELECT status = 500 FROM tally.outcome WHERE id = 'c1'"))
    assert await _letters(tally) == [("commands", "write", "open", "acme")]


@pytest.mark.parametrize(("subject", "reason"), [("broken", "gather"), ("raising", "raised"), ("refused", "write")])
async def test_a_timer_that_cannot_be_carried_out_is_a_dead_letter_and_its_neighbours_go_on(
    tally: Tally, subject: str, reason: str
) -> None:
    """While records wait: it is not looked for among them for ever."""
    at = await _arm(tally, "a", subject, "z") if subject != "broken" else await _armed_by_hand(tally, subject)
    await until(lambda: datetime.now(UTC) > at)
    for number in range(200):
        await tally.say(f"s{number}", added(1), at=at - timedelta(seconds=1))
    await tally.say("later", added(1))
    async with tally.worker() as worker:
        await until(lambda: _sum(tally, "later", 1))
        await until(lambda: _sum(tally, "z", 1000))
        await until(lambda: worker.why_not_ready() is None)
    sums = await tally.sums()
    assert (sums["a"], sums["s0"], sums["s199"]) == (1000, 1, 1)
    assert await _letters(tally) == [("timers", reason, "open", "acme")]


async def _armed_by_hand(tally: Tally, subject: str) -> Instant:
    """As rows: gathering for its record would raise already."""
    at = datetime.now(UTC)
    lane = await _lane(tally)
    for each in ("a", subject, "z"):
        await tally.db.execute("INSERT INTO tally.tally VALUES ($1, $2, 0, $3, 'acme')", lane, each, at)
    return at


async def _lane(tally: Tally) -> int:
    return lane_of("acme", tally.settings.partitions)


async def test_a_timer_that_was_set_aside_is_passed_over_after_a_takeover_and_decided_by_a_replay(
    tally: Tally,
) -> None:
    await _armed_by_hand(tally, "raising")
    async with tally.worker():
        await until(lambda: tally.db.fetchval("SELECT count(*) FROM tally.dead_letter"))
        await until(lambda: _sum(tally, "z", 1000))
    logic = TallyLane()
    async with tally.worker(logic):
        await tally.say("b", added(1))
        await until(lambda: _sum(tally, "b", 1))
        id = await tally.db.fetchval("SELECT id FROM tally.dead_letter")
        replay = {"type": "dead_letter.replay", "service": "tally", "dead_letter_id": id}
        await tally.ask("r1", id, replay)
        await until(lambda: tally.db.fetchval("SELECT status = 422 FROM tally.outcome WHERE id = 'r1'"))
        assert await _letters(tally) == [("timers", "raised", "open", "acme")]
        logic.decide = _adding(logic)  # type: ignore[method-assign]
        await tally.ask("r2", id, replay)
        await until(lambda: tally.db.fetchval("SELECT status = 200 FROM tally.outcome WHERE id = 'r2'"))
    assert await _letters(tally) == [("timers", "raised", "replayed", "acme")]
    assert (await tally.sums())["raising"] == 1000


def _adding(logic: TallyLane) -> Any:
    """The logic once its fault is mended."""

    def decide(state: Any, cause: Any, now: Instant) -> Any:
        state.journal.pop(state.timers, cause.subject)
        return logic._add(state, cause.workspace, cause.subject, 1000, now)

    return decide


async def test_a_replay_that_is_refused_again_is_answered_and_harms_nobody(tally: Tally) -> None:
    await tally.say("nul\0", added(1))
    async with tally.worker() as worker:
        id = await until(lambda: tally.db.fetchval("SELECT id FROM tally.dead_letter"))
        await tally.ask("r1", id, {"type": "dead_letter.replay", "service": "tally", "dead_letter_id": id})
        await until(lambda: tally.db.fetchval("SELECT status = 422 FROM tally.outcome WHERE id = 'r1'"))
        await tally.say("a", added(1))
        await until(lambda: _sum(tally, "a", 1))
        await until(lambda: worker.why_not_ready() is None)
    assert await _letters(tally) == [("requests", "gather", "open", "acme")]


async def test_a_replay_that_its_api_gave_up_or_sent_twice_does_not_stop_the_lane(tally: Tally) -> None:
    await tally.db.execute("INSERT INTO tally.outcome (id, status) VALUES ('given-up', 503)")
    for id in ("given-up", "twice", "twice"):
        await tally.ask(id, "x", {"type": "dead_letter.replay", "service": "tally", "dead_letter_id": "no"})
    await tally.say("a", added(1))
    async with tally.worker():
        await until(lambda: _sum(tally, "a", 1))
    rows = await tally.db.fetch("SELECT id, status FROM tally.outcome ORDER BY id")
    assert [tuple(row) for row in rows] == [("given-up", 503), ("twice", 404)]


async def test_a_fault_that_spans_workspaces_halts_the_lane(tally: Tally) -> None:
    """Not everything is thrown away because gathering is broken altogether."""
    workspaces = await _of_one_lane(tally, 3)
    for number in range(80):
        await tally.say(f"broken{number}", added(1), workspace=workspaces[number % 3])
    async with tally.worker() as worker:
        await until(lambda: worker.why_not_ready() == "a lane is halted", within_seconds=60)
    assert await tally.db.fetchval("SELECT count(*) FROM tally.dead_letter") < 50


async def _of_one_lane(tally: Tally, count: int) -> list[str]:
    lane = await _lane(tally)
    names = (f"w{number}" for number in range(10_000))
    return [name for name in names if lane_of(name, tally.settings.partitions) == lane][:count]


async def _sums(tally: Tally, expected: dict[str, int]) -> bool:
    return await tally.sums() == expected


async def _sum(tally: Tally, subject: str, amount: int) -> bool:
    return (await tally.sums()).get(subject) == amount
