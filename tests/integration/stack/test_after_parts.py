"""An upgrade has two parts: what only adds, and what takes away once no process of the older release runs."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.integration.stack.depot import PACKAGE, SERVICE, Depot

from pointsman.runtime import applying, revisions
from pointsman.runtime.migrate import migrate
from pointsman.runtime.revisions import MigrationFailed, SchemaUnfit, refuse_unfit_schema
from pointsman.testing.waiting import until

pytestmark = pytest.mark.stack

PASSWORD = "of the depot"
ADD = 'op.execute("ALTER TABLE shed ADD COLUMN place text")'
DROP = 'op.execute("ALTER TABLE shed DROP COLUMN spot")'
SLOWLY = '; op.execute("SELECT pg_sleep(1)")'


@pytest.fixture
async def older(database: str, depot: Depot) -> str:
    """The database as the older release has it: it knows the column `spot`, whose name will be `place`."""
    depot.add("0002", "0001", 'create_after_parts(op); op.execute("CREATE TABLE shed (spot text)")')
    await migrate(database, SERVICE, PACKAGE, password=PASSWORD)
    return database


@asynccontextmanager
async def a_session(database: str, name: str) -> AsyncIterator[Any]:
    session = await asyncpg.connect(
        database,
        user=f"pointsman_{SERVICE}",
        password=PASSWORD,
        server_settings={"application_name": name, "search_path": SERVICE},
    )
    try:
        yield session
    finally:
        await session.close()


def process_of(revision: str | None) -> str:
    """What a worker's session is called whose code knows that revision as the newest."""
    return f"pointsman-{SERVICE}-worker{'' if revision is None else f' schema={revision}'} zones=2025b"


async def columns(database: str) -> list[str]:
    admin = await asyncpg.connect(database)
    try:
        named = "SELECT column_name FROM information_schema.columns WHERE table_name = 'shed' ORDER BY 1"
        return [row[0] for row in await admin.fetch(named)]
    finally:
        await admin.close()


async def after_parts(database: str) -> dict[str, bool]:
    """Revision → whether its after-part was run."""
    admin = await asyncpg.connect(database)
    try:
        rows = await admin.fetch(f"SELECT revision, done_at FROM {SERVICE}.after_part")
        return {row["revision"]: row["done_at"] is not None for row in rows}
    finally:
        await admin.close()


async def test_before_only_adds_and_after_takes_away(older: str, depot: Depot) -> None:
    depot.add("0003", "0002", ADD, after=DROP)
    assert await migrate(older, SERVICE, PACKAGE) == "0003"
    assert (await columns(older), await after_parts(older)) == (["place", "spot"], {"0003": False})
    assert await migrate(older, SERVICE, PACKAGE) == "0003", "again: still only what adds"
    assert await columns(older) == ["place", "spot"]
    assert await migrate(older, SERVICE, PACKAGE, after=True) == "0003"
    assert (await columns(older), await after_parts(older)) == (["place"], {"0003": True})
    assert await migrate(older, SERVICE, PACKAGE, after=True) == "0003", "again: nothing is due"


async def test_a_new_schema_gets_both_at_once(database: str, depot: Depot) -> None:
    depot.add("0002", "0001", 'create_after_parts(op); op.execute("CREATE TABLE shed (spot text)")')
    depot.add("0003", "0002", ADD, after=DROP)
    await migrate(database, SERVICE, PACKAGE)
    assert (await columns(database), await after_parts(database)) == (["place"], {"0003": True})


async def test_those_of_several_releases_are_run_in_their_order(older: str, depot: Depot) -> None:
    depot.add("0003", "0002", ADD, after=DROP)
    await migrate(older, SERVICE, PACKAGE)
    depot.add(
        "0004", "0003", "pass", after='op.execute("ALTER TABLE shed RENAME COLUMN place TO spot")'
    )  # fails before 0003's
    await migrate(older, SERVICE, PACKAGE)
    await migrate(older, SERVICE, PACKAGE, after=True)
    assert (await columns(older), await after_parts(older)) == (["spot"], {"0003": True, "0004": True})


@pytest.mark.parametrize("revision", ["0002", None], ids=["older", "says-none"])
async def test_a_process_of_an_older_release_keeps_after_parts_waiting_and_is_named(
    older: str, depot: Depot, revision: str | None
) -> None:
    depot.add("0003", "0002", ADD, after=DROP)
    async with a_session(older, process_of(revision)):
        with pytest.raises(
            MigrationFailed, match=r"after-parts of depot \(0003\) .*depot-worker, .* from 127\.0\.0\.1"
        ):
            await migrate(older, SERVICE, PACKAGE, after=True)
        assert (await columns(older), await after_parts(older)) == (["place", "spot"], {"0003": False})
    await migrate(older, SERVICE, PACKAGE, after=True)
    assert await columns(older) == ["place"]


@pytest.mark.parametrize("name", [process_of("0003"), process_of("0009"), "pointsman-other-worker", "psql"])
async def test_whoever_else_is_there_keeps_nothing_waiting(older: str, depot: Depot, name: str) -> None:
    depot.add("0003", "0002", ADD, after=DROP)
    async with a_session(older, name):
        await migrate(older, SERVICE, PACKAGE, after=True)
    assert await columns(older) == ["place"]


async def test_the_older_release_can_start_until_the_after_part_was_run(
    older: str, depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "known_revisions", lambda _: ("0001", "0002"))
    depot.add("0003", "0002", ADD, after=DROP)
    await migrate(older, SERVICE, PACKAGE)
    depot.remove("0003")
    assert await migrate(older, SERVICE, PACKAGE) == "0003", "its own migrate changes nothing"
    async with a_session(older, "") as session:
        await refuse_unfit_schema(session, SERVICE)
    depot.add("0003", "0002", ADD, after=DROP)
    await migrate(older, SERVICE, PACKAGE, after=True)
    depot.remove("0003")
    with pytest.raises(MigrationFailed, match=r"schema depot is at revision 0003"):
        await migrate(older, SERVICE, PACKAGE)
    async with a_session(older, "") as session:
        with pytest.raises(SchemaUnfit, match=r"knows 0002 as the newest revision; the after-part of 0003 was run"):
            await refuse_unfit_schema(session, SERVICE)


async def test_the_newer_release_does_not_start_before_its_before_part(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "known_revisions", lambda _: ("0001", "0002", "0003"))
    async with a_session(older, "") as session:
        with pytest.raises(
            SchemaUnfit, match=r"depot is at revision 0002, this version needs 0003: run `pointsman mig"
        ):
            await refuse_unfit_schema(session, SERVICE)


async def test_who_begins_while_an_after_part_runs_looks_when_it_is_done(
    older: str, depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "known_revisions", lambda _: ("0001", "0002"))
    depot.add("0003", "0002", ADD, after=DROP + SLOWLY)
    finishing = asyncio.create_task(migrate(older, SERVICE, PACKAGE, after=True))
    await until(lambda: _sleeps(older))
    async with a_session(older, process_of("0002")) as session:
        with pytest.raises(SchemaUnfit):
            await refuse_unfit_schema(session, SERVICE)
    await finishing


@pytest.mark.parametrize("part", ["before", "after"])
async def test_one_that_is_killed_in_the_middle_has_changed_nothing(older: str, depot: Depot, part: str) -> None:
    depot.add("0003", "0002", ADD + SLOWLY * (part == "before"), after=DROP + SLOWLY * (part == "after"))
    call = f"migrate({older!r}, {SERVICE!r}, {PACKAGE!r}, after=True)"
    program = f"import asyncio; from pointsman.runtime.migrate import migrate; asyncio.run({call})"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env={"PYTHONPATH": str(depot.folder)})
    await until(lambda: _sleeps(older))
    killed.kill()
    await killed.wait()
    await until(lambda: _none_sleeps(older))
    was = ["spot"] if part == "before" else ["place", "spot"]
    assert (await columns(older), await after_parts(older)) == (was, {} if part == "before" else {"0003": False})
    await migrate(older, SERVICE, PACKAGE, after=True)
    assert (await columns(older), await after_parts(older)) == (["place"], {"0003": True})


async def test_those_who_finish_together_do_it_once(older: str, depot: Depot) -> None:
    depot.add("0003", "0002", ADD, after=DROP)
    assert await asyncio.gather(*(migrate(older, SERVICE, PACKAGE, after=True) for _ in range(4))) == ["0003"] * 4
    assert await columns(older) == ["place"]


async def test_a_table_in_use_is_waited_for_in_short_turns(
    older: str, depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long report holds a table: whoever waits for it exclusively keeps all others waiting too."""
    monkeypatch.setattr(applying, "LOCK_WAIT_MS", 50)
    depot.add("0003", "0002", ADD)
    async with a_session(older, "psql") as reading, a_session(older, "psql") as another:
        async with reading.transaction():
            await reading.execute("LOCK TABLE shed IN ACCESS SHARE MODE")
            monkeypatch.setattr(applying, "BUSY_SECONDS", 0.0)
            with pytest.raises(MigrationFailed, match=r"tables of depot stayed in use .* lock timeout"):
                await migrate(older, SERVICE, PACKAGE)
            monkeypatch.setattr(applying, "BUSY_SECONDS", 60.0)
            waiting = asyncio.create_task(migrate(older, SERVICE, PACKAGE))
            for _ in range(20):
                await another.execute("SELECT FROM shed", timeout=5)
            assert not waiting.done()
        assert await waiting == "0003"
    assert await columns(older) == ["place", "spot"]


async def _sleeps(database: str) -> bool:
    admin = await asyncpg.connect(database)
    try:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        return bool(await admin.fetchval(asked))
    finally:
        await admin.close()


async def _none_sleeps(database: str) -> bool:
    return not await _sleeps(database)
