"""The lane of sla without its tables: records and timers decided as the runtime decides them."""

from typing import Any

from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import RecordCause
from pointsman.core.decision import Decision
from pointsman.core.journal import Journal
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.micros import micros
from pointsman_sla.near import Near
from pointsman_sla.state import SlaState
from pointsman_sla.worker import SlaLane
from tests.unit.sla.builders import ANNA, a_document, minute

A_YEAR = 525_600


class LaneOfTests:
    """Every timer of a year is near, nothing is ever read or written. `facts` are all that were emitted."""

    def __init__(self, *policies: dict[str, Any], document: dict[str, Any] | None = None) -> None:
        self.logic = SlaLane()
        journal = Journal()
        near = Near(journal, (micros(minute(A_YEAR)), "\x7f"))
        self.state = SlaState(journal, 0, minute(-1), near, AlertBook(journal))
        self.facts: list[Any] = []
        self.number = 0
        applied = ConfigApplied(
            config_version=1, document=document or a_document(*policies), author=ANNA, applied_at=minute(-1)
        )
        self.tell(-1, applied)

    def _keep(self, decision: Decision) -> Decision:
        self.facts += [fact for emission in decision.emissions for fact in emission.facts]
        self.logic.committed(self.state)
        self.state.journal.forget()
        return decision

    def cause(self, at: float, *bodies: Any, topic: str = "desk", workspace: str = "acme") -> RecordCause:
        self.number += 1
        subject = getattr(bodies[0], "ticket_id", "config")
        return RecordCause(f"evt_{self.number}", topic, workspace, subject, minute(at), tuple(bodies))

    def tell(self, at: float, *bodies: Any, topic: str = "desk", workspace: str = "acme") -> Decision:
        """One record (or command), after the timers that are due before it."""
        self.run_to(at)
        cause = self.cause(at, *bodies, topic=topic, workspace=workspace)
        return self._keep(self.logic.decide(self.state, cause, minute(at)))

    def run_to(self, at: float) -> None:
        """Lets the time pass: fires what comes due, in order."""
        while True:
            earliest = self.logic.earliest(self.state)
            kind = min(earliest, key=lambda name: earliest[name], default=None)
            if kind is None or earliest[kind] > minute(at):
                return
            for cause in self.logic.due(self.state, kind, earliest[kind], 1):
                self._keep(self.logic.decide(self.state, cause, earliest[kind]))

    def of(self, type: str) -> list[Any]:
        """The facts of a type."""
        return [fact for fact in self.facts if fact.type == type]
