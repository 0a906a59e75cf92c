"""The watch of the database: what is silent once was perhaps ourselves, and no attempt to connect is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from pointsman.runtime import database_watch
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database_watch import PUBLISHED, DatabaseWatch
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums

pytestmark = pytest.mark.stack

OUT_OF_REACH = "out of reach"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_watch, "ANSWER_SECONDS", 0.3)


async def test_one_question_without_an_answer_is_no_fault_and_two_are(sums: Sums) -> None:
    """A process that was busy for a second took the database for gone, and answered 503."""
    watch = a_watch(sums.settings)
    try:
        await watch.look()
        assert (watch.fault, watch.away) == (None, False)
        async with sums.db.transaction():
            await sums.db.execute("LOCK TABLE sums.installation IN ACCESS EXCLUSIVE MODE")
            await watch.look()
            assert (watch.fault, watch.away) == (None, False)
            await watch.look()
            assert (OUT_OF_REACH in (watch.fault or ""), watch.away) == (True, True)
        await watch.look()
        assert (watch.fault, watch.away) == (None, False)
    finally:
        await watch._leave()
    await until(lambda: _sessions(sums, 0))


async def test_who_refuses_is_known_at_once(sums: Sums) -> None:
    watch = a_watch(sums.settings.model_copy(update={"database": "postgresql://127.0.0.1:1/none"}))
    await watch.look()
    assert watch.away
    await watch._leave()


async def test_an_attempt_that_outlasts_a_look_is_the_next_ones(sums: Sums) -> None:
    async with _slow_door(sums) as door:
        watch = a_watch(sums.settings.model_copy(update={"database": door.address}))
        await watch.look()
        await watch.look()
        assert watch.away
        door.opens.set()
        await until(lambda: _answers(watch))
        assert door.came == 1, "no second connection for the same attempt"
        await watch._leave()
        await until(lambda: door.there == 0)


async def test_a_session_that_the_server_ends_is_looked_after_at_once(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question a second must not mean that a restart goes unseen for one."""
    monkeypatch.setattr(database_watch, "ASK_SECONDS", 600.0)
    watch = a_watch(sums.settings)
    watching = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch._session)
        ended = watch._session
        await sums.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE '%watch%'"
        )
        await until(lambda: watch._session not in (None, ended))
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def test_it_hears_what_was_published_and_measures_the_clock(sums: Sums) -> None:
    heard = asyncio.Event()
    clock = DatabaseClock()
    watch = DatabaseWatch(sums.settings, "sums", clock, on_published=heard.set)
    await watch.look()
    assert clock.now()
    assert not heard.is_set()
    await sums.db.execute(f"NOTIFY {PUBLISHED}")
    async with asyncio.timeout(5):
        await heard.wait()
    await watch._leave()


@pytest.mark.parametrize("opens", [False, True])
async def test_nothing_of_an_attempt_stays_when_the_watch_ends_amid_it(sums: Sums, opens: bool) -> None:
    async with _slow_door(sums) as door:
        watch = a_watch(sums.settings.model_copy(update={"database": door.address}))
        watching = asyncio.create_task(watch.run())
        await until(lambda: door.came == 1)
        if opens:
            door.opens.set()
        watching.cancel()
        await asyncio.wait({watching})
        await until(lambda: door.there == 0)
    await until(lambda: _sessions(sums, 0))


def a_watch(settings: RuntimeSettings) -> DatabaseWatch:
    return DatabaseWatch(settings, "sums", DatabaseClock())


async def _answers(watch: DatabaseWatch) -> bool:
    await watch.look()
    return not watch.away


async def _sessions(sums: Sums, count: int) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1"
    return bool(await sums.db.fetchval(asked, "%watch%") == count)


class _Door:
    """A way to the database that lets nobody through until it `opens`."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind
        self.opens = asyncio.Event()
        self.address = ""
        self.came = self.there = 0

    async def pass_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came, self.there = self.came + 1, self.there + 1
        waiting: set[asyncio.Task[Any]] = set()
        try:
            first = await reader.read(65_536)
            gone, opened = asyncio.create_task(reader.read(1)), asyncio.create_task(self.opens.wait())
            waiting = {gone, opened}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():  # nothing more is said before the server has answered
                gone.cancel()
                await asyncio.wait({gone})
                await self._both_ways(first, reader, writer)
        finally:
            for task in waiting:
                task.cancel()
            self.there -= 1
            writer.close()

    async def _both_ways(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, out = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        out.write(first)
        try:
            ways = {asyncio.create_task(_carry(reader, out)), asyncio.create_task(_carry(inside, writer))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            out.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while carried := await reader.read(65_536):
        writer.write(carried)


@asynccontextmanager
async def _slow_door(sums: Sums) -> AsyncIterator[_Door]:
    behind = urlsplit(sums.settings.database)
    door = _Door(behind)
    server = await asyncio.start_server(door.pass_through, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door.address = behind._replace(netloc=f"127.0.0.1:{port}").geturl()
    async with server:
        yield door
