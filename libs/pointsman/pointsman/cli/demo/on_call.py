"""The person on call: a receiver of notifications on this host, who acknowledges the first by its link."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import orjson

from pointsman.runtime.tasks import awaited

HEAD_BYTES_MAX = 16_384
LINK = re.compile(r"https?://[^\s<>\")]+/sla/v1/acks/[\w-]+")
NOT_A_MESSAGE = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, LookupError, ValueError)
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class OnCall:
    """Entering opens the receiver at `address` (as apprise writes it), leaving closes it. `heard` are the messages:
    (seconds since the epoch, text); `acknowledged` is the status that the first link answered."""

    heard: list[tuple[float, str]] = field(default_factory=list)
    acknowledged: int | None = None
    _server: Any = None
    _acknowledging: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/on-call"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._receive, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        if self._acknowledging is not None:
            self._acknowledging.cancel()
            await asyncio.gather(self._acknowledging, return_exceptions=True)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One POST of JSON; whoever speaks otherwise is hung up on."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
            text = str(orjson.loads(await reader.readexactly(length))["message"])
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            IndexError,
            KeyError,
            ValueError,
        ):
            writer.close()
            return
        self.heard.append((time.time(), text))
        link = LINK.search(text)
        if link is not None and self._acknowledging is None:
            self._acknowledging = awaited(self._acknowledge(link.group()))
        writer.write(ANSWER)
        writer.close()

    async def _acknowledge(self, link: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            answer = await client.post(link, data={"comment": "on it"})
            self.acknowledged = answer.status_code
