"""uvicorn's server, asleep while nobody calls, and without its own idea of signals."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn

TICK_SECONDS = 1.0
TICKS_A_SECOND = 10
"""So uvicorn counts: at each tenth tick it renews the `Date` that its answers carry."""
TICKS_MAX = 864_000


class RestingServer(uvicorn.Server):
    """Serves until `should_exit` is set, of which it hears at once: uvicorn looks ten times a second. Who runs it
    decides what a signal means: the streams end and readiness fails before the server does."""

    _exit: asyncio.Event

    @property
    def should_exit(self) -> bool:
        """Whether it is to end."""
        return self._exit.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        if value:
            self._exit.set()
        else:  # uvicorn says so once, as it is made
            self._exit = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks = (ticks + TICKS_A_SECOND) % TICKS_MAX
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._exit.wait()
