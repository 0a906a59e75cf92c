"""A receiver of webhooks on a port of this host, that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class WebhookReceiver:
    """`status` is what it answers to an event; `got` are (headers, event) of all calls, `taken` the events answered
    with 2xx, each once: one whose sender did not hear of that, or stood still, comes again with its id."""

    url: str = ""
    status: int = 204
    refused_subjects: dict[str, int] = field(default_factory=dict)
    location: str = ""
    silent: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append((headers, body))
            if self.silent:
                await reader.read()
                return
            event = orjson.loads(body)
            status = self.refused_subjects.get(event["subject"], self.status)
            if status < 300 and event not in self.taken:
                self.taken.append(event)
            location = f"Location: {self.location}\r\n" if self.location else ""
            writer.write(f"HTTP/1.1 {status} X\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # The sender was killed in the middle.
        finally:
            writer.close()

    def types(self, subject: str) -> list[str]:
        """What was taken about a subject, in order."""
        return [event["type"] for event in self.taken if event["subject"] == subject]


@asynccontextmanager
async def a_receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver
