"""A call is repeated as long as is reasonable, and the author's program hears nothing of that."""

import asyncio
import logging

import httpx
import pytest

from pointsman.client import Session
from pointsman.client.session import ApiError, Unreachable
from pointsman.client.sse import notices


async def test_a_repeated_call_writes_no_line(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library that repeated printed `stamina.retry_scheduled` into the author's output."""
    caplog.set_level(logging.DEBUG)
    answers = [b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"] * 2
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b'{"done": 1}\n')
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answers:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answers.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Session(f"http://127.0.0.1:{port}", "t") as session:
        assert await session.post("/anything") == {"done": 1}
    keys = {line for head in heads for line in head.split(b"\r\n") if line.lower().startswith(b"idempotency-key")}
    assert (len(heads), len(keys)) == (3, 1)
    assert (of_libraries(caplog), capfd.readouterr()) == ([], ("", ""))


def of_libraries(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("http")]


async def test_a_stream_writes_no_line_either_and_the_programs_own_calls_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b'id: 7\ndata: {"n": 1}\n\n' * 3)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Session(url, "t") as session:
        assert [notice.data async for notice in notices(session, "/stream")] == [{"n": 1}] * 3
        assert of_libraries(caplog) == []
        async with httpx.AsyncClient() as theirs:
            await theirs.get(url)
        assert any("HTTP Request" in line for line in of_libraries(caplog))


async def test_what_is_refused_for_good_is_not_repeated_and_nobody_is_asked_for_ever() -> None:
    async with Session("http://127.0.0.1:9", "t", retry_seconds=0.2) as session:
        with pytest.raises(Unreachable):
            await session.get("/anything")
    assert not ApiError(404, {}).passing
