"""Time is the database's: one server per installation, and each process measures how far its own clock is off."""

import asyncio
import time
from datetime import timedelta
from typing import Any, Protocol

from pointsman.core.instant import EPOCH, Instant
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS


class Clock(Protocol):
    """What tells the time. Readings never go back within a process."""

    def now(self) -> Instant: ...


class DatabaseClock:
    """The database's time, from the process's monotonic clock and an offset measured every second.

    The reading is never ahead of the database: the offset takes the answer's arrival for the instant at which it was
    read, so it lags by at most one round trip. Timers that fire by it are therefore never early. When the server's
    clock is stepped back, readings stand still until it has caught up.
    """

    def __init__(self, measure_seconds: float = 1.0) -> None:
        self._measure_seconds = measure_seconds
        self._offset_seconds: float | None = None
        self._last = EPOCH
        self.round_trip_seconds = 0.0

    async def measure(self, db: Any) -> None:
        """Takes one measurement over the connection."""
        asked = time.monotonic()
        read: Instant = await db.fetchval("SELECT clock_timestamp()")
        arrived = time.monotonic()
        self.round_trip_seconds = arrived - asked
        offset = (read - EPOCH).total_seconds() - arrived
        known = self._offset_seconds
        # A slow round trip tells less than a quick one; only a step of the server's clock may move us far.
        if known is None or offset > known or known - offset > 0.05:
            self._offset_seconds = offset
        else:
            self._offset_seconds = known + (offset - known) * 0.2

    async def keep_measuring(self, pool: Any) -> None:
        """Measures until cancelled. While the database is out of reach the last offset goes on."""
        while True:
            await asyncio.sleep(self._measure_seconds)
            try:
                async with pool.acquire(timeout=1.0) as db:
                    await self.measure(db)
            except INFRASTRUCTURE_ERRORS:
                continue

    def now(self) -> Instant:
        if self._offset_seconds is None:
            raise RuntimeError("the clock was not measured yet")
        reading = EPOCH + timedelta(seconds=time.monotonic() + self._offset_seconds)
        self._last = max(self._last, reading)
        return self._last
