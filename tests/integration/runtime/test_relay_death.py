"""A relay that dies between the send and the mark: what was sent is sent again, the same, and readers drop it."""

from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import DESK
from tests.integration.runtime.test_ownership import _die, _spread, added

COUNT = 30


async def test_what_a_dead_relay_had_sent_and_not_marked_is_sent_again_under_its_numbers(sums: Sums) -> None:
    killed = sums.worker()
    victim = await killed.__aenter__()
    await until(lambda: _spread(victim))
    for _ in range(COUNT):
        await sums.say("s", added(1))
    first = await sums.read(DESK, COUNT)
    await _die(victim)
    # The server may still be at work on a mark that was on its way.
    await until(lambda: _no_session_of_the_victim(sums))
    # The marks are stored now and then: as if it had died right after its last acknowledgement.
    await sums.db.execute("UPDATE sums.sent SET number = 0")

    async with sums.worker():
        records = await sums.read(DESK, 2 * COUNT)
    again = records[COUNT:]
    assert [dict(record.headers)["ce_number"] for record in again] == [
        dict(record.headers)["ce_number"] for record in first
    ]
    assert [(dict(record.headers)["ce_id"], record.value) for record in again] == [
        (dict(record.headers)["ce_id"], record.value) for record in first
    ]
    assert await sums.sums() == {"s": COUNT}


async def _no_session_of_the_victim(sums: Sums) -> bool:
    sessions = await sums.db.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return bool(sessions == 0)
