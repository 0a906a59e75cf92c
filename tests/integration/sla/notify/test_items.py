"""Items as the lane's transaction leaves them: each once, and its group due when the target may be told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pointsman.runtime.database import open_pool
from pointsman.testing.installation import Installation
from pointsman_sla.notify.writing import write_items
from tests.integration.sla.notify.items import an_item

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
async def db(installation: Installation) -> AsyncIterator[Any]:
    pool = await open_pool(installation.settings, "sla", size=1, purpose="test")
    async with pool.acquire() as db:
        yield db
    await pool.close()


async def due(db: Any) -> dict[str, datetime | None]:
    return dict(await db.fetch("SELECT group_key, due_at FROM notify_group ORDER BY group_key"))


async def test_a_group_is_due_at_once_and_its_items_are_kept_once(db: Any) -> None:
    items = [an_item(f"i{number}", at=NOON, queue=queue) for number, queue in enumerate(("billing", "billing", "tech"))]
    await write_items(db, 0, items, NOON)
    expected = {"queue billing, policy standard": NOON, "queue tech, policy standard": NOON}
    assert await due(db) == expected
    await write_items(db, 0, items, NOON + timedelta(hours=1))
    assert await db.fetchval("SELECT count(*) FROM notify_item") == 3
    assert await due(db) == expected, "what is known already makes nothing due"


async def test_what_comes_within_the_window_waits_for_its_end(db: Any) -> None:
    await write_items(db, 0, [an_item("i1", at=NOON)], NOON)
    await db.execute("UPDATE notify_group SET due_at = NULL, last_sent_at = $1", NOON)
    for second in (1, 2):
        at = NOON + timedelta(seconds=second)
        await write_items(db, 0, [an_item(f"later-{second}", at=at, within_seconds=60)], at)
    assert list((await due(db)).values()) == [NOON + timedelta(seconds=60)]


async def test_what_may_not_be_told_yet_waits_and_what_is_urgent_does_not(db: Any) -> None:
    tomorrow = NOON + timedelta(days=1)
    await write_items(db, 0, [an_item("i1", at=NOON, not_before=tomorrow)], NOON)
    await write_items(db, 0, [an_item("i2", at=NOON, kind="exhausted")], NOON)
    assert await due(db) == {
        "exhausted, queue billing, policy standard": NOON,
        "queue billing, policy standard": tomorrow,
    }
    await write_items(db, 0, [an_item("i3", at=NOON)], NOON)
    assert set((await due(db)).values()) == {NOON}


async def test_a_lane_whose_clock_is_a_moment_ahead_delays_nothing(db: Any) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await write_items(db, 0, [an_item("i1", at=ahead)], ahead)
    assert await db.fetchval("SELECT due_at <= clock_timestamp() FROM notify_group")
    assert await db.fetchval("SELECT not_before <= clock_timestamp() FROM notify_item")


async def test_without_group_by_everything_of_a_target_is_one_group(db: Any) -> None:
    items = [an_item(f"i{number}", at=NOON, queue=f"q{number}", group_by=()) for number in range(10)]
    await write_items(db, 0, items, NOON)
    assert await due(db) == {"": NOON}
