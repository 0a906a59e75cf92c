"""Limits at the edge that hold before any token is read, and those of each token and stranger."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.http.serving import a_token, bearer
from tests.integration.stack.serving import an_edge_here

from pointsman.edge.settings import EdgeSettings
from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack

LIVE = "/metrics/v1/live"


def _token(settings: EdgeSettings, role: str = "viewer") -> str:
    return a_token(settings, role, sub="wall")


@asynccontextmanager
async def a_line(client: httpx.AsyncClient) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the edge."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _told(reader: asyncio.StreamReader, within_seconds: float = 20.0) -> bytes:
    """Everything until the edge closes the connection."""
    async with asyncio.timeout(within_seconds):
        return await reader.read()


async def test_a_head_that_is_too_large_is_431(installation: Installation, tmp_path: Path) -> None:
    async with an_edge_here(installation, tmp_path, edge_header_bytes_max=4096) as (client, settings):
        async with a_line(client) as (reader, writer):
            writer.write(b"GET /metrics/v1/live HTTP/1.1\r\nHost: edge\r\nX-Much: " + b"a" * 5_000)
            answer = await _told(reader)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"/problems/head-too-large" in answer
        async with a_line(client) as (reader, writer):
            for number in range(8):  # many small ones
                writer.write(b"GET / HTTP/1.1\r\n" if number == 0 else b"X-Some: " + b"a" * 1_000 + b"\r\n")
                await writer.drain()
            assert (await _told(reader)).startswith(b"HTTP/1.1 431 ")
        fits = await client.get(LIVE, headers=bearer(_token(settings), **{"X-Some": "a" * 2_000}))
        assert fits.status_code == 200
        large = await client.post(LIVE, headers=bearer(_token(settings)), content=b"a" * 100_000)
        assert large.status_code == 405  # a body is no head


async def test_a_head_and_a_body_that_do_not_come_are_408(installation: Installation, tmp_path: Path) -> None:
    slow: dict[str, Any] = {"edge_header_seconds_max": 0.5, "edge_body_seconds_max": 0.5}
    async with an_edge_here(installation, tmp_path, "metrics,routing", **slow) as (client, settings):
        async with a_line(client) as (reader, writer):
            writer.write(b"GET /metrics/v1/live HTT")
            assert (await _told(reader)).startswith(b"HTTP/1.1 408 ")
        async with a_line(client) as (reader, writer):
            assert await _told(reader) == b""  # nothing was asked
        head = f"POST /routing/v1/tokens HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {_token(settings)}"
        async with a_line(client) as (reader, writer):
            writer.write(head.encode() + b"\r\nContent-Length: 10\r\n\r\n{")
            assert (await _told(reader)).startswith(b"HTTP/1.1 408 ")
        kept = await client.get(LIVE, headers=bearer(_token(settings)))
        assert kept.status_code == 200


async def test_connections_beyond_the_most_are_refused_and_those_that_are_there_go_on(
    installation: Installation, tmp_path: Path
) -> None:
    async with an_edge_here(installation, tmp_path, edge_connections_max=3) as (client, settings):
        headers = bearer(_token(settings))
        assert (await client.get(LIVE, headers=headers)).status_code == 200  # the client keeps its connection
        async with a_line(client), a_line(client):
            async with a_line(client) as (reader, _):
                assert (await _told(reader)).startswith(b"HTTP/1.1 503 ")
            assert (await client.get(LIVE, headers=headers)).status_code == 200


async def test_a_token_that_calls_too_often_is_429_also_for_what_is_refused(
    installation: Installation, tmp_path: Path
) -> None:
    few: dict[str, Any] = {"calls_per_second_max": 0.05, "strangers_calls_per_second_max": 1000}
    async with an_edge_here(installation, tmp_path, **few) as (client, settings):
        for path in (LIVE, "/metrics/v1/dead-letters"):  # served, 403
            headers = bearer(_token(settings))
            assert (await client.get(path, headers=headers)).status_code in (200, 403)
            refused = await client.get(path, headers=headers)
            assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-calls"), path
            assert int(refused.headers["Retry-After"]) >= 1
            posted = await client.post(path, headers=headers, content=b"a" * 50_000)
            assert posted.status_code == 429, path
        assert (await client.get(LIVE, headers=bearer(_token(settings)))).status_code == 200


async def test_a_refusal_is_held_back_and_answers_stay_in_order(installation: Installation, tmp_path: Path) -> None:
    """Who asks again at once waits; what was sent behind a refused call gets no answer before it."""
    few: dict[str, Any] = {"calls_per_second_max": 0.05, "edge_refusal_seconds": 0.4}
    async with an_edge_here(installation, tmp_path, **few) as (client, settings), a_line(client) as (reader, writer):
        ask = f"GET {LIVE} HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {_token(settings)}\r\n\r\n".encode()
        ready = b"GET /readyz HTTP/1.1\r\nHost: edge\r\n\r\n"
        writer.write(ask)
        assert await _status(reader) == 200
        asked = time.monotonic()
        writer.write(ask + ask + ready)
        assert [await _status(reader) for _ in range(3)] == [429, 429, 503]
        assert time.monotonic() - asked >= 0.4
        writer.write(ready)
        assert await _status(reader) == 200
        asked = time.monotonic()
        writer.write(ask)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await _status(reader)
        writer.write(ready)  # is not read before the refusal was answered, and then served
        assert [await _status(reader) for _ in range(2)] == [429, 200]
        assert time.monotonic() - asked >= 0.4
        writer.write(ask + b"GET /readyz HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")
        assert re.findall(rb"HTTP/1\.1 (\d+) ", await _told(reader)) == [b"429", b"503"]


async def test_who_leaves_while_a_refusal_is_held_back_harms_nobody(installation: Installation, tmp_path: Path) -> None:
    few: dict[str, Any] = {"calls_per_second_max": 0.05, "edge_refusal_seconds": 0.2}
    async with an_edge_here(installation, tmp_path, **few) as (client, settings):
        headers = bearer(_token(settings))
        assert (await client.get(LIVE, headers=headers)).status_code == 200
        ask = f"GET {LIVE} HTTP/1.1\r\nHost: edge\r\nAuthorization: {headers['Authorization']}\r\n\r\n".encode()
        for _ in range(20):
            async with a_line(client) as (_, writer):
                writer.write(ask)
                await writer.drain()
        assert (await client.get(LIVE, headers=headers)).status_code == 429
        assert (await client.get(LIVE, headers=bearer(_token(settings)))).status_code == 200


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, read whole."""
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length, head
        await reader.readexactly(int(length[1]))
    return int(head.split()[1])


async def test_who_has_no_valid_token_is_charged_too(installation: Installation, tmp_path: Path) -> None:
    at_once: dict[str, Any] = {"strangers_calls_per_second_max": 5, "edge_refusal_seconds": 0}
    async with an_edge_here(installation, tmp_path, **at_once) as (client, settings):
        known = bearer(_token(settings))
        assert (await client.get(LIVE, headers=known)).status_code == 200
        statuses = [
            (await client.get(LIVE, headers=bearer(f"no.such.token{number}"))).status_code for number in range(200)
        ]
        assert set(statuses) == {401, 429}
        assert statuses.count(401) < 100
        assert (await client.get(LIVE, headers=known)).status_code == 200  # who is known is not refused for them
        assert (await client.get("/readyz")).status_code == 200


async def test_polls_and_connections_of_a_token_are_bounded(installation: Installation, tmp_path: Path) -> None:
    few: dict[str, Any] = {"polls_per_token_max": 2, "connections_per_token_max": 4}
    async with an_edge_here(installation, tmp_path, "routing", **few) as (client, settings):
        headers = bearer(_token(settings, "agent"))
        offers = "/routing/v1/me/offers"
        cursor = (await client.get(offers, headers=headers)).json()["cursor"]
        waiting = {"wait": 30, "after": cursor}
        polls = [asyncio.create_task(client.get(offers, params=waiting, headers=headers)) for _ in range(5)]
        done, open_polls = await asyncio.wait(polls, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        while len(open_polls) > 2:
            more, open_polls = await asyncio.wait(open_polls, timeout=10, return_when=asyncio.FIRST_COMPLETED)
            assert more, "polls beyond the most were not refused"
            done |= more
        assert {task.result().status_code for task in done} == {429}
        assert len(open_polls) == 2
        for poll in open_polls:
            poll.cancel()
        await asyncio.gather(*open_polls, return_exceptions=True)
