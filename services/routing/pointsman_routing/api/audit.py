"""`/v1/audit`: whether what must always hold of the desk holds now, checked by the auditor in its lane."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import DeskAudit
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.idempotency import ask
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import WAIT_SECONDS_MAX

routes = routes_under("/v1/audit", "audit")

Supervisor = Annotated[Caller, Depends(require("supervisor"))]

LOOK_SECONDS = 0.1
WAIT_SECONDS = 20.0

Kind = Literal[
    "double-owner", "over-capacity", "wrong-charge", "limbo", "timer", "row-differs", "state", "queue-gone", "untold"
]


class AuditFinding(BaseModel):
    """Something that must not be. `since`: at least how long a ticket waits in vain or a timer is due."""

    kind: Kind
    ticket: str | None
    agent: str | None
    detail: str
    since: datetime | None


class Audit(BaseModel):
    """`ok`: the audit is complete and found nothing. `fresh`: it began after this call; else it is the last one before,
    or none yet (then all else is null). `tickets` and `agents` is how many were looked at."""

    ok: bool
    fresh: bool
    started_at: datetime | None
    finished_at: datetime | None
    tickets: int | None
    agents: int | None
    findings: list[AuditFinding]


@routes.get("", response_model=Audit)
async def audit(
    request: Request,
    caller: Supervisor,
    wait: Annotated[
        float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait for an audit that begins now.")
    ] = WAIT_SECONDS,
) -> Response:
    """Compares every open ticket and every agent with its row and with all that must hold. It begins at once and takes
    some milliseconds a hundred tickets, between other work; the desk audits itself every minute besides."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    by = actor(caller.role, caller.sub)
    answer, *_ = await ask(request, caller, DeskAudit(actor=by, begin=True), subject="audit")
    wanted = answer["wanted"]
    while answer["number"] < wanted and loop.time() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        answer, *_ = await ask(request, caller, DeskAudit(actor=by), subject="audit")
    report: dict[str, Any] = answer["report"] or {
        "started_at": None, "finished_at": None, "tickets": None, "agents": None, "findings": []
    }  # fmt: skip
    ok = report["finished_at"] is not None and not report["findings"]
    return Json({"ok": ok, "fresh": answer["number"] >= wanted, **report})
