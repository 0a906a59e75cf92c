"""`/v1/events`: everything that happened in the workspace, in the order of commits, as a long poll.

Each item is a CloudEvent 1.0: `type` is the fact's (`ticket.assigned`), `subject` what it is about, `data` its fields.
Without `after` the answer begins with the oldest that is kept; a consumer keeps the cursor and comes back. Asked for
`application/cloudevents-batch+json` the answer is the bare array, its cursor in the header `Pointsman-Cursor`.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.events import EVENT_TYPES
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.json import Json, dump_json
from pointsman.runtime.http.pages import Limit, invalid_cursor
from pointsman.runtime.http.problems import Problem, invalid
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import After, Wait, polling
from pointsman.runtime.process import ApiProcess
from pointsman_routing import event_log
from pointsman_routing.event_log import Position

routes = routes_under("/v1", "events")

Listener = Annotated[Caller, Depends(require("connector", "supervisor"))]

BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"
CURSOR_HEADER = "Pointsman-Cursor"
LOOK_SECONDS = 0.5
"""What sla said is heard of when it is committed here: looked for this often while somebody waits."""
DIGITS_MAX = 19

EventType = Annotated[
    list[str] | None, Query(max_length=len(EVENT_TYPES), description="Only these types; may be repeated.")
]


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
    request: Request, caller: Listener, after: After = None, type: EventType = None, wait: Wait = 0, limit: Limit = 100
) -> Response:
    """What happened after the cursor, of at most `limit` decisions. A connector hears of the tickets that it brought.
    410 `cursor-too-old` when what follows is not kept any more: begin without one."""
    for place, name in enumerate(type or ()):
        if name not in EVENT_TYPES:
            errors = [{"pointer": "?type", "detail": f"{name!r} is no type of event (number {place + 1})"}]
            raise invalid(errors)
    process = request.app.state.process
    poll = _Poll(process, caller, type, limit)
    with polling(process, caller, wait):
        found, cursor = await poll.answer(after, wait)
    if BATCH_MEDIA_TYPE in request.headers.get("accept", ""):
        return Response(dump_json(found), media_type=BATCH_MEDIA_TYPE, headers={CURSOR_HEADER: cursor})
    return Json({"items": found, "cursor": cursor})


class _Poll:
    """One call: whose, of which types, and how many decisions at most."""

    def __init__(self, process: ApiProcess, caller: Caller, types: list[str] | None, limit: int) -> None:
        self._process, self._workspace = process, caller.workspace
        self._connector = caller.sub if caller.role == "connector" else None
        self._types, self._limit = types, limit

    async def answer(self, after: str | None, wait_seconds: float) -> tuple[list[dict[str, Any]], str]:
        """(events, cursor): at once when there are some, else as soon as there are, else none. Raises `Problem`."""
        process, loop = self._process, asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        source = f"{process.service}@{await process.incarnation()}"
        place = await self._place(source, after)
        wanted = None if self._types is None else frozenset(self._types)
        async with process.broadcast.subscribe(
            topic="desk", workspace=self._workspace, types=self._types, queued_max=10
        ) as subscription:
            while True:
                subscription.clear()
                page = await event_log.read(
                    process.pool,
                    source,
                    process.lane_of(self._workspace),
                    self._workspace,
                    place,
                    types=self._types,
                    connector=self._connector,
                    limit=self._limit,
                )
                place = page.position
                events = [
                    event for each in page.records for event in event_log.events_of(each, self._workspace, wanted)
                ]
                if events:
                    return events, self._cursor(place)
                if page.more:
                    continue
                left = deadline - loop.time()
                if left <= 0 or process.hub.draining.is_set():
                    return [], self._cursor(place)
                await subscription.wait(min(left, LOOK_SECONDS))

    def _cursor(self, place: Position) -> str:
        return ".".join((self._process.known_incarnation, *map(str, place)))

    async def _place(self, source: str, cursor: str | None) -> Position:
        """Where to begin. Raises `Problem` 422 for what is no cursor, 410 for one that is too old."""
        process = self._process
        first = await event_log.oldest(process.pool, source, process.lane_of(self._workspace))
        if cursor is None:
            return first
        incarnation, *parts = cursor.split(".")
        if not parts or len(parts) > 3 or not all(_is_number(part) for part in parts):
            raise invalid_cursor("after")
        place = Position(*map(int, parts))
        if not event_log.within(place):
            raise invalid_cursor("after")
        if incarnation != process.known_incarnation or place.number < first.number:
            raise Problem(410, "cursor-too-old", "what follows this cursor is not kept any more")
        return place


def _is_number(part: str) -> bool:
    digits = part.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX
