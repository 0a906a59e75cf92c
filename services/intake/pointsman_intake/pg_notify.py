"""What intake's processes tell one another through PostgreSQL's NOTIFY, at the commit.

Messages on the channel `intake` are `config:<workspace>` (a newer version is in the table),
`delivery:<workspace>/<connector>` (a reply waits) and `fetch` (a file is to be fetched). Whoever was not listening
for a moment hears of everything.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

CHECK_SECONDS = 5.0


class PgListener:
    """Sets the events of those who wait. `run` until cancelled. `on_config(workspace)`: None means any."""

    def __init__(self, settings: RuntimeSettings, on_config: Callable[[str | None], None]) -> None:
        self._settings = settings
        self._on_config = on_config
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def listening(self, name: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever `name` is notified, from now on; the caller clears it."""
        event = asyncio.Event()
        self._waiting.setdefault(name, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[name].discard(event)
            if not self._waiting[name]:
                del self._waiting[name]

    async def run(self) -> None:
        """Listens, and connects again when the connection is lost."""
        while True:
            try:
                await self._listen()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("notifications not heard", error=repr(error))
                await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        connection = await connect(self._settings, "intake", purpose="notify")
        try:
            await connection.add_listener("intake", self._heard)
            self._set_all()
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await connection.fetchval("SELECT 1")
        finally:
            connection.terminate()

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        kind, _, name = str(payload).partition(":")
        if kind == "config":
            self._on_config(name)
        self._set(str(payload))

    def _set(self, name: str) -> None:
        for event in self._waiting.get(name, ()):
            event.set()
        for event in self._waiting.get(name.partition(":")[0], ()):
            event.set()

    def _set_all(self) -> None:
        self._on_config(None)
        for events in self._waiting.values():
            for event in events:
                event.set()
