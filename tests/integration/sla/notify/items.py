"""Items of notify targets, with defaults."""

from datetime import UTC, datetime
from typing import Any

from pointsman.core.instant import Instant
from pointsman_sla.alerts.items import Item


def an_item(id: str, *, at: Instant | None = None, **changes: Any) -> Item:
    """A breach in billing under the policy standard, told to the pager by a ladder's step."""
    at = at or datetime.now(UTC)
    given: dict[str, Any] = {
        "workspace": "acme", "target": "pager", "kind": "step", "group_by": ("queue", "policy"), "within_seconds": 60,
        "at": at, "not_before": at, "reason": "step 2 of page-supervisor", "queue": "billing", "policy": "standard",
        "severity": "breach", "ticket_id": f"tkt_{id}", "clock_id": f"clk_{id}", "metric": "first_response",
        "cycle": 1, "priority": "urgent", "due_at": at, "breach_at": at,
    }  # fmt: skip
    return Item(id=id, **given | changes)
