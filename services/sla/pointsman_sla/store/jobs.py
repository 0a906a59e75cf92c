"""Recompute jobs as rows, and the reading of the tickets that a step is about."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from pointsman.contracts.shapes import Actor
from pointsman.runtime.logic import Database
from pointsman_sla.job import Counts, Job

KEEP = """
    INSERT INTO job (id, workspace, lane, version, actor, reason, policies, calendars, dry_run, total, done, steps,
                     place, counts, gained, lost, errors, begun_at, next_at, finished_at)
    SELECT j.id, j.workspace, $1, j.version, j.actor::jsonb, j.reason, j.policies::jsonb, j.calendars::jsonb,
           j.dry_run, j.total, j.done, j.steps, j.place, j.counts::jsonb, j.gained::jsonb, j.lost::jsonb,
           j.errors::jsonb, j.begun_at, j.next_at, j.finished_at
    FROM unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[],
                $10::int[], $11::int[], $12::int[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
                $18::timestamptz[], $19::timestamptz[], $20::timestamptz[])
         AS j (id, workspace, version, actor, reason, policies, calendars, dry_run, total, done, steps, place, counts,
               gained, lost, errors, begun_at, next_at, finished_at)
    ON CONFLICT (id) DO UPDATE
    SET done = excluded.done, steps = excluded.steps, place = excluded.place, counts = excluded.counts,
        gained = excluded.gained, lost = excluded.lost, errors = excluded.errors, next_at = excluded.next_at,
        finished_at = excluded.finished_at
"""

UNFINISHED = "SELECT * FROM job WHERE lane = $1 AND finished_at IS NULL ORDER BY begun_at, id"

ONE = "SELECT * FROM job WHERE workspace = $1 AND id = $2"

NEXT_OPEN = """
    SELECT ticket_id FROM ticket
    WHERE workspace = $1 AND ticket_id > $2 AND phase NOT IN ('resolved', 'closed')
    ORDER BY ticket_id LIMIT $3
"""

NEWEST = """
    SELECT (SELECT max(version) FROM config_version WHERE workspace = $1) AS version,
           (SELECT count(*) FROM ticket WHERE workspace = $1 AND phase NOT IN ('resolved', 'closed')) AS tickets
"""


async def write_jobs(db: Database, lane: int, jobs: Sequence[Job]) -> None:
    """What began and what moved on, in the transaction that is open."""
    rows = [
        (
            job.id,
            job.workspace,
            job.version,
            _json(job.by.model_dump()),
            job.reason,
            _json(job.policies),
            _json(job.calendars),
            job.dry_run,
            job.total,
            job.done,
            job.steps,
            job.place,
            _json(asdict(job.counts)),
            _json(job.gained),
            _json(job.lost),
            _json(job.errors),
            job.begun_at,
            job.next_at,
            job.finished_at,
        )
        for job in jobs
    ]
    await db.execute(KEEP, lane, *[list(column) for column in zip(*rows, strict=True)])


async def read_unfinished(db: Database, lane: int) -> list[Job]:
    """The jobs that the lane goes on with, the first begun first."""
    return [job_of(row) for row in await db.fetch(UNFINISHED, lane)]


async def read_next_open(db: Database, workspace: str, place: str, count_max: int) -> list[str]:
    """The open tickets of a workspace that come after a place."""
    return [row["ticket_id"] for row in await db.fetch(NEXT_OPEN, workspace, place, count_max)]


async def read_newest(db: Database, workspace: str) -> tuple[int, int]:
    """The newest configuration version of a workspace (0: none came), and how many of its tickets are open."""
    row = await db.fetchrow(NEWEST, workspace)
    return row["version"] or 0, row["tickets"]


def job_of(row: Mapping[str, Any]) -> Job:
    """The job of a row."""
    return Job(
        id=row["id"],
        workspace=row["workspace"],
        version=row["version"],
        by=Actor.model_validate(row["actor"]),
        begun_at=row["begun_at"],
        next_at=row["next_at"],
        reason=row["reason"],
        policies=tuple(row["policies"]),
        calendars=tuple(row["calendars"]),
        dry_run=row["dry_run"],
        total=row["total"],
        done=row["done"],
        steps=row["steps"],
        place=row["place"],
        counts=Counts(**row["counts"]),
        gained=tuple(row["gained"]),
        lost=tuple(row["lost"]),
        errors=tuple(row["errors"]),
        finished_at=row["finished_at"],
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
