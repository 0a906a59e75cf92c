"""`POST /v1/config:check`: what a change would do, without it: mistakes, differences, findings, and its effect now."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import ConfigEffect
from pointsman.contracts.document import Document, Written, diff
from pointsman.contracts.document.horizon import as_written, horizons
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.idempotency import ask
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.config_apply import BODY, UnsetSecret
from pointsman_routing.api.config_document import change_of, checked, for_document, stored, unset_here, written_of
from pointsman_routing.lint import lint

routes = routes_under("/v1", "config")

Creator = Annotated[Caller, Depends(require("admin", workspace_optional=True))]


class Difference(BaseModel):
    pointer: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


class Some(BaseModel):
    """How many there are, and the first 20 of them."""

    count: int
    first: list[dict[str, Any]]


class Unserved(Some):
    """Waiting tickets that no agent may take, present or not; `before` counts those before the change."""

    before: int


class Effect(BaseModel):
    """What the desk would do now. `refused`: the problem with which it would refuse the change; then all else is
    absent. Of `waiting` tickets `compared` were looked at for `agents` (who becomes eligible for how many, and no
    longer for how many) and `unserved`; `moved` go to another queue, `requeued` lose their agent, `rescinded` their
    offer; `offered` would be offered at once; `reordered` stand elsewhere in their queue's order."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    refused: dict[str, Any] | None
    waiting: int | None = None
    compared: int | None = None
    moved: Some | None = None
    requeued: Some | None = None
    rescinded: Some | None = None
    offered: Some | None = None
    reordered: int | None = None
    agents: Some | None = None
    unserved: Unserved | None = None


class LintFinding(BaseModel):
    """What is allowed and probably not meant (docs/workspace.md, Lint): why it matters, and how to mend it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    rule: str
    severity: Literal["error", "warning"]
    pointer: str
    line: int | None = None
    message: str
    mend: str


class HolidaysUntil(BaseModel):
    """The public holidays of a calendar are known until then; `renews`: that is moved on by itself every year."""

    pointer: str
    until: date
    renews: bool


class Checked(BaseModel):
    """A document without mistakes: what `PUT` would do. `version` is the current one, null when there is none; then
    `effect` is null too. `unset` as `PUT` tells it. `findings` are lint's; none keeps a document from being put."""

    version: int | None
    inactive: list[str]
    unset: list[UnsetSecret]
    diff: list[Difference]
    findings: list[LintFinding]
    horizons: list[HolidaysUntil]
    effect: Effect | None


@routes.post("/config:check", response_model=Checked, openapi_extra=BODY)
async def check(request: Request, caller: Creator) -> Response:
    """Validates the document and says what it would change, without changing anything."""
    change = change_of(await written_of(request))
    caller = for_document(caller, change)
    document, written = await checked(request, change)
    answer: dict[str, Any] = {
        "version": None,
        "inactive": document.inactive(),
        "unset": await unset_here(request, caller.workspace, written.value),
        "findings": await run_in_threadpool(_findings, written, document),
        "horizons": [horizon.plain() for horizon in horizons(as_written(document), _year(request))],
        "effect": None,
    }
    try:
        version, current = await stored(request, caller.workspace)
    except Problem:
        return Json({**answer, "diff": diff({}, written.value)})
    command = ConfigEffect(actor=actor(caller.role, caller.sub), document=written.value, moves=change.moves)
    effect, _, _ = await ask(request, caller, command, subject="config")
    return Json({**answer, "version": version, "diff": diff(current, written.value), "effect": effect})


def _year(request: Request) -> int:
    year: int = request.app.state.process.clock.now().year
    return year


def _findings(written: Written, document: Document) -> list[dict[str, Any]]:
    return [finding.plain(written.line_of(finding.path)) for finding in lint(document)]
