"""What one batch gathers before its transaction, and how it is written.

The transaction: the fence (zero rows: somebody else owns the lane), the logic's rows, then in one statement the facts,
positions, numbers and outcomes. An outcome whose id is taken means that the command was settled before (a repeat, or
given up by its API): the transaction is rolled back and the batch decided again without it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg

from pointsman.core.envelope import Arrived, Envelope
from pointsman.core.instant import Instant
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.logic import Decided
from pointsman.runtime.telemetry import encode


class Fenced(Exception):
    """The lane has another owner: nothing was written."""


class Settled(Exception):
    """Commands of the batch have an outcome already; `ids` are those."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} commands are settled")
        self.ids = tuple(ids)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command. `kept` outcomes are rows; the others are answers to questions."""

    id: str
    workspace: str
    status: int
    body: dict[str, Any] | None
    body_hash: str | None
    reply_to: str | None
    kept: bool = True


ABANDONED = "abandoned"
ABANDONED_BODY = {"status": 503, "code": ABANDONED, "detail": "not applied in time, and never will be"}
"""The outcome of a command that nobody may apply any more."""


@dataclass(frozen=True, slots=True)
class NewDeadLetter:
    """A record that could not be decided, as it came."""

    id: str
    record: Arrived
    workspace: str | None
    reason: str
    detail: str


@dataclass(slots=True)
class BatchWrites:
    """One batch between its first decision and its commit."""

    now: Instant
    decided: list[Decided] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    dead_letters: list[NewDeadLetter] = field(default_factory=list)
    skipped: list[tuple[Arrived, tuple[str, ...]]] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    gaps: dict[tuple[str, str], Instant | None] = field(default_factory=dict)
    replayed: list[str] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    """Topic → how many of its records were decided, dropped, skipped or put aside: what its position may pass."""


class Position(NamedTuple):
    """How far a topic is read: from `before` (the lane's row, or where reading began on this cluster) to `next_offset`,
    the first undecided record. `passed` is how many records the transaction decides. The table refuses a transaction
    that passes more than it decides: the row is checked as it would be inserted, and as it is added up."""

    topic: str
    before: int
    next_offset: int
    passed: int


BEGIN_FENCED = "BEGIN; UPDATE lane SET lane_now = '{now}' WHERE lane = {lane} AND epoch = {epoch}"

RAISE_EPOCH = "UPDATE lane SET epoch = epoch + 1 WHERE lane = $1 AND epoch = $2 RETURNING epoch"

INSERT_FACTS = """
    INSERT INTO fact (source, partition, number, at, made_at, id, cause, workspace, subject, types, agents,
                      traceparent, body)
    SELECT $1, $2, f.number, f.at, $3, f.id, f.cause, f.workspace, f.subject, string_to_array(f.types, ','),
           coalesce(string_to_array(nullif(f.agents, ''), ','), '{}'), f.traceparent, f.body::json
    FROM unnest($4::bigint[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                $11::text[], $12::text[], $13::text[])
         AS f (number, at, id, cause, workspace, subject, types, agents, traceparent, body)
"""

WRITE_POSITIONS = """
    WITH positions AS (
        INSERT INTO position (lane, topic, cluster, first_offset, next_offset, decided)
        SELECT $1, p.topic, $2, p.first_offset, p.next_offset, p.passed
        FROM unnest($3::text[], $4::bigint[], $15::bigint[], $16::bigint[])
             AS p (topic, next_offset, first_offset, passed)
        ON CONFLICT (lane, topic, cluster)
        DO UPDATE SET next_offset = excluded.next_offset, decided = position.decided + excluded.decided
    ), numbers AS (
        INSERT INTO seen (lane, topic, source, number, gap_since)
        SELECT $1, s.topic, s.source, s.number, s.gap_since
        FROM unnest($5::text[], $6::text[], $7::bigint[], $8::timestamptz[]) AS s (topic, source, number, gap_since)
        ON CONFLICT (lane, topic, source) DO UPDATE SET number = excluded.number, gap_since = excluded.gap_since
    ), counted AS (
        INSERT INTO counter (source, partition, number) SELECT $9, $1, $10::bigint WHERE $10::bigint IS NOT NULL
        ON CONFLICT (source, partition) DO UPDATE SET number = excluded.number
    )
    INSERT INTO outcome (id, status, body, body_hash)
    SELECT o.id, o.status, o.body::json, o.body_hash
    FROM unnest($11::text[], $12::int[], $13::text[], $14::text[]) AS o (id, status, body, body_hash)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""

POSITION_CHECK = "position_is_decided"
"""The constraint that no position runs ahead of the records decided."""

INSERT_DEAD_LETTERS = """
    INSERT INTO dead_letter (id, lane, topic, cluster, record_offset, record_timestamp_ms, workspace, key, value,
                             headers, reason, detail, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING
"""

INSERT_SKIPPED = """
    INSERT INTO skipped (topic, lane, cluster, record_offset, types, at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING
"""


async def insert_facts(db: Any, source: str, partition: int, now: Instant, envelopes: Sequence[Envelope]) -> None:
    """The rows of `fact` for records that this transaction decided, all of one source and partition."""
    await db.execute(
        INSERT_FACTS,
        source,
        partition,
        now,
        [e.number for e in envelopes],
        [e.at for e in envelopes],
        [e.id for e in envelopes],
        [e.cause for e in envelopes],
        [e.workspace for e in envelopes],
        [e.subject for e in envelopes],
        [",".join(e.types) for e in envelopes],
        [",".join(e.agents) for e in envelopes],
        [e.traceparent for e in envelopes],
        [e.body.decode() for e in envelopes],
    )


@asynccontextmanager
async def fenced(pool: Any, lane: int, epoch: int, now: Instant) -> AsyncIterator[Any]:
    """A transaction of a lane's owner, committed at the end of the block. Raises `Fenced`."""
    async with pool.acquire() as db:
        try:
            # The fence goes in the same message as BEGIN: numbers and an instant of ours.
            begun = await db.execute(BEGIN_FENCED.format(lane=lane, epoch=epoch, now=now.isoformat()))
            if begun != "UPDATE 1":
                raise Fenced(f"lane {lane} is not at epoch {epoch} any more")
            yield db
            await db.execute("COMMIT")
        except BaseException:
            with suppress(*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError):
                await db.execute("ROLLBACK")
            raise


async def write_progress(
    db: Any,
    lane: int,
    cluster: str,
    source: str,
    positions: Sequence[Position],
    last_number: int | None,
    work: BatchWrites,
) -> None:
    """Positions, seen numbers, the counter and the outcomes. Raises `Settled`."""
    kept = [outcome for outcome in work.outcomes if outcome.kept]
    seen = work.seen
    inserted = await db.fetch(
        WRITE_POSITIONS,
        lane,
        cluster,
        [position.topic for position in positions],
        [position.next_offset for position in positions],
        [topic for topic, _ in seen],
        [name for _, name in seen],
        list(seen.values()),
        [work.gaps.get(key) for key in seen],
        source,
        last_number,
        [outcome.id for outcome in kept],
        [outcome.status for outcome in kept],
        [None if outcome.body is None else _text(outcome.body) for outcome in kept],
        [outcome.body_hash for outcome in kept],
        [position.before for position in positions],
        [position.passed for position in positions],
    )
    if len(inserted) < len(kept):
        fresh = {row["id"] for row in inserted}
        raise Settled([outcome.id for outcome in kept if outcome.id not in fresh])
    for letter in work.dead_letters:
        record = letter.record
        await db.execute(
            INSERT_DEAD_LETTERS,
            letter.id,
            lane,
            record.topic,
            cluster,
            record.offset,
            record.timestamp_ms,
            _readable(letter.workspace),
            record.key,
            record.value,
            [[name, value.decode("latin-1")] for name, value in record.headers],
            letter.reason,
            _readable(letter.detail),
            work.now,
        )
    for record, types in work.skipped:
        await db.execute(INSERT_SKIPPED, record.topic, lane, cluster, record.offset, list(types), work.now)
    if work.replayed:
        await db.execute(
            "UPDATE dead_letter SET state = 'replayed', closed_at = $2 WHERE id = ANY($1::text[])",
            work.replayed,
            work.now,
        )


async def open_dead_letters(db: Any, lane: int, ids: Sequence[str]) -> dict[str, Arrived]:
    """Those of the lane's dead letters `ids` that are not closed, as the records that they were."""
    rows = await db.fetch(
        "SELECT * FROM dead_letter WHERE lane = $1 AND id = ANY($2::text[]) AND state = 'open'",
        lane,
        list(ids),
    )
    return {
        row["id"]: Arrived(
            row["topic"],
            lane,
            row["record_offset"],
            row["record_timestamp_ms"],
            row["key"],
            row["value"],
            tuple((name, value.encode("latin-1")) for name, value in row["headers"]),
        )
        for row in rows
    }


def _readable(text: str | None) -> str | None:
    """Text as PostgreSQL takes it: a NUL, which may be what was wrong, is shown as an escape."""
    return None if text is None else text.replace("\0", "\\0")


def _text(body: Any) -> str:
    return encode(body).decode()
