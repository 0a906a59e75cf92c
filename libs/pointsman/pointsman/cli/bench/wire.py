"""The load generators' HTTP: one request in flight a connection, and next to no cost, so that what is measured is the
server and not its caller on the same cores."""

import asyncio
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

import orjson


class ClosedWhileIdle(ConnectionError):
    """A connection that had answered before was closed without a byte of this answer: the server closes what is idle,
    and may do so in the moment in which the next request is sent. It read nothing then."""


class Connection(asyncio.Protocol):
    """A keep-alive connection to a server that tells the length of each answer. `ask` sends a request as it is; the
    future has (status, body)."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._seen = b""
        self._answered = False
        self.closed = False

    @classmethod
    async def to(cls, host: str, port: int) -> "Connection":
        return (await asyncio.get_running_loop().create_connection(cls, host, port))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        self._answer = asyncio.get_running_loop().create_future()
        if self.closed:
            self._answer.set_exception(ClosedWhileIdle("the connection is closed"))
        else:
            self._transport.write(request)
        return self._answer

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._seen.lower().find(b"content-length:", 0, end)
        length = int(self._seen[at + 15 : self._seen.find(b"\r\n", at)]) if at >= 0 else 0
        whole = end + 4 + length
        if len(self._seen) < whole:
            return
        status, body = int(self._seen[9:12]), self._seen[end + 4 : whole]
        self._seen = self._seen[whole:]
        if self._answer is not None and not self._answer.done():
            self._answered = True
            self._answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            idle = self._answered and not self._seen
            kind = ClosedWhileIdle if idle else ConnectionError
            self._answer.set_exception(kind("the server closed the connection"))


class TokenCalls:
    """One token's calls: each takes an idle connection, or opens one. Callers may share their `idle` connections."""

    def __init__(self, url: str, token: str, idle: list[Connection] | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = f"Host: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\n"
        self._idle: list[Connection] = [] if idle is None else idle

    def post(self, path: str, body: object) -> bytes:
        """The bytes of a POST, with an Idempotency-Key of its own: it may be sent again."""
        return self._sent("POST", path, body, f"Idempotency-Key: {uuid4().hex}\r\n")

    def put(self, path: str, body: object) -> bytes:
        """The bytes of a PUT."""
        return self._sent("PUT", path, body)

    def _sent(self, method: str, path: str, body: object, more: str = "") -> bytes:
        content = orjson.dumps(body)
        kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}"
        return f"{method} {path} HTTP/1.1\r\n{self._head}{more}{kind}\r\n\r\n".encode() + content

    def get(self, path: str) -> bytes:
        """The bytes of a GET."""
        return f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()

    async def answer(self, request: bytes) -> tuple[int, bytes]:
        """The request's answer: status and body. Raises `ConnectionError` or `OSError`.

        One that met a connection closed while idle is sent again on a new one when that is safe: a GET, a PUT (each
        says how things shall be), or a POST with an Idempotency-Key (RFC 9110, 9.2.2).
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.closed:
                continue
            try:
                return await self._answer_on(connection, request)
            except ClosedWhileIdle:
                if not _repeatable(request):
                    raise
                break
        return await self._answer_on(await Connection.to(self._host, self._port), request)

    async def _answer_on(self, connection: Connection, request: bytes) -> tuple[int, bytes]:
        answer = await connection.ask(request)
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Closes what is idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def _repeatable(request: bytes) -> bool:
    head = request.partition(b"\r\n\r\n")[0]
    return request.startswith((b"GET ", b"PUT ")) or b"\r\nIdempotency-Key: " in head
