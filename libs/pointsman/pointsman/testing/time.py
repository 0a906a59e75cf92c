"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime

from pointsman.core.instant import Instant, after

NOON: Instant = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday noon, for tests that need some instant."""


class ManualClock:
    """A `Clock` for tests: `advance` is the only thing that moves it."""

    def __init__(self, at: Instant = NOON) -> None:
        self._now = at

    def now(self) -> Instant:
        return self._now

    def advance(self, seconds: float) -> Instant:
        self._now = after(self._now, seconds)
        return self._now
