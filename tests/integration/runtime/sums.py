"""A service of the tests' own: it adds up amounts per subject, so that a loss or a double shows as a wrong sum."""

import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pointsman.core.cause import Cause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission, refuse
from pointsman.core.envelope import Arrived, Decoded, Envelope
from pointsman.core.instant import Instant, parse_rfc3339, rfc3339
from pointsman.core.journal import Journal
from pointsman.core.topic import Priority, Topic
from pointsman.runtime.logic import Batch, Database

REQUESTS = Topic("requests", (), (), True, 0, priority=Priority.LAST)
COMMANDS = Topic("commands", (), (), False, 0, priority=Priority.FIRST)
DESK = Topic("desk", (), (), True, 0)
OUTCOMES = Topic("outcomes", (), (), False, 0)


@dataclass(frozen=True, slots=True)
class Body:
    """A fact or a command of the tests: its type and its fields."""

    type: str
    fields: Mapping[str, Any]
    question: bool = False
    not_after: Instant | None = None
    body_hash: str | None = None

    def wire(self) -> dict[str, Any]:
        return {"type": self.type, **self.fields}

    def wire_json(self) -> bytes:
        return orjson.dumps(self.wire())


class SumsCodec:
    """JSON with the envelope's headers, and nothing checked but that."""

    class Undecodable(ValueError):
        pass

    def encode_facts(self, emission: Emission) -> bytes:
        return orjson.dumps({"facts": [fact.wire() for fact in emission.facts]})

    def fact_headers(self, envelope: Envelope) -> list[tuple[str, bytes]]:
        return headers_of(
            envelope.id, envelope.source, envelope.workspace, envelope.subject, envelope.at, number=envelope.number
        )

    def decode(self, topic: str, record: Arrived, ignored: frozenset[str] = frozenset()) -> Decoded:
        try:
            value = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError as error:
            raise self.Undecodable(str(error)) from error
        items = [value] if topic == "commands" else value["facts"]
        items = [item for item in items if item["type"] not in ignored]
        known = [item for item in items if not item["type"].startswith("future")]
        after = record.header("not_after")
        return Decoded(
            id=record.header("ce_id") or "",
            workspace=record.header("ce_workspace") or "",
            subject=record.header("ce_subject") or "",
            at=parse_rfc3339(record.header("ce_time") or ""),
            bodies=tuple(
                Body(
                    item["type"],
                    item,
                    question=item["type"] == "sums.read",
                    not_after=parse_rfc3339(after) if after else None,
                    body_hash=item.get("hash"),
                )
                for item in known
            ),
            unknown_types=tuple(item["type"] for item in items if item not in known),
            traceparent=None,
        )


def headers_of(
    id: str,
    source: str,
    workspace: str,
    subject: str,
    at: Instant,
    more: Mapping[str, str] | None = None,
    *,
    number: int | None = None,
) -> list[tuple[str, bytes]]:
    headers = {
        "ce_id": id,
        "ce_source": source,
        "ce_workspace": workspace,
        "ce_subject": subject,
        "ce_time": rfc3339(at),
        **(more or {}),
    }
    if number is not None:
        headers["ce_number"] = str(number)
    return [(name, value.encode()) for name, value in headers.items()]


@dataclass
class SumsState:
    journal: Journal = field(default_factory=Journal)
    sums: dict[str, int] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)
    timers: dict[str, tuple[Instant, str]] = field(default_factory=dict)


class SumsLane:
    """Adds `added` amounts; `poison` raises; a text that PostgreSQL refuses is written as it is.

    `due` facts arm a timer for their subject that a `stopped` fact disarms; firing adds 1000, unless the subject is
    `raising`, or `refused` and the database refuses its rows.
    """

    takes = frozenset({"sums.add", "sums.read", "sums.refuse"})
    gates: Mapping[str, frozenset[str]] = {"alarm": frozenset({"requests"})}
    ignores: Mapping[str, frozenset[str]] = {"requests": frozenset({"sums.ignored"})}
    blind_kinds: frozenset[str] = frozenset({"alarm"})
    linger: Mapping[str, float] = {}
    refresh_seconds = 1.0

    def __init__(self) -> None:
        self.before_write: Callable[[Batch], Awaitable[None]] | None = None
        self.fired: list[TimerCause] = []
        self.gathered: list[int] = []

    async def load(self, db: Database, lane: int, now: Instant) -> SumsState:
        state = SumsState()
        for row in await db.fetch("SELECT subject, amount, due, workspace FROM sums WHERE lane = $1", lane):
            state.sums[row["subject"]] = row["amount"]
            if row["due"] is not None:
                state.timers[row["subject"]] = (row["due"], row["workspace"])
        return state

    async def refresh(self, db: Database, state: SumsState, now: Instant) -> None:
        """Every timer of the tests is resident."""

    async def gather(self, db: Database, state: SumsState, causes: Sequence[Cause]) -> None:
        """Everything is resident; subjects are asked for all the same, and one that is called `broken` raises."""
        self.gathered.append(len(causes))
        await db.fetch("SELECT 1 FROM sums WHERE subject = ANY($1::text[])", [cause.subject for cause in causes])
        if any(cause.subject.startswith("broken") for cause in causes):
            raise KeyError("broken")

    def decide(self, state: SumsState, cause: Cause, now: Instant) -> Decision:
        if isinstance(cause, TimerCause):
            if cause.subject.startswith("raising"):
                raise ZeroDivisionError("a timer")
            self.fired.append(cause)
            state.journal.pop(state.timers, cause.subject)
            amount = 2**63 if cause.subject.startswith("refused") else 1000
            return self._add(state, cause.workspace, cause.subject, amount, now)
        emissions: tuple[Emission, ...] = ()
        answer: dict[str, Any] | None = None
        for body in cause.bodies:
            match body.type:
                case "added" | "sums.add":
                    if body.fields.get("poison"):
                        state.journal.put(state.sums, cause.subject, -1)
                        raise ZeroDivisionError("poison")
                    decision = self._add(state, cause.workspace, cause.subject, body.fields["amount"], cause.at)
                    emissions += decision.emissions
                    answer = {"sum": state.sums[cause.subject]}
                case "due":
                    due = parse_rfc3339(body.fields["at"])
                    state.journal.put(state.timers, cause.subject, (due, cause.workspace))
                    state.journal.add(state.dirty, cause.subject)
                case "stopped":
                    state.journal.pop(state.timers, cause.subject)
                    state.journal.add(state.dirty, cause.subject)
                case "sums.read":
                    return Decision(answer={"sum": state.sums.get(cause.subject, 0)})
                case "sums.refuse":
                    state.journal.put(state.sums, cause.subject, -1)
                    return refuse(409, "no", "as asked", sum=0)
        return Decision(emissions, answer) if emissions or answer else NOTHING

    def _add(self, state: SumsState, workspace: str, subject: str, amount: int, at: Instant) -> Decision:
        state.journal.put(state.sums, subject, state.sums.get(subject, 0) + amount)
        state.journal.add(state.dirty, subject)
        fact = Body("tallied", {"amount": amount, "sum": state.sums[subject]})
        return Decision((Emission(workspace, subject, at, (fact,)),), {"sum": state.sums[subject]})

    async def write(self, db: Database, state: SumsState, batch: Batch) -> None:
        if self.before_write is not None:
            await self.before_write(batch)
        rows = [
            (batch.lane, subject, state.sums.get(subject, 0), *state.timers.get(subject, (None, "")))
            for subject in sorted(state.dirty)
        ]
        for row in rows:
            await db.execute(
                "INSERT INTO sums (lane, subject, amount, due, workspace) VALUES ($1, $2, $3, $4, $5) "
                "ON CONFLICT (lane, subject) DO UPDATE SET amount = $3, due = $4, workspace = $5",
                *row,
            )

    def committed(self, state: SumsState) -> None:
        state.dirty.clear()

    def earliest(self, state: SumsState) -> Mapping[str, Instant]:
        return {"alarm": min(due for due, _ in state.timers.values())} if state.timers else {}

    def due(self, state: SumsState, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        causes = [
            TimerCause(f"alarm-{subject}-{due}", kind, workspace, subject, due)
            for subject, (due, workspace) in sorted(state.timers.items(), key=lambda item: item[1][0])
            if due <= until
        ]
        return list(itertools.islice(causes, count_max))
