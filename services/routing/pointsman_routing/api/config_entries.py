"""`/v1/config/{section}/{slug}` and a calendar's special days: changes of one entry, on whatever version holds."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.document.calendars import Day, Spans
from pointsman.contracts.document.change import entry_of, with_entry, without_entry
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, IfMatch, etag_of
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.config_apply import BODY, Applied, OpenClocks, Reason, apply_to_stored
from pointsman_routing.api.config_document import known_place, moves_of, stored, written_of

routes = routes_under("/v1", "config")

Admin = Annotated[Caller, Depends(require("admin"))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]


class SpecialDay(Body):
    """A date with hours of its own; no spans: shut. It replaces what the calendar said of that date."""

    date: Day
    spans: Spans
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    open_clocks: Literal["keep", "recompute"] | None = None


@routes.get("/config/{section}/{slug}", response_model=dict[str, Any] | list[Any] | str)
async def entry(request: Request, caller: Admin, section: str, slug: str) -> Response:
    """One entry of a section, as it was given."""
    version, document = await stored(request, caller.workspace)
    with known_place():
        return Json(entry_of(document, section, slug), headers={"ETag": etag_of(version)})


@routes.put("/config/{section}/{slug}", response_model=Applied, openapi_extra=BODY)
async def put_entry(
    request: Request,
    caller: Supervisor,
    section: str,
    slug: str,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
) -> Response:
    """Adds or replaces one entry. Supervisors may do so with agents, admins with all."""
    if section != "agents" and caller.role == "supervisor":
        raise Problem(403, "wrong-role", "a supervisor changes only agents; this needs an admin")
    written = await written_of(request)

    def changed(document: Mapping[str, Any]) -> dict[str, Any]:
        return with_entry(document, section, slug, written.value)

    return await apply_to_stored(request, caller, changed, if_match, open_clocks=open_clocks, reason=reason)


@routes.delete("/config/{section}/{slug}", response_model=Applied)
async def delete_entry(
    request: Request,
    caller: Admin,
    section: str,
    slug: str,
    if_match: IfMatch,
    open_clocks: OpenClocks = None,
    reason: Reason = None,
    to: Annotated[str | None, Query(max_length=63, description="Where its tickets go: `requeue`, or a queue.")] = None,
) -> Response:
    """Removes one entry. 409 when it holds tickets, unless `to` says where they go."""
    moves = moves_of(None if to is None else {section: {slug: to}})

    def changed(document: Mapping[str, Any]) -> dict[str, Any]:
        return without_entry(document, section, slug)

    return await apply_to_stored(
        request, caller, changed, if_match, open_clocks=open_clocks, reason=reason, moves=moves
    )


@routes.post("/calendars/{slug}/days", response_model=Applied)
async def put_day(request: Request, caller: Supervisor, slug: str, body: SpecialDay, key: IdempotencyKey) -> Response:
    """Gives a date of a calendar hours of its own, as a new version: an early end, a strike, an extra shift."""

    def changed(document: Mapping[str, Any]) -> dict[str, Any]:
        calendar = entry_of(document, "calendars", slug)
        days = {**calendar.get("days", {}), body.date: [list(span) for span in body.spans]}
        return with_entry(document, "calendars", slug, {**calendar, "days": days})

    return await apply_to_stored(request, caller, changed, key=key, open_clocks=body.open_clocks, reason=body.reason)
