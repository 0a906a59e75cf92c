"""One batch is one transaction: each record counts once, and a bad one harms nobody."""

from typing import Any

import orjson

from pointsman.core.ids import lane_of
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import COMMANDS, DESK, until


def added(amount: int, **more: object) -> dict[str, object]:
    return {"type": "added", "amount": amount, **more}


async def test_each_record_is_decided_once_and_its_fact_relayed_in_order(tally: Tally) -> None:
    async with tally.worker():
        for number in range(200):
            await tally.say(f"s{number % 7}", added(1), workspace=f"w{number % 7}")
        await until(lambda: _total(tally, 200))
    records = await tally.read(DESK, 200)
    assert len(records) == 200
    for partition in range(tally.settings.partitions):
        numbers = [int(dict(record.headers)["ce_number"]) for record in records if record.partition == partition]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_repeated_record_is_dropped_by_its_number(tally: Tally) -> None:
    async with tally.worker():
        first = await tally.say("s", added(1))
        await tally.say("s", added(10))
        await tally.say("s", added(1), number=first)
        await tally.say("s", added(100))
        await until(lambda: _sums(tally, {"s": 111}))


async def test_a_gap_is_asked_for_and_nothing_behind_it_is_taken_before(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", added(1), number=1)
        await tally.say("s", added(100), number=3)
        asked = await _resend_asked(tally)
        assert orjson.loads(asked.value) == {
            "type": "facts.resend",
            "source": "source@1",
            "of_topic": "requests",
            "partition": lane_of("acme", tally.settings.partitions),
            "first": 2,
        }
        assert await tally.sums() == {"s": 1}
        await tally.say("s", added(10), number=2)
        await tally.say("s", added(100), number=3)
        await until(lambda: _sums(tally, {"s": 111}))


async def _resend_asked(tally: Tally) -> Any:
    return (await tally.read(COMMANDS, 1))[0]


async def test_a_raise_at_the_37th_record_of_a_batch_is_a_dead_letter_and_its_neighbours_go_on(tally: Tally) -> None:
    for number in range(1, 101):
        await tally.say("s", added(1, poison=number == 37))
    async with tally.worker():
        await until(lambda: _sums(tally, {"s": 99}))
    letters = await tally.db.fetch("SELECT reason, detail, state FROM tally.dead_letter")
    assert [(letter["reason"], letter["state"]) for letter in letters] == [("raised", "open")]
    assert "ZeroDivisionError: poison" in letters[0]["detail"]


async def test_a_record_that_is_no_json_is_a_dead_letter(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", added(1))
        await tally.say("s", value=b'{"facts": [')
        await tally.say("s", added(1))
        await until(lambda: _sums(tally, {"s": 2}))
    letters = await tally.db.fetch("SELECT reason, value FROM tally.dead_letter")
    assert [(letter["reason"], letter["value"]) for letter in letters] == [("undecodable", b'{"facts": [')]


async def test_a_row_that_the_database_refuses_is_found_among_its_neighbours(tally: Tally) -> None:
    for subject, amount in (("a", 1), ("b", 1), ("too-large", 2**63), ("c", 1)):
        await tally.say(subject, added(amount))
    async with tally.worker():
        await until(lambda: _sums(tally, {"a": 1, "b": 1, "c": 1}))
    letters = await tally.db.fetch("SELECT reason FROM tally.dead_letter")
    assert [letter["reason"] for letter in letters] == ["write"]


async def test_an_unknown_type_is_skipped_alone_and_noted_with_its_position(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", {"type": "future.thing"}, added(1))
        await until(lambda: _sums(tally, {"s": 1}))
    skipped = await tally.db.fetch("SELECT topic, record_offset, types FROM tally.skipped")
    assert [(row["topic"], row["record_offset"], row["types"]) for row in skipped] == [
        ("requests", 0, ["future.thing"])
    ]


async def test_what_a_service_ignores_is_passed_and_neither_decided_nor_noted(tally: Tally) -> None:
    """Alone in a record, beside what it hears, and beside a type that nobody knows, which is noted all the same."""
    ignored = {"type": "tally.ignored"}
    async with tally.worker() as worker:
        await tally.say("s", ignored)
        await tally.say("s", ignored, added(1))
        await tally.say("s", ignored, {"type": "future.thing"})
        await tally.say("s", added(2))
        await until(lambda: _sums(tally, {"s": 3}))
        assert 4 in {lane.inboxes["requests"].stored_offset for lane in worker.lanes.values()}
    assert await tally.db.fetchval("SELECT count(*) FROM tally.dead_letter") == 0
    assert [row["record_offset"] for row in await tally.db.fetch("SELECT record_offset FROM tally.skipped")] == [2]


async def test_a_replayed_dead_letter_is_decided_in_the_next_batch_and_closed_with_it(tally: Tally) -> None:
    async with tally.worker():
        await tally.say("s", added(5, poison=True))
        await until(lambda: tally.db.fetchval("SELECT count(*) FROM tally.dead_letter"))
        id = await tally.db.fetchval("SELECT id FROM tally.dead_letter")
        await tally.db.execute("UPDATE tally.dead_letter SET value = $1", orjson.dumps({"facts": [added(5)]}))
        await tally.ask("c1", "s", {"type": "dead_letter.replay", "service": "tally", "dead_letter_id": id})
        await until(lambda: _sums(tally, {"s": 5}))
        assert await tally.db.fetchval("SELECT state FROM tally.dead_letter") == "replayed"


async def _total(tally: Tally, amount: int) -> bool:
    return sum((await tally.sums()).values()) == amount


async def _sums(tally: Tally, expected: dict[str, int]) -> bool:
    return await tally.sums() == expected
