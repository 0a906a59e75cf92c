"""What a recompute is, and the unfinished ones of a lane."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.contracts.shapes import Actor
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal

STEP_TICKETS_MAX = 60
"""Tickets of one decision: some ten milliseconds, after which what is due fires."""

JOBS_MAX = 20
"""Unfinished jobs of a workspace."""

NAMED_MAX = 200
"""Of the clocks that gained or lost a breach, and of the tickets that could not be recomputed, so many are named; all
are counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the tickets done so far, by clock; see the fact `clocks.recomputed`."""

    restated: int = 0
    started: int = 0
    cancelled: int = 0
    gained: int = 0
    lost: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A recompute. `place` is the last ticket that is done, `steps` how many decisions that took; the next is due at
    `next_at`. It was `put_off` when it came so late that it was to begin from a later instant. `total` is how many
    tickets were open when it began: others close meanwhile, or are opened."""

    id: str
    workspace: str
    version: int
    by: Actor
    begun_at: Instant
    next_at: Instant
    reason: str | None = None
    policies: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    dry_run: bool = False
    total: int = 0
    done: int = 0
    steps: int = 0
    place: str = ""
    counts: Counts = field(default_factory=Counts)
    gained: tuple[dict[str, Any], ...] = ()
    lost: tuple[dict[str, Any], ...] = ()
    errors: tuple[dict[str, Any], ...] = ()
    finished_at: Instant | None = None
    put_off: bool = False


@dataclass(slots=True)
class Jobs:
    """The unfinished jobs of a lane, in the order in which they began, and what the batch changed of them.

    Gathered for the batch: `tickets` of each job's next step in order, `newest` configuration version and how many
    tickets are open by workspace. `visitors` are tickets in memory only for this.
    """

    open: dict[str, Job] = field(default_factory=dict)
    changed: dict[str, Job] = field(default_factory=dict)
    tickets: dict[str, Sequence[str]] = field(default_factory=dict)
    newest: dict[str, tuple[int, int]] = field(default_factory=dict)
    visitors: set[str] = field(default_factory=set)

    @property
    def head(self) -> Job | None:
        """The job whose step comes next; the others wait for its end."""
        return next(iter(self.open.values()), None)

    def keep(self, journal: Journal, job: Job) -> None:
        """The job is as given from now on; a finished one is no more among the open ones."""
        journal.put(self.changed, job.id, job)
        if job.finished_at is None:
            journal.put(self.open, job.id, job)
        else:
            journal.pop(self.open, job.id)

    def forget(self) -> None:
        """What changed is committed."""
        self.changed.clear()
        self.tickets.clear()
        self.newest.clear()
        self.visitors.clear()
