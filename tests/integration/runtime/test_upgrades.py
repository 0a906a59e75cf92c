"""During an upgrade: a process of the older release goes on with what was only added, and stands back, losing and
spoiling nothing, when the schema went past it while it was cut off."""

from typing import Any

import httpx
import pytest

from pointsman.runtime import revisions, session_names
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect, open_pool
from pointsman.runtime.ops import ops_server
from pointsman.runtime.revisions import SchemaUnfit, known_revisions
from pointsman.runtime.tasks import failure
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums

pytestmark = pytest.mark.stack

KNOWN = ("0001", "0002")
PAST = "INSERT INTO sums.after_part (revision, done_at) VALUES ('0003', now())"
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'pointsman-sums-%'
"""


@pytest.fixture
async def older(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> Sums:
    """An installation of sums whose processes know two revisions, upgraded to a third that only adds."""
    for module in (revisions, session_names):
        monkeypatch.setattr(module, "known_revisions", lambda _: KNOWN)
    await sums.db.execute("CREATE TABLE sums.alembic_version (version_num text)")
    await sums.db.execute("GRANT ALL ON sums.alembic_version TO pointsman_sums")
    await sums.db.execute("INSERT INTO sums.alembic_version VALUES ('0003')")
    return sums


async def test_a_worker_of_the_older_release_goes_on_with_what_was_only_added(older: Sums) -> None:
    await older.db.execute("INSERT INTO sums.after_part (revision) VALUES ('0003')")
    async with older.worker() as worker:
        await older.say("s", {"type": "added", "amount": 1})
        await until(lambda: _summed(older, 1))
        await until(lambda: worker.database.due == ["0003"])
        assert worker.why_not_ready() is None
        async with (
            ops_server("127.0.0.1", 0, worker.why_not_ready, worker.database.remarks) as port,
            httpx.AsyncClient() as client,
        ):
            answer = await client.get(f"http://127.0.0.1:{port}/readyz")
        assert (answer.status_code, answer.text.splitlines()[:2]) == (
            200,
            ["ready", "after-parts are due: 0003 (pointsman migrate --after)"],
        )


async def test_one_that_was_cut_off_while_the_schema_went_past_it_decides_nothing_more(older: Sums) -> None:
    async with older.worker() as worker:
        await older.say("s", {"type": "added", "amount": 1})
        await until(lambda: _summed(older, 1))
        await older.db.execute(PAST)
        await older.db.fetchval(CUT)
        await older.say("s", {"type": "added", "amount": 2})
        await until(lambda: "the after-part of 0003 was run" in (worker.why_not_ready() or ""))
        # Every lane has met it: a lane that begins again has no inboxes.
        await until(lambda: all(not lane.inboxes for lane in worker.lanes.values()))
        assert not failure()
        assert await older.sums() == {"s": 1}
        await older.db.execute("DELETE FROM sums.after_part")  # as a backup has it
        await until(lambda: _summed(older, 3))
        await until(lambda: worker.why_not_ready() is None)
    assert await older.db.fetchval("SELECT count(*) FROM sums.dead_letter") == 0


async def test_it_does_not_start_there(older: Sums) -> None:
    await older.db.execute(PAST)
    with pytest.raises(SchemaUnfit, match="the schema sums went past what this version works with"):
        async with older.worker():
            pass
    assert issubclass(SchemaUnfit, INFRASTRUCTURE_ERRORS)  # so that no lane makes a dead letter of it
    assert not await older.db.fetchval("SELECT count(*) FROM sums.worker")


async def test_the_only_connection_of_a_pool_is_had_again_when_the_schema_fits(older: Sums) -> None:
    pool = await open_pool(older.settings, "sums", size=1)
    try:
        await older.db.execute(PAST)
        await older.db.fetchval(CUT)
        for _ in range(3):
            with pytest.raises(INFRASTRUCTURE_ERRORS):
                await pool.fetchval("SELECT 1")
        with pytest.raises(SchemaUnfit):
            await pool.fetchval("SELECT 1")
        await older.db.execute("DELETE FROM sums.after_part")
        assert await pool.fetchval("SELECT 1") == 1
    finally:
        await pool.close()


async def test_a_real_service_says_its_newest_revision_and_the_server_keeps_all_of_it(
    installation: Installation,
) -> None:
    admin = await installation.connect()
    for service in ("intake", "routing", "sla", "metrics"):
        session = await connect(installation.settings, service, purpose="notifications")
        asked = "SELECT application_name FROM pg_stat_activity WHERE pid = $1"
        name = await admin.fetchval(asked, session.get_server_pid())
        said: Any = session_names.read_session_name(name)
        assert (said.who, said.revision) == (f"{service}-notifications", known_revisions(service)[-1])
        assert said.edition
        await session.close()
    await admin.close()


async def test_a_schema_that_nobody_migrated_is_named(installation: Installation) -> None:
    admin = await installation.connect()
    await admin.execute("UPDATE sla.alembic_version SET version_num = '0012'")
    with pytest.raises(SchemaUnfit, match="the schema sla is at revision 0012, this version needs 00"):
        await open_pool(installation.settings, "sla")
    await admin.execute("DROP SCHEMA sla CASCADE; CREATE SCHEMA sla AUTHORIZATION pointsman_sla")
    with pytest.raises(SchemaUnfit, match="run `pointsman migrate`"):
        await open_pool(installation.settings, "sla")
    await admin.close()


async def _summed(sums: Sums, amount: int) -> bool:
    total = await sums.db.fetchval("SELECT coalesce(sum(amount), 0) FROM sums.sums")
    return int(total) == amount
