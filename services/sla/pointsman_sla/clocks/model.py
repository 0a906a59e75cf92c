"""What a clock and a ticket are here: frozen values; instants and durations are integers of microseconds (`micros`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from pointsman.contracts.shapes import Metric, Severity
from pointsman_sla.clocks.policy import Labels

State = Literal["running", "paused", "met", "cancelled"]
Phase = Literal["queued", "assigned", "customer", "third_party", "snoozed", "resolved", "closed"]
"""Where the ticket is, as far as clocks care: an offered ticket is `queued`, a pending one says on whom it waits."""

BREACH = "breach"
"""The step at which a clock runs out; the others are warnings (`share:0.8`, `lead:60`)."""

STEP = "step:"
"""What the name of a ladder's step begins with: `step:<place>:<repetition>:<severity>`; the place is a number, `end` or
`again` (`deferring`)."""

TimerKind = Literal["warning", "breach", "escalation"]

METRICS: tuple[Metric, ...] = (
    "first_response",
    "next_response",
    "update",
    "resolution",
    "requester_wait",
    "agent_work",
    "assignment",
)

NO_TARGET = "no_target"
"""The reason of a clock that ended because its ticket's policy no longer measures it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a clock's life: it counts in a calendar of a configuration version, unless `why` says why not."""

    start: int
    end: int | None
    calendar: str
    version: int
    why: str | None = None


class InAlert(NamedTuple):
    """An alert that a clock is in, and since when. While a record is decided the alert may have no name yet."""

    severity: Severity
    alert: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where a clock is on the ladder of its policy, as a version has it.

    `points` are the steps that will come, earliest first: (instant, name); `held` those that fell due while somebody
    took care of the clock. `done` names the steps that were carried out, of whichever ladder the clock was on.
    """

    ladder: str
    version: int
    points: tuple[tuple[int, str], ...] = ()
    done: tuple[str, ...] = ()
    held: tuple[tuple[int, str], ...] = ()

    def without(self, severity: Severity) -> "Escalation":
        """As if no point of this severity had ever fired: it was withdrawn."""
        end = f":{severity}"
        points = tuple(point for point in self.points if not point[1].endswith(end))
        held = tuple(point for point in self.held if not point[1].endswith(end))
        done = tuple(name for name in self.done if not name.endswith(end))
        return replace(self, points=points, held=held, done=done)


@dataclass(frozen=True, slots=True)
class Clock:
    """One metric on one ticket, one cycle. Every change bumps `generation`, so that older timers mean nothing.

    `segments` are its whole life in order. `plan` are the points that have not fired, earliest first: (instant, step).
    `warned` are those that have, with the instants at which they lay. `breached_at` is when the breach fired.
    `alerts` are the alerts it is in, by severity. `escalation` is where it is on its policy's ladder, None without one.
    `restated` is the version under which a recompute last laid it anew. `overdue`: it had breached before its ticket
    was reopened, so that it is due at once, and no breach will say so again.
    """

    id: str
    metric: Metric
    cycle: int
    state: State
    policy: str
    calendar: str
    version: int
    queue: str | None
    priority: str
    target_seconds: int
    generation: int
    started_at: int
    due_at: int
    breach_at: int
    segments: tuple[Segment, ...]
    plan: tuple[tuple[int, str], ...] = ()
    warned: tuple[tuple[str, int], ...] = ()
    breached_at: int | None = None
    retargeted: bool = False
    ended_at: int | None = None
    reason: str | None = None
    alerts: tuple[InAlert, ...] = ()
    escalation: Escalation | None = None
    restated: int | None = None
    overdue: bool = False

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def next_point(self) -> tuple[int, str] | None:
        """What its timer is armed for: the next point of its plan, or the next step of its ladder while it runs."""
        steps = self.escalation.points if self.escalation is not None and self.state == "running" else ()
        if not steps:
            return self.plan[0] if self.plan else None
        return self.plan[0] if self.plan and self.plan[0][0] <= steps[0][0] else steps[0]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What clocks need of a ticket. `config_version` is the one it was opened under: edits are for later tickets.

    `phases` are its whole life: (since, phase). `customer_since` is when the customer first wrote, `responded` whether
    a person has answered since, `answered_at` when a person last did; `unanswered` are the customer's messages that
    nobody has answered, `shelved` those that nobody had when it was resolved. `clocks` are the newest of each metric.
    `last_at` is the latest instant that a fact gave.
    """

    id: str
    workspace: str
    config_version: int
    opened_at: int
    last_at: int
    labels: Labels
    phases: tuple[tuple[int, Phase], ...]
    agent: str | None = None
    customer_since: int | None = None
    responded: bool = False
    answered_at: int | None = None
    unanswered: tuple[int, ...] = ()
    shelved: tuple[int, ...] = ()
    clocks: Mapping[Metric, Clock] = field(default_factory=dict)

    @property
    def phase(self) -> Phase:
        """Where it is now."""
        return self.phases[-1][1]

    @property
    def open(self) -> bool:
        """Whether it is neither resolved nor closed."""
        return self.phase not in ("resolved", "closed")
