"""`/v1/recompute` and `/v1/jobs`: open tickets' clocks laid anew under the newest configuration version."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.base import Slug
from pointsman.contracts.recomputing import ClocksRecompute
from pointsman.contracts.shapes import Metric
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, answer_command
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_sla.job import Job
from pointsman_sla.store.jobs import ONE, job_of

routes = routes_under("/v1", "recompute")

Admin = Annotated[Caller, Depends(require("admin"))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Names = Annotated[tuple[Slug, ...], Field(max_length=200)]


class Recompute(Body):
    """Which open tickets: those with a clock of one of these policies or calendars, as it stands or as the newest
    version makes it; all when neither is named. A `dry_run` says what would become of them and changes nothing."""

    policies: Names = ()
    calendars: Names = ()
    dry_run: bool = False
    reason: Annotated[str | None, Field(max_length=500)] = None


class RecomputeJob(BaseModel):
    job_id: str


class Concerned(BaseModel):
    """A clock that gained or lost a breach: when it is due under the version, and was."""

    ticket_id: str
    clock_id: str
    metric: Metric
    cycle: int
    policy: str
    due_at: datetime
    was_due_at: datetime


class Failed(BaseModel):
    """A ticket that could not be recomputed, and stayed as it was."""

    ticket_id: str
    detail: str


class JobShape(BaseModel):
    """A recompute under `config_version`: `progress` from 0 to 1; `done` of about `total` tickets, since some close
    meanwhile. `restated`, `started` and `cancelled` count clocks. `gained` counts clocks whose time is up at once under
    the version, `lost` announced breaches that it would not have made yet (they stay, marked `restated`); the first 200
    of each are named, as are the tickets that failed."""

    job_id: str
    state: Literal["running", "done"]
    progress: float
    config_version: int
    dry_run: bool
    policies: list[str]
    calendars: list[str]
    asked_by: str
    reason: str | None
    total: int
    done: int
    restated: int
    started: int
    cancelled: int
    gained: int
    lost: int
    failed: int
    gained_clocks: list[Concerned]
    lost_clocks: list[Concerned]
    errors: list[Failed]
    begun_at: datetime
    finished_at: datetime | None


@routes.post("/recompute", status_code=202, response_model=RecomputeJob)
async def recompute(request: Request, caller: Admin, key: IdempotencyKey, body: Recompute | None = None) -> Response:
    """Lays the clocks of open tickets anew under the newest version, as if it had been in force since they started: a
    job (202 `{job_id}`), which goes on whatever process ends. 422 for a policy or calendar that the version has not,
    409 `too-many-jobs` while twenty are not finished."""
    body = body or Recompute()
    command = ClocksRecompute(actor=actor(caller.role, caller.sub), **body.model_dump())
    return await answer_command(request, caller, command, subject="clocks", key=key)


@routes.get("/jobs/{id}", response_model=JobShape)
async def job(request: Request, caller: Supervisor, id: Annotated[str, Path(max_length=200)]) -> Response:
    """How far a recompute is, and what came of it."""
    row = await request.app.state.process.pool.fetchrow(ONE, caller.workspace, id)
    if row is None:
        raise not_found("job")
    return Json(shown(job_of(row)))


def shown(job: Job) -> dict[str, Any]:
    """The job as the API shows it."""
    counts = job.counts
    finished = job.finished_at is not None
    return {
        "job_id": job.id,
        "state": "done" if finished else "running",
        "progress": 1.0 if finished else round(min(1.0, job.done / max(1, job.total)), 4),
        "config_version": job.version,
        "dry_run": job.dry_run,
        "policies": job.policies,
        "calendars": job.calendars,
        "asked_by": job.by.id,
        "reason": job.reason,
        "total": job.total,
        "done": job.done,
        "restated": counts.restated,
        "started": counts.started,
        "cancelled": counts.cancelled,
        "gained": counts.gained,
        "lost": counts.lost,
        "failed": counts.failed,
        "gained_clocks": job.gained,
        "lost_clocks": job.lost,
        "errors": job.errors,
        "begun_at": job.begun_at,
        "finished_at": job.finished_at,
    }
