"""A timer that every lane arms and fires for itself, every few seconds: whether timers come on time is known before a
customer's does not."""

from dataclasses import dataclass

from pointsman.core.cause import TimerCause
from pointsman.core.instant import FOREVER, Instant, after
from pointsman.core.journal import Journal

CANARY = "canary"
EVERY_SECONDS = 5.0
WORKSPACE = "-"
"""Of no workspace."""


@dataclass(slots=True)
class Canary:
    """`fires_at` is in the lane's row, so that also who takes the lane over knows how late it is. `fired`: the batch
    moved it."""

    fires_at: Instant = FOREVER
    generation: int = 0
    fired: bool = False

    def cause(self, lane: int) -> TimerCause:
        """Its next firing."""
        return TimerCause(f"canary:{lane}:{self.generation}", CANARY, WORKSPACE, CANARY, self.fires_at, self.generation)

    def fire(self, journal: Journal, now: Instant) -> None:
        """It fired: again in some seconds."""
        journal.set(self, "fires_at", after(now, EVERY_SECONDS))
        journal.set(self, "generation", self.generation + 1)
        journal.set(self, "fired", True)
