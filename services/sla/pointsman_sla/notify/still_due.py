"""What of a message still stands when it is sent: nobody is paged for what is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database

LISTED_MAX = 10

# One row a clock (else ticket, else item): the newest of what was said of it; an alert that fires again stands for the
# clocks in it. Unless all is to be told ($2), it is over
# - when its clock stopped, or its breach was withdrawn; of an alert that fires again, while its clock stands still (it
#   is told of when it goes on: `deferring.told_again`);
# - when somebody acknowledged the alert that its clock is still in, after it was said, or silenced that alert. A clock
#   that moved to another alert is told of;
# - without a clock: when its alert is resolved, or its ticket is held by an agent or no longer open.
STANDING = """
    WITH said AS (
        SELECT i.item_id, i.kind, i.reason, i.at, i.severity, i.alert_id, i.queue, i.policy, i.priority, i.agent,
               i.due_at, coalesce(i.ticket_id, m.ticket_id) AS ticket_id, coalesce(i.clock_id, m.clock_id) AS clock_id,
               coalesce(i.metric, m.metric) AS metric, coalesce(i.cycle, m.cycle) AS cycle
        FROM notify_item i
        LEFT JOIN alert_clock m
            ON i.kind = 'again' AND i.clock_id IS NULL AND m.alert_id = i.alert_id AND m.left_at IS NULL
        WHERE i.notification_id = $1
    ), item AS (
        SELECT DISTINCT ON (coalesce(clock_id, ticket_id, item_id)) * FROM said
        ORDER BY coalesce(clock_id, ticket_id, item_id), at DESC, item_id
    ), looked_at AS (
        SELECT i.item_id, i.kind, i.reason, i.severity, i.alert_id, i.queue, i.policy, i.ticket_id, i.clock_id,
               i.metric, i.cycle, coalesce(i.priority, c.priority) AS priority, coalesce(i.due_at, c.due_at) AS due_at,
               coalesce(k.agent, i.agent) AS agent,
               CASE
            WHEN $2::boolean THEN NULL
            WHEN c.state IN ('met', 'cancelled') THEN 'stopped'
            WHEN i.kind = 'again' AND c.state = 'paused' THEN 'paused'
            WHEN i.severity = 'breach' AND c.clock_id IS NOT NULL AND c.breached_at IS NULL THEN 'withdrawn'
            WHEN m.left_at IS NULL AND a.covered_at > i.at
                 AND (m.joined_at <= a.covered_at OR m.clock_id IS NULL AND a.state = 'acknowledged')
                 THEN 'acknowledged'
            WHEN m.left_at IS NULL AND (a.state = 'silenced' OR a.silence_id IS NOT NULL) THEN 'silenced'
            WHEN i.clock_id IS NULL AND a.state = 'resolved' THEN 'resolved'
            WHEN i.kind = 'escalation' AND k.phase IN ('resolved', 'closed') THEN 'resolved'
            WHEN i.kind = 'escalation' AND k.agent IS NOT NULL THEN 'taken'
               END AS over
        FROM item i
        LEFT JOIN clock c ON c.clock_id = i.clock_id
        LEFT JOIN alert a ON a.alert_id = i.alert_id
        LEFT JOIN alert_clock m ON m.alert_id = i.alert_id AND m.clock_id = i.clock_id
        LEFT JOIN ticket k ON k.ticket_id = i.ticket_id
    )
"""
COUNTS = (
    STANDING
    + """
    SELECT over, alert_id, severity, queue, policy, count(*)::int AS count FROM looked_at
    GROUP BY over, alert_id, severity, queue, policy ORDER BY count(*) DESC, alert_id
"""
)
LISTED = (
    STANDING
    + """
    SELECT ticket_id AS ticket, clock_id AS clock, kind, reason, metric, cycle, severity, priority, queue, policy,
           agent, due_at
    FROM looked_at WHERE over IS NULL ORDER BY due_at NULLS LAST, ticket_id, clock_id LIMIT $3
"""
)


@dataclass(frozen=True, slots=True)
class Line:
    """One clock (or ticket) that is told of."""

    ticket: str | None
    clock: str | None
    kind: str
    reason: str
    metric: str | None
    cycle: int | None
    severity: str | None
    priority: str | None
    queue: str | None
    policy: str | None
    agent: str | None
    due_at: Instant | None


@dataclass(frozen=True, slots=True)
class Alerted:
    """An alert that is told of, with how many clocks of it. `id` is None for tickets that nobody took."""

    id: str | None
    severity: str | None
    queue: str | None
    policy: str | None
    count: int


@dataclass(frozen=True, slots=True)
class StillDue:
    """What still stands. `lines` are the most urgent of `count`; `over` says how many ended, and how."""

    count: int
    lines: Sequence[Line]
    alerts: Sequence[Alerted]
    over: Sequence[tuple[str, int]]

    @property
    def why_over(self) -> str:
        """In words, how it ended: `3 stopped, 1 acknowledged`."""
        return ", ".join(f"{count} {how}" for how, count in self.over)


async def read_still_due(db: Database, notification: str, *, whatever: bool = False) -> StillDue:
    """What of a notification's items stands now; with `whatever` all of it."""
    counts: dict[tuple[str | None, str | None, str | None, str | None], int] = {}
    over: dict[str, int] = {}
    for row in await db.fetch(COUNTS, notification, whatever):
        if row["over"] is not None:
            over[row["over"]] = over.get(row["over"], 0) + row["count"]
        else:
            key = row["alert_id"], row["severity"], row["queue"], row["policy"]
            counts[key] = counts.get(key, 0) + row["count"]
    lines = [Line(**row) for row in await db.fetch(LISTED, notification, whatever, LISTED_MAX)] if counts else []
    return StillDue(
        count=sum(counts.values()),
        lines=lines,
        alerts=[
            Alerted(alert, severity, queue, policy, count) for (alert, severity, queue, policy), count in counts.items()
        ],
        over=sorted(over.items(), key=lambda pair: -pair[1]),
    )
