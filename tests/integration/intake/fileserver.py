"""An HTTP server from which files are fetched, as whoever keeps customers' files might answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Files:
    """`answers` gives for each path what is sent, by how often it was asked for; without one it hangs."""

    url: str = ""
    answers: dict[str, Callable[[int], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: bytes = b"", *, status: str = "200 OK", head: str = "") -> str:
        """The address at which this is answered, always."""
        answer = answered(content, status, head)
        self.answers[path] = lambda _: answer
        return self.url + path

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            self.asked.append(path)
            if path not in self.answers:
                await reader.read()
            writer.write(self.answers[path](self.asked.count(path)))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, KeyError):
            return
        finally:
            writer.close()


def answered(content: bytes = b"", status: str = "200 OK", head: str = "") -> bytes:
    lines = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{head}\r\n"
    return lines.encode() + content


@asynccontextmanager
async def a_file_server() -> AsyncIterator[Files]:
    files = Files()
    server = await asyncio.start_server(files.serve, "127.0.0.1", 0)
    files.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield files
