"""One batch is one transaction: each record counts once, and a bad one harms nobody."""

from typing import Any

import orjson

from pointsman.core.ids import lane_of
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import COMMANDS, DESK


def added(amount: int, **more: object) -> dict[str, object]:
    return {"type": "added", "amount": amount, **more}


async def test_each_record_is_decided_once_and_its_fact_relayed_in_order(sums: Sums) -> None:
    async with sums.worker():
        for number in range(200):
            await sums.say(f"s{number % 7}", added(1), workspace=f"w{number % 7}")
        await until(lambda: _total(sums, 200))
    records = await sums.read(DESK, 200)
    assert len(records) == 200
    for partition in range(sums.settings.partitions):
        numbers = [int(dict(record.headers)["ce_number"]) for record in records if record.partition == partition]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_repeated_record_is_dropped_by_its_number(sums: Sums) -> None:
    async with sums.worker():
        first = await sums.say("s", added(1))
        await sums.say("s", added(10))
        await sums.say("s", added(1), number=first)
        await sums.say("s", added(100))
        await until(lambda: _sums(sums, {"s": 111}))


async def test_a_gap_is_asked_for_and_nothing_behind_it_is_taken_before(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", added(1), number=1)
        await sums.say("s", added(100), number=3)
        asked = await _resend_asked(sums)
        assert orjson.loads(asked.value) == {
            "type": "facts.resend",
            "source": "source@1",
            "of_topic": "requests",
            "partition": lane_of("acme", sums.settings.partitions),
            "first": 2,
        }
        assert await sums.sums() == {"s": 1}
        await sums.say("s", added(10), number=2)
        await sums.say("s", added(100), number=3)
        await until(lambda: _sums(sums, {"s": 111}))


async def _resend_asked(sums: Sums) -> Any:
    return (await sums.read(COMMANDS, 1))[0]


async def test_a_raise_at_the_37th_record_of_a_batch_is_a_dead_letter_and_its_neighbours_go_on(sums: Sums) -> None:
    for number in range(1, 101):
        await sums.say("s", added(1, poison=number == 37))
    async with sums.worker():
        await until(lambda: _sums(sums, {"s": 99}))
    letters = await sums.db.fetch("SELECT reason, detail, state FROM sums.dead_letter")
    assert [(letter["reason"], letter["state"]) for letter in letters] == [("raised", "open")]
    assert "ZeroDivisionError: poison" in letters[0]["detail"]


async def test_a_record_that_is_no_json_is_a_dead_letter(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", added(1))
        await sums.say("s", value=b'{"facts": [')
        await sums.say("s", added(1))
        await until(lambda: _sums(sums, {"s": 2}))
    letters = await sums.db.fetch("SELECT reason, value FROM sums.dead_letter")
    assert [(letter["reason"], letter["value"]) for letter in letters] == [("undecodable", b'{"facts": [')]


async def test_a_row_that_the_database_refuses_is_found_among_its_neighbours(sums: Sums) -> None:
    for subject, amount in (("a", 1), ("b", 1), ("too-large", 2**63), ("c", 1)):
        await sums.say(subject, added(amount))
    async with sums.worker():
        await until(lambda: _sums(sums, {"a": 1, "b": 1, "c": 1}))
    letters = await sums.db.fetch("SELECT reason FROM sums.dead_letter")
    assert [letter["reason"] for letter in letters] == ["write"]


async def test_an_unknown_type_is_skipped_alone_and_noted_with_its_position(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", {"type": "future.thing"}, added(1))
        await until(lambda: _sums(sums, {"s": 1}))
    skipped = await sums.db.fetch("SELECT topic, record_offset, types FROM sums.skipped")
    assert [(row["topic"], row["record_offset"], row["types"]) for row in skipped] == [
        ("requests", 0, ["future.thing"])
    ]


async def test_what_a_service_ignores_is_passed_and_neither_decided_nor_noted(sums: Sums) -> None:
    """Alone in a record, beside what it hears, and beside a type that nobody knows, which is noted all the same."""
    ignored = {"type": "sums.ignored"}
    async with sums.worker() as worker:
        await sums.say("s", ignored)
        await sums.say("s", ignored, added(1))
        await sums.say("s", ignored, {"type": "future.thing"})
        await sums.say("s", added(2))
        await until(lambda: _sums(sums, {"s": 3}))
        # What the database shows, the lane notes a moment later.
        await until(lambda: 4 in {lane.inboxes["requests"].stored_offset for lane in worker.lanes.values()})
    assert await sums.db.fetchval("SELECT count(*) FROM sums.dead_letter") == 0
    assert [row["record_offset"] for row in await sums.db.fetch("SELECT record_offset FROM sums.skipped")] == [2]


async def test_a_replayed_dead_letter_is_decided_in_the_next_batch_and_closed_with_it(sums: Sums) -> None:
    async with sums.worker():
        await sums.say("s", added(5, poison=True))
        await until(lambda: sums.db.fetchval("SELECT count(*) FROM sums.dead_letter"))
        id = await sums.db.fetchval("SELECT id FROM sums.dead_letter")
        await sums.db.execute("UPDATE sums.dead_letter SET value = $1", orjson.dumps({"facts": [added(5)]}))
        await sums.ask("c1", "s", {"type": "dead_letter.replay", "service": "sums", "dead_letter_id": id})
        await until(lambda: _sums(sums, {"s": 5}))
        assert await sums.db.fetchval("SELECT state FROM sums.dead_letter") == "replayed"


async def _total(sums: Sums, amount: int) -> bool:
    return sum((await sums.sums()).values()) == amount


async def _sums(sums: Sums, expected: dict[str, int]) -> bool:
    return await sums.sums() == expected
