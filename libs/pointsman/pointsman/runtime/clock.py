"""Time is the database's: one server per installation, and each process measures how far its own clock is off."""

import time
from datetime import timedelta
from typing import Any, Protocol

from pointsman.core.instant import EPOCH, Instant


class Clock(Protocol):
    """What tells the time. Readings never go back within a process."""

    def now(self) -> Instant: ...


class DatabaseClock:
    """The database's time, from the process's monotonic clock and an offset that is measured about every second by what
    asks the database anyway (`DatabaseWatch`, `SlotLease`). While it is out of reach the last offset goes on.

    The reading is never ahead of the database: the offset takes the answer's arrival for the instant at which it was
    read, so it lags by at most one round trip. Timers that fire by it are therefore never early. When the server's
    clock is stepped back, readings stand still until it has caught up.
    """

    def __init__(self) -> None:
        self._offset_seconds: float | None = None
        self._last = EPOCH
        self.round_trip_seconds = 0.0

    async def measure(self, db: Any) -> None:
        """Takes one measurement over the connection."""
        asked = time.monotonic()
        read: Instant = await db.fetchval("SELECT clock_timestamp()")
        self.note(asked, read, time.monotonic())

    def note(self, asked: float, read: Instant, arrived: float) -> None:
        """Takes one measurement: the server read its clock between two readings of our monotonic one (seconds)."""
        self.round_trip_seconds = arrived - asked
        offset = (read - EPOCH).total_seconds() - arrived
        known = self._offset_seconds
        # A slow round trip tells less than a quick one; only a step of the server's clock may move us far.
        if known is None or offset > known or known - offset > 0.05:
            self._offset_seconds = offset
        else:
            self._offset_seconds = known + (offset - known) * 0.2

    def now(self) -> Instant:
        if self._offset_seconds is None:
            raise RuntimeError("the clock was not measured yet")
        reading = EPOCH + timedelta(seconds=time.monotonic() + self._offset_seconds)
        self._last = max(self._last, reading)
        return self._last
