"""A lane that answers commands with a count, so that a double application shows."""

from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pointsman.contracts import codec
from pointsman.contracts.desk import TicketReopened
from pointsman.contracts.shapes import Actor
from pointsman.contracts.topics import COMMANDS, DESK
from pointsman.core.cause import Cause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission, refuse
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman.runtime.logic import Batch, Database
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import Worker

ANNA = Actor(kind="agent", id="anna")


@dataclass
class EchoState:
    journal: Journal = field(default_factory=Journal)


class EchoLane:
    """`ticket.reopen` counts and makes a fact for its actor; with the reason "no" it is refused. `ticket.explain` is a
    question."""

    takes = frozenset({"ticket.reopen", "ticket.explain"})
    gates: Mapping[str, frozenset[str]] = {}
    ignores: Mapping[str, frozenset[str]] = {}
    blind_kinds: frozenset[str] = frozenset()
    linger: Mapping[str, float] = {}
    refresh_seconds = 60.0

    def __init__(self) -> None:
        self.applied: dict[str, int] = {}

    async def load(self, db: Database, lane: int, now: Instant) -> EchoState:
        return EchoState()

    async def refresh(self, db: Database, state: EchoState, now: Instant) -> None: ...

    async def gather(self, db: Database, state: EchoState, causes: Sequence[Cause]) -> None: ...

    def decide(self, state: EchoState, cause: Cause, now: Instant) -> Decision:
        if isinstance(cause, TimerCause):
            return NOTHING
        command = cause.bodies[0]
        if command.type == "ticket.explain":
            return Decision(answer={"why": "because"})
        if command.reason == "no":
            return refuse(409, "offer-gone", "too late", holder="boris")
        ticket = command.ticket_id
        state.journal.put(self.applied, ticket, self.applied.get(ticket, 0) + 1)
        fact = TicketReopened(ticket_id=ticket, reason=command.reason or "asked", by=command.actor)
        emission = Emission(cause.workspace, ticket, cause.at, (fact,), agents=(command.actor.id,))
        return Decision((emission,), {"ticket_id": ticket, "count": self.applied[ticket]})

    async def write(self, db: Database, state: EchoState, batch: Batch) -> None: ...

    def committed(self, state: EchoState) -> None: ...

    def earliest(self, state: EchoState) -> Mapping[str, Instant]:
        return {}

    def due(self, state: EchoState, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        return ()


@asynccontextmanager
async def an_echo(settings: RuntimeSettings, logic: EchoLane | None = None) -> Any:
    """A worker of the routing schema that echoes."""
    logic = logic or EchoLane()
    async with Worker(settings, service="routing", reads=(COMMANDS,), writes=DESK, logic=logic, codec=codec):
        yield logic
