"""An alert, the clocks in it, a line of its timeline, and how the API shows it."""

from dataclasses import dataclass
from typing import Any, Literal

from pointsman.contracts.shapes import Actor, Metric, Severity
from pointsman.core.instant import Instant

AlertState = Literal["firing", "acknowledged", "silenced", "exhausted", "resolved"]
Key = tuple[str, Severity, str, str]
"""(workspace, severity, policy, queue)."""

ACK_SECONDS_MAX = 30 * 86_400

EventKind = Literal[
    "opened",
    "joined",
    "left",
    "acknowledged",
    "unacknowledged",
    "fired_again",
    "silenced",
    "unsilenced",
    "escalated",
    "exhausted",
    "resolved",
    "notified",
    "notification_failed",
]
"""The lines of an alert's timeline; the last two are written by who sends notifications."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; its book counts the clocks in it. `generation` is bumped by every change of its acknowledgement.

    `state` follows from its clocks (`book.state_of`). `covered_at`: who joined until then is taken care of by
    `covered_by`, until `ack_until` (None: for good), also after a later clock fired it again; `covered` counts them.
    `acked_by` and `acked_at` say so of an alert that is acknowledged as a whole. `spent` counts the clocks that nobody
    takes care of and whose ladder has ended. `silence_id` is the silence that covers it. `told` are the notify targets
    that were told, or would have been but for the silence. `released_at`: since then its clocks are being given the
    points back that an acknowledgement or a silence deferred.
    """

    id: str
    workspace: str
    severity: Severity
    policy: str
    queue: str
    state: AlertState
    opened_at: Instant
    generation: int = 1
    acked_by: str | None = None
    acked_at: Instant | None = None
    ack_until: Instant | None = None
    resolved_at: Instant | None = None
    covered_at: Instant | None = None
    silence_id: str | None = None
    told: tuple[str, ...] = ()
    covered_by: str | None = None
    covered: int = 0
    spent: int = 0
    released_at: Instant | None = None

    def covers(self, joined_at: Instant) -> bool:
        """Whether somebody has taken care of a clock that joined then."""
        return self.covered_at is not None and joined_at <= self.covered_at

    @property
    def key(self) -> Key:
        """What makes it the only open one."""
        return (self.workspace, self.severity, self.policy, self.queue)


@dataclass(frozen=True, slots=True)
class Member:
    """A clock as an alert names it."""

    clock_id: str
    ticket_id: str
    metric: Metric
    cycle: int


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of an alert's timeline."""

    alert_id: str
    at: Instant
    kind: EventKind
    member: Member | None = None
    by: Actor | None = None
    comment: str | None = None


def shape(alert: Alert, clocks: list[dict[str, Any]], clock_count: int) -> dict[str, Any]:
    """The alert as the API shows it."""
    return {
        "id": alert.id,
        "state": alert.state,
        "severity": alert.severity,
        "policy": alert.policy,
        "queue": alert.queue,
        "clocks": clocks,
        "clock_count": clock_count,
        "opened_at": alert.opened_at,
        "acked_by": alert.acked_by,
        "acked_at": alert.acked_at,
        "ack_until": alert.ack_until,
        "covered_count": alert.covered,
        "silence_id": alert.silence_id,
        "resolved_at": alert.resolved_at,
    }
