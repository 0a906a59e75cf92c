"""How the queues of a document order their tickets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.contracts.document.queues import HEAD_START_MINUTES
from pointsman_sla.micros import MICROS

WAIT_TARGET_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """How a queue orders its tickets."""

    kind: str = "fifo"
    wait_target: int = WAIT_TARGET_SECONDS * MICROS
    head_start: Mapping[str, int] = field(
        default_factory=lambda: {p: minutes * 60 * MICROS for p, minutes in HEAD_START_MINUTES.items()}
    )


FIFO = QueueOrder()


ORDERING = ("order", "wait_target_seconds", "head_start_minutes")
"""The keys of a queue that say how it orders."""


def orders_of(queues: Mapping[str, Any]) -> dict[str, QueueOrder]:
    """The queues of a document, as it is written."""
    return {slug: _order(queue or {}) for slug, queue in queues.items()}


def _order(queue: Mapping[str, Any]) -> QueueOrder:
    minutes = {**HEAD_START_MINUTES, **(queue.get("head_start_minutes") or {})}
    return QueueOrder(
        kind=queue.get("order") or "fifo",
        wait_target=int(queue.get("wait_target_seconds") or WAIT_TARGET_SECONDS) * MICROS,
        head_start={priority: int(each) * 60 * MICROS for priority, each in minutes.items()},
    )
