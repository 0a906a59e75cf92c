"""`/v1/events`: the workspace's event stream for connectors and supervisors, as a long poll.

Each item is a CloudEvent 1.0: `type` is the fact's (`ticket.assigned`), `subject` what it is about, `data` its fields.
Without `after` the answer begins with the oldest that is kept; a consumer keeps the cursor and comes back.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.feeds import FactFeed, Fed, TooOld
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Limit
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.streams import After, Wait

routes = APIRouter(prefix="/v1", tags=["events"])

Listener = Annotated[Caller, Depends(require("connector", "supervisor"))]

UNTOLD_TYPES = frozenset({"token.issued"})
UNTOLD_FIELDS = frozenset({"type", "version", "document"})
"""`document`: `GET /config` answers it to who may read it."""


class CloudEvent(BaseModel):
    """CloudEvents 1.0, structured mode."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: dict[str, Any]


class Events(BaseModel):
    items: list[CloudEvent]
    cursor: str


@routes.get("/events", response_model=Events)
async def events(
    request: Request,
    caller: Listener,
    after: After = None,
    type: Annotated[list[str] | None, Query(max_length=50, description="Only these types; may be repeated.")] = None,
    wait: Wait = 0,
    limit: Limit = 100,
) -> Response:
    """What happened after the cursor. 410 `cursor-too-old` when it is not kept any more: begin without one."""
    feed = FactFeed(request.app.state.process, "desk")
    try:
        found, cursor = await feed.poll(
            caller.workspace, after, types=type, wait_seconds=wait if after is not None else 0, limit=limit
        )
    except TooOld as error:
        raise Problem(410, "cursor-too-old", "what follows this cursor is not kept any more") from error
    wanted = None if type is None else set(type)
    items = [event for fed in found for event in _events(caller, fed) if wanted is None or event["type"] in wanted]
    return Json({"items": items, "cursor": cursor})


def _events(caller: Caller, fed: Fed) -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "id": f"{fed.id}.{place}",
            "source": f"/routing/{caller.workspace}",
            "type": fact["type"],
            "subject": fed.subject,
            "time": fed.at,
            "datacontenttype": "application/json",
            "data": {name: value for name, value in fact.items() if name not in UNTOLD_FIELDS},
        }
        for place, fact in enumerate(fed.facts)
        if fact["type"] not in UNTOLD_TYPES
    ]
