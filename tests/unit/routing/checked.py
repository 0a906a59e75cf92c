"""A desk that is played and looks after itself."""

from typing import Any

from pointsman.core.cause import Cause
from pointsman.core.decision import Decision
from pointsman_routing.desk.decide import decide
from tests.unit.routing.desk_driver import DeskDriver
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.mirror import Mirror
from tests.unit.routing.snapshot import snapshot


class Checked(DeskDriver):
    """A played desk that looks after itself at every decision."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.mirror = Mirror()
        super().__init__(document)

    def decide(self, cause: Cause) -> Decision:
        before = snapshot(self.desk)
        versions = {id: ticket.version for id, ticket in self.desk.tickets.items()}
        first = self._try(cause)
        self.journal.undo()
        assert snapshot(self.desk) == before, "undo does not restore the state"
        decision = super().decide(cause)
        assert decision == first, "the same input gave another output"
        assert_sound(self.desk)
        self._assert_told(decision, versions)
        return decision

    def _assert_told(self, decision: Decision, versions: dict[str, int]) -> None:
        """Whatever changed is told: a version by a fact of its decision, and what it stands for by what that says."""
        told = {emission.subject for emission in decision.emissions}
        for fact in self.facts:
            self.mirror.hear(fact)
        for id, ticket in {**self.closed, **self.desk.tickets}.items():
            assert ticket.version == versions.get(id, ticket.version) or id in told, (
                f"{id} has a version without a fact"
            )
            self.mirror.assert_like(ticket)

    def _try(self, cause: Cause) -> Decision:
        return decide(self.desk, cause, self.now)
