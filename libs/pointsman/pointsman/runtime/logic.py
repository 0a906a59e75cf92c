"""What a service gives the runtime: the logic of a lane.

The runtime fetches, fences, numbers, commits and relays; the logic loads a lane's resident state, decides purely, and
writes what changed. *One batch is one transaction.* For each batch the runtime calls, in this order:

1. `gather(db, state, causes)`: reads what the decisions need beyond the resident state (no writes; the lane is the
   only writer, so a plain read is exact).
2. `decide(state, cause, now)` for each cause, in order. A raise is undone by the journal and becomes a dead letter; a
   refusal (`Decision.refusal`) is undone as well and becomes the command's outcome.
3. `write(db, state, batch)` inside the fenced transaction: the changed rows, set-based.
4. `committed(state)`: forget what was dirty. When the transaction is rolled back instead, the journal is undone.

Timers are the logic's: `earliest` tells the next due instant of each kind, `due` hands out the causes. The runtime
calls `decide` with them only when the lane has read every topic in `gates[kind]` up to that instant (or `blind_kinds`
and the broker is out of reach).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pointsman.core.cause import Cause, TimerCause
from pointsman.core.decision import Decision, Emission
from pointsman.core.envelope import Arrived, Decoded, Envelope
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal

Database = Any
"""An asyncpg connection (or pool proxy); `json` and `jsonb` columns are Python values (orjson)."""


class LaneState(Protocol):
    """A lane's resident state. Every change of it goes through its journal (sets of dirty keys included)."""

    journal: Journal


S = TypeVar("S", bound=LaneState)


@dataclass(frozen=True, slots=True)
class Decided:
    """One cause of the batch and what became of it."""

    cause: Cause
    decision: Decision


@dataclass(frozen=True, slots=True)
class Batch:
    """What `write` sees: the lane, the batch's instant and every decision that was kept (no refusals, no raises).

    The lane's facts are of `source`; `last_number` is that of the last one before this batch, so that the n-th emission
    of `decided` becomes the record `last_number + n`.
    """

    lane: int
    now: Instant
    decided: Sequence[Decided]
    source: str = ""
    last_number: int = 0


class LaneLogic(Protocol[S]):
    """See the module. `takes` are the command types of this service; all others are skipped by header.

    `ignores` are the types of facts, by topic, that mean nothing here: they are not decoded, and a record of nothing
    else is passed by its header. `gates` maps each kind of timer to the topics (short names) that can stop it. `linger`
    maps topics to the seconds after a batch in which their records alone make no other one: fewer and larger
    transactions.
    """

    takes: frozenset[str]
    ignores: Mapping[str, frozenset[str]]
    gates: Mapping[str, frozenset[str]]
    blind_kinds: frozenset[str]
    linger: Mapping[str, float]
    refresh_seconds: float

    async def load(self, db: Database, lane: int, now: Instant) -> S:
        """The lane's state from its rows, after the lane's epoch was raised."""

    async def refresh(self, db: Database, state: S, now: Instant) -> None:
        """Called every `refresh_seconds` between batches: read the timers of the next seconds into the heap."""

    async def gather(self, db: Database, state: S, causes: Sequence[Cause]) -> None: ...

    def decide(self, state: S, cause: Cause, now: Instant) -> Decision: ...

    async def write(self, db: Database, state: S, batch: Batch) -> None: ...

    def committed(self, state: S) -> None: ...

    def earliest(self, state: S) -> Mapping[str, Instant]:
        """Kind of timer → the earliest due instant; kinds without a timer are absent. Cheap: asked every batch."""

    def due(self, state: S, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        """The timers of a kind due at or before `until`, earliest first. Deciding one must remove or move it."""


class Codec(Protocol):
    """How records are written and read; the module `pointsman.contracts.codec` is one. Passed in by each service, so
    that the runtime knows no contract."""

    @property
    def Undecodable(self) -> type[ValueError]: ...

    def encode_facts(self, emission: Emission) -> bytes: ...

    def fact_headers(self, envelope: Envelope) -> list[tuple[str, bytes]]: ...

    def decode(self, topic: str, record: Arrived, ignored: frozenset[str] = frozenset()) -> Decoded:
        """What the record says, without the bodies of these types."""
