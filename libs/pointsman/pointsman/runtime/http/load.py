"""How many calls the process works on at once, so that those that it has begun are served as fast as ever.

A process that takes every call makes all of them late: what a call waits for is the calls before it. So while the
process is busy, and calls had to be refused, it works on fewer at once, down to a few; once it is not, on more again.
A burst is taken, a flood is not. What a call costs need not be known: dear ones make room for fewer by themselves.

Calls that only wait (a long poll, a stream, a command whose outcome is not there yet) are not worked on: they stand
`aside`.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

TICK_SECONDS = 0.01
WINDOW_SECONDS = 0.1
BUSY_SHARE = 0.75
"""Above this share of one core the process is busy."""
LATE_SECONDS = 0.004
"""So late on average for its own timer is a loop that has too much to do."""
AT_ONCE_MOST, AT_ONCE_LEAST = 64.0, 8.0
LESS = 0.6
MORE = 4.0
"""Of the calls at once, in each window: a share of them while calls are refused, so many more while none is."""


class Load:
    """What the process works on. `watch` keeps the limit true; without it there is none."""

    def __init__(self) -> None:
        self.at_once_max = AT_ONCE_MOST
        self.working = 0
        self._refused = False
        self._watched = False
        self._begun = asyncio.Event()
        """Set when a call is begun: a process at rest does not look at itself."""

    def full(self) -> bool:
        """Whether one more call is too much now; then it is refused."""
        if not self._watched or self.working < self.at_once_max:
            return False
        self._refused = True
        return True

    @contextmanager
    def worked_on(self) -> Iterator[None]:
        """A call is worked on meanwhile, but for when it stands `aside`."""
        self.working += 1
        self._begun.set()
        before = _working.set(self)
        try:
            yield
        finally:
            _working.reset(before)
            self.working -= 1

    def look(self, share: float, late_seconds: float) -> None:
        """What was measured over a window: the share of one core that was spent, and how late the loop was."""
        busy = share > BUSY_SHARE or late_seconds > LATE_SECONDS
        if busy and self._refused:
            self.at_once_max = max(AT_ONCE_LEAST, self.at_once_max * LESS)
        elif not self._refused:
            self.at_once_max = min(AT_ONCE_MOST, self.at_once_max + MORE)
        self._refused = False

    async def watch(self) -> None:
        """Measures until cancelled, a window after the other while there are calls."""
        self._watched = True
        while True:
            if self.working == 0 and self.at_once_max == AT_ONCE_MOST:
                await self._begun.wait()
            self._begun.clear()
            began, spent = time.monotonic(), time.process_time()
            at, late, ticks = began, 0.0, 0
            while at - began < WINDOW_SECONDS:
                await asyncio.sleep(TICK_SECONDS)
                now = time.monotonic()
                late, ticks, at = late + max(0.0, now - at - TICK_SECONDS), ticks + 1, now
            self.look((time.process_time() - spent) / (at - began), late / ticks)


_working: ContextVar[Load | None] = ContextVar("_working", default=None)
"""Where the running call is counted; None while it stands aside, and outside of calls."""


@contextmanager
def aside() -> Iterator[Any]:
    """The running call only waits meanwhile, and is not counted among those that are worked on."""
    load = _working.get()
    if load is None:
        yield
        return
    load.working -= 1
    before = _working.set(None)
    try:
        yield
    finally:
        _working.reset(before)
        load.working += 1
