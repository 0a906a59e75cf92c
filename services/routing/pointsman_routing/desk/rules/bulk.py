"""One action on many tickets: each is done or refused for itself, as the same call for that ticket alone would be.

Few are done in one decision. More become a job: a resident list that a timer of its own takes on by `STEP_TICKETS_MAX`
a decision, and a row, so that another process goes on with it. Offers are made when a decision's tickets are done: what
is resolved together frees everybody before anything is given out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pointsman.contracts import commands as asked
from pointsman.contracts.shapes import Actor
from pointsman.core.cause import TimerCause
from pointsman.core.decision import Decision, refuse
from pointsman_routing.desk.rules import assign, relabel, requeue, resolve, transfer
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Job, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

STEP_TICKETS_MAX = 200
"""Tickets of one decision; a command with more becomes a job."""

TICKETS_MAX = 10_000
JOBS_MAX = 20
"""Unfinished jobs of a workspace."""

ERRORS_KEPT_MAX = 200
"""Refused tickets that a job names; it counts all."""

_PAUSE = timedelta(milliseconds=1)


def bulk(desk: Desk, command: asked.TicketsBulk) -> Result:
    """Does the action with each ticket now, or makes a job of it."""
    ids = tuple(dict.fromkeys(command.ticket_ids))
    if len(ids) > TICKETS_MAX:
        return invalid(f"at most {TICKETS_MAX} tickets at once", "/ids")
    if sum(value is not None for value in command.action.__dict__.values()) != 1:
        return invalid("action names one of assign, transfer, requeue, label and resolve", "/action")
    at_once = done_at_once(command)
    if at_once is not None:
        results = _each(desk, at_once, command.action, command.actor)
        return Answer(lambda: _answer(desk, results))
    if len(desk.jobs) >= JOBS_MAX:
        return refuse(409, "too-many-jobs", f"{JOBS_MAX} jobs of this workspace are not finished yet")
    at = desk.draft.at
    job = Job(desk.new_id("job"), command.actor, command.action, ids, at)
    desk.journal.put(desk.jobs, job.id, job)
    desk.journal.put(desk.changes.jobs_begun, job.id, job)
    desk.arm(kinds.JOB, job.id, at)
    return Answer(lambda: {"job_id": job.id}, 202)


def done_at_once(command: asked.TicketsBulk) -> tuple[str, ...] | None:
    """The tickets, each once, that are done in the command's own decision; None when they become a job."""
    ids = tuple(dict.fromkeys(command.ticket_ids))
    return ids if len(ids) <= STEP_TICKETS_MAX else None


def step(desk: Desk, cause: TimerCause) -> Result:
    """The job's next tickets."""
    job = desk.jobs[cause.subject]
    results = _each(desk, job.next(STEP_TICKETS_MAX), job.action, job.actor)
    refused = tuple(result for result in results if result["status"] >= 400)
    job = job._replace(
        done=job.done + len(results),
        failed=job.failed + len(refused),
        errors=(*job.errors, *refused)[:ERRORS_KEPT_MAX],
        moved_at=desk.draft.now,
    )
    desk.journal.put(desk.changes.jobs_moved, job.id, job)
    if job.finished:
        desk.journal.pop(desk.jobs, job.id)
        desk.arm(kinds.JOB, job.id, None)
    else:
        desk.journal.put(desk.jobs, job.id, job)
        desk.arm(kinds.JOB, job.id, max(desk.draft.now, cause.due) + _PAUSE)
    return None


def _each(desk: Desk, ids: tuple[str, ...], action: asked.BulkAction, actor: Actor) -> list[dict[str, Any]]:
    """What became of each ticket; what a refusal or a raise left behind is taken back, and the next one follows."""
    results = []
    for id in ids:
        ticket = desk.tickets.get(id)
        if ticket is None:
            results.append(_refused(id, 404, "not-found", f"there is no ticket {id}"))
            continue
        mark, draft = desk.journal.mark(), desk.draft.copied()
        desk.begin_part()
        try:
            result = _one(desk, ticket, action, actor)
        except Exception as error:
            desk.journal.undo(mark)
            desk.draft = draft
            results.append(_refused(id, 500, "internal-error", f"{type(error).__name__}: {error}"[:300]))
            continue
        if isinstance(result, Decision) and result.refusal is not None:
            desk.journal.undo(mark)
            desk.draft = draft
            results.append(_refused(id, result.refusal.status, result.refusal.code, result.refusal.detail))
        else:
            results.append({"ticket_id": id, "status": 200, "code": None, "detail": None})
    return results


def _one(desk: Desk, ticket: Ticket, action: asked.BulkAction, actor: Actor) -> Result:
    common = {"actor": actor, "ticket_id": ticket.id}
    if action.assign is not None:
        return assign.assign(desk, ticket, asked.TicketAssign(**common, **action.assign.model_dump()))
    if action.transfer is not None:
        return transfer.transfer(desk, ticket, asked.TicketTransfer(**common, **action.transfer.model_dump()))
    if action.requeue is not None:
        return requeue.one(desk, ticket, action.requeue, actor)
    if action.label is not None:
        return relabel.label(desk, ticket, asked.TicketLabel(**common, **action.label.model_dump()))
    assert action.resolve is not None
    return resolve.resolve(desk, ticket, asked.TicketResolve(**common, **action.resolve.model_dump()))


def _refused(id: str, status: int, code: str, detail: str) -> dict[str, Any]:
    return {"ticket_id": id, "status": status, "code": code, "detail": detail}


def _answer(desk: Desk, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer, with the states in which everything ended."""
    items = []
    for result in results:
        ticket = desk.tickets.get(result["ticket_id"])
        items.append({**result, "state": ticket.state if ticket is not None else None})
    failed = sum(item["status"] >= 400 for item in items)
    return {"items": items, "total": len(items), "succeeded": len(items) - failed, "failed": failed}
