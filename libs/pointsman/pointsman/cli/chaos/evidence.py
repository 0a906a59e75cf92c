"""What the services' tables say, read from outside in one snapshot, and whether everything has come to rest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.core.instant import Instant

READS = (("intake", "requests", "routing"), ("routing", "desk", "sla"), ("routing", "desk", "metrics"),
         ("routing", "desk", "intake"), ("sla", "sla", "routing"), ("sla", "sla", "metrics"))  # fmt: skip
"""(producer, topic, reader)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a record. `number` is the record's, `place` the fact's within it; `at` is the record's time and
    `made_at` that of the transaction."""

    source: str
    partition: int
    number: int
    place: int
    at: Instant
    made_at: Instant
    workspace: str
    subject: str
    cause: str
    type: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """The snapshot. Facts are in the order of their numbers, per (source, partition)."""

    now: Instant
    requests: Sequence[Fact]
    desk: Sequence[Fact]
    sla: Sequence[Fact]
    counters: Sequence[tuple[str, str, int, int]]
    """(service, source, partition, number)."""
    numbers: Mapping[tuple[str, str, int], Sequence[int]]
    """(service, source, partition) → the numbers of its records, ascending."""
    seen: Mapping[tuple[str, int, str, str], int]
    """(reader, lane, topic, source) → the last number that it took."""
    intake_messages: Sequence[Mapping[str, Any]]
    routing_messages: Sequence[Mapping[str, Any]]
    routing_tickets: Sequence[Mapping[str, Any]]
    routing_agents: Sequence[Mapping[str, Any]]
    metrics_tickets: Sequence[Mapping[str, Any]]
    metrics_clocks: Sequence[Mapping[str, Any]]
    dead_letters: Sequence[Mapping[str, Any]]
    sla_clocks: Sequence[Mapping[str, Any]] = ()
    """Those that have not ended, and those that are in an alert; `life` as text."""
    sla_alerts: Sequence[Mapping[str, Any]] = ()
    """Those that are not resolved."""
    sla_members: Sequence[Mapping[str, Any]] = ()
    """Which clock is in which alert, since when."""
    positions: Sequence[Mapping[str, Any]] = ()
    """How far each lane has read a topic, where it began, and how many records it decided."""

    def read_by(self, reader: str, topic: str) -> Iterator[Fact]:
        """The facts of a topic that a reader had taken."""
        for fact in {"requests": self.requests, "desk": self.desk, "sla": self.sla}[topic]:
            if fact.number <= self.seen.get((reader, fact.partition, topic, fact.source), 0):
                yield fact


SLA_CLOCKS = """
    SELECT clock_id, workspace, ticket_id, metric, cycle, state, policy, queue, breached_at, ended_at,
           life::text AS life
    FROM sla.clock c
    WHERE ended_at IS NULL OR EXISTS (SELECT FROM sla.alert_clock m WHERE m.clock_id = c.clock_id AND m.left_at IS NULL)
"""


async def read_evidence(db: Any) -> Snapshot:
    """One snapshot of all schemas, read by the superuser."""
    async with db.transaction(isolation="repeatable_read", readonly=True):
        numbers: dict[tuple[str, str, int], list[int]] = {}
        facts = {service: await _facts(db, service, numbers) for service in ("intake", "routing", "sla")}
        return Snapshot(
            now=await db.fetchval("SELECT clock_timestamp()"),
            requests=facts["intake"],
            desk=facts["routing"],
            sla=facts["sla"],
            counters=[
                (service, row["source"], row["partition"], row["number"])
                for service in ("intake", "routing", "sla")
                for row in await db.fetch(f'SELECT source, partition, number FROM "{service}".counter')
            ],
            numbers=numbers,
            seen={
                (reader, row["lane"], row["topic"], row["source"]): row["number"]
                for reader in ("intake", "routing", "sla", "metrics")
                for row in await db.fetch(f'SELECT lane, topic, source, number FROM "{reader}".seen')
            },
            intake_messages=await db.fetch(
                "SELECT workspace, connector, external_id, id, ticket_id FROM intake.message"
            ),
            routing_messages=await db.fetch("SELECT workspace, id, ticket_id, direction, text FROM routing.message"),
            routing_tickets=await db.fetch("SELECT workspace, id, state, agent FROM routing.ticket"),
            routing_agents=await db.fetch("SELECT workspace, agent, state, load, capacity FROM routing.agent"),
            metrics_tickets=await db.fetch("SELECT * FROM metrics.ticket"),
            metrics_clocks=await db.fetch("SELECT clock_id, ticket_id, metric, cycle, breached FROM metrics.clock"),
            sla_clocks=await db.fetch(SLA_CLOCKS),
            sla_alerts=await db.fetch("SELECT * FROM sla.alert WHERE state <> 'resolved'"),
            sla_members=await db.fetch(
                "SELECT alert_id, clock_id, joined_at FROM sla.alert_clock WHERE left_at IS NULL"
            ),
            dead_letters=[
                {"service": service, **row}
                for service in ("intake", "routing", "sla", "metrics")
                for row in await db.fetch(
                    f'SELECT topic, reason, left(detail, 1500) AS detail FROM "{service}".dead_letter'
                )
            ],
            positions=[
                {"service": service, **row}
                for service in ("intake", "routing", "sla", "metrics")
                for row in await db.fetch(
                    f'SELECT lane, topic, cluster, first_offset, next_offset, decided FROM "{service}".position'
                )
            ],
        )


async def _facts(db: Any, service: str, numbers: dict[tuple[str, str, int], list[int]]) -> list[Fact]:
    found = []
    rows = await db.fetch(
        f"""
        SELECT source, partition, number, at, made_at, workspace, subject, cause, body::text AS body
        FROM "{service}".fact ORDER BY source, partition, number, made_at
        """
    )
    for row in rows:
        numbers.setdefault((service, row["source"], row["partition"]), []).append(row["number"])
        for place, body in enumerate(orjson.loads(row["body"])["facts"]):
            found.append(
                Fact(
                    row["source"],
                    row["partition"],
                    row["number"],
                    place,
                    row["at"],
                    row["made_at"],
                    row["workspace"],
                    row["subject"],
                    row["cause"],
                    body["type"],
                    body,
                )
            )
    return found


UNREAD = " UNION ALL ".join(
    f"""
    SELECT '{reader} lacks ' || c.source || '/' || c.partition || ' up to ' || c.number AS what
    FROM "{producer}".counter c LEFT JOIN "{reader}".seen s
      ON s.topic = '{topic}' AND s.source = c.source AND s.lane = c.partition
    WHERE c.number > coalesce(s.number, 0)
    """
    for producer, topic, reader in READS
)

OPEN = """
    SELECT 'ticket ' || workspace || ' ' || id || ' is ' || state || coalesce(' with ' || agent, '') AS what
    FROM routing.ticket WHERE state NOT IN ('resolved', 'closed') OR wrap_up_until IS NOT NULL
"""

OVERDUE = """
    SELECT 'clock ' || ticket_id || ' ' || metric || ' is overdue' AS what
    FROM sla.clock WHERE state = 'running' AND breached_at IS NULL AND breach_at < clock_timestamp() - interval '1 s'
"""


async def unsettled(db: Any) -> list[str]:
    """What is still on its way or still to be done; empty when everything has come to rest."""
    rows = [*await db.fetch(UNREAD), *await db.fetch(OPEN), *await db.fetch(OVERDUE)]
    return [row["what"] for row in rows]
