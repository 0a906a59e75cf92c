"""What a notify target is to be told; one message bundles the items of a group."""

from dataclasses import dataclass
from typing import Literal

from pointsman.contracts.shapes import Metric, Severity
from pointsman.core.instant import Instant


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell one target. `id` is unique: told again, it is the same item.

    `kind`: a ladder's `step`, a ladder that ended (`exhausted`), an alert that fires again after an acknowledgement or
    a silence (`again`), or a ticket that nobody took (`escalation`, which has neither alert nor clock). `group_by` and
    `within_seconds` are the target's as the version that decided it says. `not_before` is when it may be told.
    """

    id: str
    workspace: str
    target: str
    kind: Literal["step", "exhausted", "again", "escalation"]
    group_by: tuple[str, ...]
    within_seconds: int
    at: Instant
    not_before: Instant
    reason: str
    queue: str | None = None
    policy: str | None = None
    severity: Severity | None = None
    alert_id: str | None = None
    ticket_id: str | None = None
    clock_id: str | None = None
    metric: Metric | None = None
    cycle: int | None = None
    priority: str | None = None
    agent: str | None = None
    due_at: Instant | None = None
    breach_at: Instant | None = None
