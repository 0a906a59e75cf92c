"""Who is on a simulated floor: what customers are to the classifier, their visits, and how long agents take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pointsman_routing.simulation.customers import Customer
from pointsman_routing.simulation.plan import Plan


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """What classifying a customer of a kind says."""

    queue: str
    priority: Any
    requires: Mapping[str, int]
    prefers: Mapping[str, int]
    weight: int = 1
    language: str = "en"
    category: str = "other"
    tags: tuple[str, ...] = ()
    confidence: float = 1.0
    band: str = "auto"
    evidence: tuple[Any, ...] = ()


@dataclass(slots=True)
class Visit:
    """One customer's ticket. `fate` is `waiting`, `served`, `abandoned` or `blocked` (balked, or turned away by the
    queue); `turn` counts how often an agent began with it; `shown` is to whom it is offered, since `shown_us`."""

    id: str
    kind: int
    customer: Customer
    counted: bool
    service_us: int
    fate: str = "waiting"
    agent: str | None = None
    waited_us: int = 0
    balks: bool = False
    turn: int = 0
    ends_us: int = 0
    offer: str | None = None
    shown: str | None = None
    shown_us: int = 0


class People(Protocol):
    """How long agents and promises take, in µs."""

    def service_us(self, visit: Visit, agent: str) -> int:
        """What this agent needs for this ticket from the offer on, asked when they begin."""

    def accept_us(self, visit: Visit, agent: str) -> int:
        """How long the agent looks at an offer before they take it, where the queue does not assign at once."""

    def late_us(self, visit: Visit) -> int | None:
        """When, since the start, the promised first response is late; None when none is promised."""


class DrawnPeople:
    """The people of a scenario: customers bring their service time, agents take what they are shown."""

    def __init__(self, plan: Plan) -> None:
        self._kinds = plan.kinds

    def service_us(self, visit: Visit, agent: str) -> int:
        return visit.customer.service_us

    def accept_us(self, visit: Visit, agent: str) -> int:
        return 0

    def late_us(self, visit: Visit) -> int | None:
        kind = self._kinds[visit.kind]
        return visit.customer.at_us + (kind.target_us or 0) if kind.promised else None
