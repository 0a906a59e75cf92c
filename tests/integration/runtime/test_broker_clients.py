"""Clients of the broker end whole, however their owner ends: what stays open keeps a connection and a task for good."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from pointsman.runtime import reader
from pointsman.runtime.broker import BrokerLink, end_clients, make_admin, make_consumer, make_producer, start_client
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.fetch_waits import FetchWaits
from pointsman.runtime.tasks import awaited
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import REQUESTS

CANCELLATIONS = 3


@asynccontextmanager
async def a_silent_server() -> AsyncIterator[tuple[str, set[Any]]]:
    """Takes connections and never answers. Its address, and the connections that are open."""
    connections: set[Any] = set()

    async def connected(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        connections.add(writing)
        try:
            while await reading.read(4_096):
                pass
        except ConnectionError:
            pass
        finally:
            connections.discard(writing)
            writing.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}", connections


async def cancelled(task: "asyncio.Task[Any]", times: int) -> None:
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("make", [make_consumer, make_producer])
async def test_a_start_that_nobody_waits_for_leaves_no_connection(sums: Sums, make: Callable[..., Any]) -> None:
    async with a_silent_server() as (address, connections):
        client = make(sums.settings, address)
        end = partial(end_clients, client) if make is make_consumer else client.stop
        starting = awaited(start_client(client, end))
        await until(lambda: bool(connections))
        await cancelled(starting, CANCELLATIONS)
        await until(lambda: not connections)


async def test_an_admin_client_that_nobody_waits_for_leaves_no_connection(sums: Sums) -> None:
    async with a_silent_server() as (address, connections):
        client = make_admin(sums.settings, address)
        starting = awaited(start_client(client, client.close))
        await until(lambda: bool(connections))
        await cancelled(starting, CANCELLATIONS)
        await until(lambda: not connections)


async def test_a_reader_that_does_not_begin_leaves_no_client_open(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that it only made: it has two."""
    made: list[Any] = []

    def make(*given: Any) -> Any:
        made.append(make_consumer(*given))
        return made[-1]

    monkeypatch.setattr(reader, "make_consumer", make)
    async with a_silent_server() as (address, connections):
        link = BrokerLink(sums.settings)
        link.address = address
        opening = awaited(reader.Reader(link, DatabaseClock(), (REQUESTS,), "sums")._open())
        await until(lambda: bool(connections))
        await cancelled(opening, 1)
        await until(lambda: not connections)
    assert all(client._closed for client in made)


@pytest.mark.parametrize("times", range(1, CANCELLATIONS + 1))
async def test_consumers_end_though_their_owner_is_cancelled_while_it_ends_them(sums: Sums, times: int) -> None:
    """A task that is cancelled before it began never runs: the consumers' stop was such a task."""
    consumers = [make_consumer(sums.settings, sums.settings.broker) for _ in range(2)]
    for consumer in consumers:
        await start_client(consumer, partial(end_clients, consumer))

    async def owner() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await end_clients(*consumers)

    task = awaited(owner())
    await asyncio.sleep(0)
    await cancelled(task, times)
    assert [consumer._closed for consumer in consumers] == [True, True]
    assert [conn for consumer in consumers for conn in consumer._client._conns.values() if conn.connected()] == []


async def test_a_consumers_wait_is_where_it_is_set(sums: Sums) -> None:
    """`FetchWaits` sets what aiokafka has for itself: under another name it would do nothing."""
    consumer = make_consumer(sums.settings, sums.settings.broker)
    await start_client(consumer, partial(end_clients, consumer))
    try:
        assert consumer._fetcher._fetch_max_wait_ms == sums.settings.fetch_wait_ms
        waits = FetchWaits(sums.settings)
        waits.wait_ms = sums.settings.fetch_idle_wait_ms
        waits.answered(consumer, True)
        assert consumer._fetcher._fetch_max_wait_ms == waits.wait_ms == sums.settings.fetch_wait_ms
    finally:
        await end_clients(consumer)
