"""Jobs as rows: written with the batch that moved them, loaded while they are not finished, read by the API.

A row keeps the tickets' ids until the job is finished; what became of them is counted, and the first refusals are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.contracts.commands import BulkAction
from pointsman.contracts.shapes import Actor
from pointsman.runtime.logic import Database
from pointsman_routing.desk.state.draft import Changes
from pointsman_routing.desk.state.model import Job
from pointsman_routing.rows import as_json, columns_of

_BEGIN = """
    INSERT INTO job (workspace, id, actor, action, ids, total, begun_at)
    SELECT workspace, id, actor::jsonb, action::jsonb, ids::jsonb, total, begun_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[])
         AS given (workspace, id, actor, action, ids, total, begun_at)
    ON CONFLICT DO NOTHING
"""
_MOVE = """
    UPDATE job SET done = given.done, failed = given.failed, errors = given.errors::jsonb, moved_at = given.moved_at,
                   ids = CASE WHEN given.done >= job.total THEN '[]'::jsonb ELSE job.ids END
    FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[])
         AS given (workspace, id, done, failed, errors, moved_at)
    WHERE job.workspace = given.workspace AND job.id = given.id
"""
UNFINISHED = """
    SELECT workspace, id, actor, action, ids, done, failed, errors, begun_at, moved_at FROM job
    WHERE workspace = ANY($1::text[]) AND done < total ORDER BY id
"""
ONE = """
    SELECT id, total, done, failed, errors, begun_at, moved_at FROM job WHERE workspace = $1 AND id = $2
"""


async def write(db: Database, changed: Sequence[tuple[str, Changes]]) -> None:
    """What began and what moved on, in the transaction that is open."""
    begun = [
        (name, job.id, as_json(job.actor.model_dump()), as_json(job.action.model_dump(exclude_none=True)),
         as_json(job.ids), len(job.ids), job.begun_at)
        for name, changes in changed
        for job in changes.jobs_begun.values()
    ]  # fmt: skip
    if begun:
        await db.execute(_BEGIN, *columns_of(begun))
    moved = [
        (name, job.id, job.done, job.failed, as_json(job.errors), job.moved_at)
        for name, changes in changed
        for job in changes.jobs_moved.values()
    ]
    if moved:
        await db.execute(_MOVE, *columns_of(moved))


def job_of(row: Mapping[str, Any]) -> Job:
    """An unfinished job from its row."""
    return Job(
        row["id"],
        Actor.model_validate(row["actor"]),
        BulkAction.model_validate(row["action"]),
        tuple(row["ids"]),
        row["begun_at"],
        row["done"],
        row["failed"],
        tuple(row["errors"]),
        row["moved_at"],
    )
