"""What predictions read, for a page of clocks: places in line, tickets in hand, agents at work, and the past."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.contracts.shapes import PRIORITIES, Metric
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.predict.model import HOLD, answer, gap, whole
from pointsman_sla.store.observations import left_of

# An index scan of each queue up to the last place that is asked for.
POSITIONS = """
    SELECT w.ticket_id, w.place, w.of_priority
    FROM unnest($2::text[], $3::bigint[]) AS q (queue, last)
    CROSS JOIN LATERAL (
        SELECT t.ticket_id, row_number() OVER (ORDER BY t.waiting_rank, t.ticket_id) AS place,
               row_number() OVER (PARTITION BY t.priority ORDER BY t.waiting_rank, t.ticket_id) AS of_priority
        FROM ticket t
        WHERE t.workspace = $1 AND t.queue = q.queue AND t.waiting_rank IS NOT NULL AND t.waiting_rank <= q.last
    ) w
    WHERE w.ticket_id = ANY($4::text[])
"""

AT_WORK = """
    SELECT q.queue,
           (SELECT count(*) FROM ticket t
            WHERE t.workspace = $1 AND t.queue = q.queue AND t.phase = 'assigned') AS in_hand,
           (SELECT count(*) FROM agent_at_work a
            WHERE a.workspace = $1 AND a.queue = q.queue AND a.present) AS agents,
           (SELECT count(*) FROM agent_at_work a
            WHERE a.workspace = $1 AND a.queue = q.queue AND a.present AND NOT EXISTS (
                SELECT FROM ticket t WHERE t.workspace = $1 AND t.agent = a.agent AND t.phase = 'assigned'
            )) AS idle
    FROM unnest($2::text[]) AS q (queue)
"""

# A row a duration, and not one a bin: a page of ten queues has thousands of bins.
DURATIONS = f"""
    SELECT queue, what, array_agg(bin) AS bins,
           array_agg(weight * {left_of("what", "at", "$4::timestamptz")}) AS weights
    FROM duration WHERE workspace = $1 AND queue = ANY($2::text[]) AND what = ANY($3::text[])
    GROUP BY queue, what
"""


@dataclass(frozen=True, slots=True)
class Floor:
    """How things stand in some queues: `places` by ticket (1 is next; and among its own
    priority), (in hand, agents, idle) by queue, and the
    weights of durations by (queue, what)."""

    places: Mapping[str, tuple[int, int]]
    at_work: Mapping[str, tuple[int, int, int]]
    weights: Mapping[tuple[str, str], Mapping[int, float]]


async def read_floor(
    db: Database,
    workspace: str,
    waiting: Iterable[tuple[str, str, int]],
    queues: Sequence[str],
    metrics: Iterable[Metric],
    now: Instant,
) -> Floor:
    """The floor for tickets that wait, as (ticket, queue, rank), and for these queues and metrics."""
    last: dict[str, int] = {}
    tickets = []
    for ticket, queue, rank in waiting:
        tickets.append(ticket)
        last[queue] = max(rank, last.get(queue, rank))
    places: dict[str, tuple[int, int]] = {}
    if tickets:
        rows = await db.fetch(POSITIONS, workspace, list(last), list(last.values()), tickets)
        places = {row["ticket_id"]: (row["place"], row["of_priority"]) for row in rows}
    hands = await db.fetch(AT_WORK, workspace, queues)
    at_work = {row["queue"]: (row["in_hand"], row["agents"], row["idle"]) for row in hands}
    whats = [HOLD, *map(gap, PRIORITIES), *(what(metric) for metric in metrics for what in (answer, whole))]
    seen: Sequence[Any] = await db.fetch(DURATIONS, workspace, queues, whats, now)
    weights = {(row["queue"], row["what"]): dict(zip(row["bins"], row["weights"], strict=True)) for row in seen}
    return Floor(places, at_work, weights)
