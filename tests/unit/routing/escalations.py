"""What sla says when a step of a ladder is carried out."""

from datetime import UTC, datetime
from typing import Any

from pointsman.contracts.sla import ClockEscalated

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def an_escalation(ticket: str = "tkt_1", **fields: Any) -> ClockEscalated:
    """The first step of the ladder `page-supervisor` for the first response, which does nothing unless it is said."""
    given: dict[str, Any] = {
        "clock_id": f"clk_{ticket}",
        "metric": "first_response",
        "cycle": 1,
        "policy": "vip",
        "ladder": "page-supervisor",
        "step": 0,
        "severity": "warning",
        "escalated_at": NOON,
    }
    return ClockEscalated(ticket_id=ticket, **(given | fields))
