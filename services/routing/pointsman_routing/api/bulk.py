"""`/v1/tickets:bulk` and `/v1/jobs`: one action on many tickets. More than two hundred become a job."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import (
    AssignTo,
    BulkAction,
    LabelAs,
    RequeueTo,
    ResolveAs,
    TicketsBulk,
    TransferTo,
)
from pointsman.contracts.shapes import Channel, Outcome, TicketState
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import ask
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.actions import Label, Relabel
from pointsman_routing.api.moves import Assign, Reason, Slug, Supervising, Supervisor, TicketIds, ToQueue, Transfer
from pointsman_routing.api.tickets import conditions, refuse_unknown_names
from pointsman_routing.desk.rules.bulk import STEP_TICKETS_MAX, TICKETS_MAX
from pointsman_routing.jobs import ONE

routes = routes_under("/v1", "bulk")


class Requeue(Body):
    """To the tickets' own queues, or all to one."""

    to: Slug | ToQueue | None = None
    reason: Reason


class Resolve(Body):
    """`outcome: spam` closes as spam."""

    outcome: Outcome
    category: Label | None = None


class Action(Body):
    """Exactly one."""

    assign: Assign | None = None
    transfer: Transfer | None = None
    requeue: Requeue | None = None
    label: Relabel | None = None
    resolve: Resolve | None = None

    @model_validator(mode="after")
    def _one(self) -> "Action":
        if sum(value is not None for value in self.__dict__.values()) != 1:
            raise ValueError("name one of assign, transfer, requeue, label and resolve")
        return self

    def asked(self) -> BulkAction:
        """As the command has it."""
        if self.assign is not None:
            return BulkAction(assign=AssignTo(**self.assign.model_dump()))
        if self.transfer is not None:
            to = self.transfer.to
            return BulkAction(
                transfer=TransferTo(
                    to_queue=to.queue,
                    to_agent=to.agent,
                    to_skills=to.skills,
                    reason=self.transfer.reason,
                    wait_seconds=self.transfer.wait_seconds,
                )
            )
        if self.requeue is not None:
            queue = self.requeue.to
            to_queue = queue.queue if isinstance(queue, ToQueue) else queue
            return BulkAction(requeue=RequeueTo(to_queue=to_queue, reason=self.requeue.reason))
        if self.label is not None:
            label = self.label
            return BulkAction(
                label=LabelAs(
                    category=label.category,
                    priority=label.priority,
                    language=label.language,
                    add_tags=label.tags.add,
                    remove_tags=label.tags.remove,
                    reroute=label.reroute,
                )
            )
        assert self.resolve is not None
        return BulkAction(resolve=ResolveAs(**self.resolve.model_dump()))


class Filter(Body):
    """The filters of `GET /tickets`; at least one."""

    state: TicketState | tuple[TicketState, ...] | None = None
    queue: Slug | None = None
    agent: Slug | None = None
    customer: Annotated[str | None, Field(max_length=200)] = None
    channel: Channel | None = None
    category: Label | None = None
    tag: Label | None = None
    opened_after: GivenInstant | None = None
    opened_before: GivenInstant | None = None
    updated_after: GivenInstant | None = None
    updated_before: GivenInstant | None = None
    q: Annotated[str | None, Field(max_length=200)] = None

    @model_validator(mode="after")
    def _something(self) -> "Filter":
        if not self.model_dump(exclude_none=True):
            raise ValueError("a filter that asks for nothing would mean every ticket")
        return self


class Bulk(Body):
    """`ids`, or those that a `filter` finds now. `dry_run`: what would become of the first two hundred."""

    ids: Annotated[TicketIds | None, Field(min_length=1)] = None
    filter: Filter | None = None
    action: Action
    dry_run: bool = False

    @model_validator(mode="after")
    def _which(self) -> "Bulk":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("name the tickets by ids or by a filter")
        return self


class BulkItem(BaseModel):
    """What became of one ticket: `status` as the same call for it alone would have, and why not."""

    ticket_id: str
    status: int
    code: str | None
    detail: str | None
    state: TicketState | None = None


class BulkResult(BaseModel):
    """`total` tickets were meant; `items` are those that were asked."""

    items: list[BulkItem]
    total: int
    succeeded: int
    failed: int


class BulkJob(BaseModel):
    job_id: str


class JobShape(BaseModel):
    """A job: `progress` from 0 to 1; `errors` are the first refusals."""

    job_id: str
    state: Literal["running", "done"]
    progress: float
    total: int
    done: int
    succeeded: int
    failed: int
    errors: list[BulkItem]
    begun_at: datetime
    finished_at: datetime | None


@routes.post("/tickets:bulk", response_model=BulkResult, responses={202: {"model": BulkJob}})
async def bulk(call: Supervising, body: Bulk) -> Response:
    """Does one action with many tickets, each for itself: a refusal concerns that ticket alone. Up to two hundred are
    answered at once; more become a job (202 `{job_id}`), which goes on whatever process ends. 422 for more than ten
    thousand, 409 `too-many-jobs` while too many are not finished."""
    if body.ids is not None:
        ids = list(dict.fromkeys(body.ids))
    else:
        assert body.filter is not None
        ids = await _found(call.request, call.caller.workspace, body.filter)
    total = len(ids)
    if body.dry_run:
        ids = ids[:STEP_TICKETS_MAX]
    command = TicketsBulk(actor=call.actor, ticket_ids=tuple(ids), action=body.action.asked(), question=body.dry_run)
    key = None if body.dry_run else call.key
    answer, status, headers = await ask(call.request, call.caller, command, subject="tickets", key=key)
    if status == 200:
        answer = answer | {"total": total}
    return Json(answer, status, headers)


@routes.get("/jobs/{id}", response_model=JobShape)
async def job(request: Request, caller: Supervisor, id: str) -> Response:
    """How far a job is."""
    row = await request.app.state.process.pool.fetchrow(ONE, caller.workspace, id)
    if row is None:
        raise not_found("job")
    finished = row["done"] >= row["total"]
    return Json(
        {
            "job_id": row["id"],
            "state": "done" if finished else "running",
            "progress": round(row["done"] / row["total"], 4),
            "total": row["total"],
            "done": row["done"],
            "succeeded": row["done"] - row["failed"],
            "failed": row["failed"],
            "errors": row["errors"],
            "begun_at": row["begun_at"],
            "finished_at": row["moved_at"] if finished else None,
        }
    )


async def _found(request: Request, workspace: str, given: Filter) -> list[str]:
    """The ids that the filter finds, oldest tickets first. Raises `Problem` 422 when they are too many."""
    asked: dict[str, Any] = given.model_dump()
    if isinstance(asked["state"], str):
        asked["state"] = [asked["state"]]
    where, values = conditions(workspace, asked)
    rows = await request.app.state.process.pool.fetch(
        f"SELECT t.id FROM ticket t WHERE {' AND '.join(where)} ORDER BY t.opened_at, t.id LIMIT {TICKETS_MAX + 1}",
        *values,
    )
    if len(rows) > TICKETS_MAX:
        detail = f"it finds more than {TICKETS_MAX} tickets"
        raise Problem(422, "invalid", detail, [{"pointer": "/filter", "detail": detail}])
    if not rows:
        await refuse_unknown_names(request, workspace, asked, pointer="/filter/{}")
    return [row["id"] for row in rows]
