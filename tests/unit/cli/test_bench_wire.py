"""The load generators' connections: what the server closed while it was idle breaks no run off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pointsman.cli.bench.wire import ClosedWhileIdle, TokenCalls

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """Answers the first request of its first connection; reads the second one and closes without a word, as a server
    does whose keep-alive ended in that moment. Later connections are answered."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        first = self.connections == 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                at = head.lower().find(b"content-length:")
                await reader.readexactly(int(head[at + 15 : head.find(b"\r\n", at)]) if at >= 0 else 0)
                self.requests.append(head)
                if first and len(self.requests) == 2:
                    break
                writer.write(OK)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_caller() -> AsyncIterator[tuple[TokenCalls, Server]]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        caller = TokenCalls(f"http://127.0.0.1:{port}", "token")
        try:
            yield caller, server
        finally:
            caller.close()


@pytest.mark.parametrize("method", ["get", "put", "post"])
async def test_what_is_safe_to_repeat_is_sent_again(method: str) -> None:
    async with a_caller() as (caller, server):
        request = caller.get("/x") if method == "get" else getattr(caller, method)("/x", {})
        assert await caller.answer(caller.get("/first")) == (200, b"ok")
        assert await caller.answer(request) == (200, b"ok")
        assert server.connections == 2
        assert server.requests[1] == server.requests[2], "the same call, with the same key"


async def test_what_is_not_safe_to_repeat_is_told() -> None:
    async with a_caller() as (caller, server):
        assert await caller.answer(caller.get("/first")) == (200, b"ok")
        unkeyed = caller._sent("POST", "/x", {})
        with pytest.raises(ClosedWhileIdle):
            await caller.answer(unkeyed)
        assert server.connections == 1


async def test_a_connection_that_breaks_within_an_answer_is_told() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK[:-1])
        writer.close()

    async with await asyncio.start_server(half, "127.0.0.1", 0) as listening:
        caller = TokenCalls(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "token")
        with pytest.raises(ConnectionError) as raised:
            await caller.answer(caller.get("/x"))
        assert not isinstance(raised.value, ClosedWhileIdle)
