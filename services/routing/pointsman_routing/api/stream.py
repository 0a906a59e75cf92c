"""`/v1/me/stream`: everything that concerns an agent, as Server-Sent Events.

The facts about its offers, its tickets and their messages are resumable: each carries the cursor after it. Warnings and
breaches of its tickets, and who looks at them, come as they happen and are not repeated.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.auth import Caller, require
from pointsman.runtime.broadcast import Heard
from pointsman.runtime.http.feeds import FactFeed, TooOld
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.streams import Event, event_stream, last_event_id
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.tasks import awaited
from pointsman_routing.api.viewing import Viewings

QUEUED_MAX = 100


class AgentStream:
    """The route, with what it shares in one process."""

    def __init__(self, process: ApiProcess, viewings: Viewings) -> None:
        self._process, self._viewings = process, viewings

    def router(self) -> APIRouter:
        routes = APIRouter(prefix="/v1/me", tags=["me"])
        routes.add_api_route(
            "/stream",
            self.stream,
            methods=["GET"],
            response_class=Response,
            responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
        )
        return routes

    async def stream(
        self, request: Request, caller: Annotated[Caller, Depends(require("agent", personal=True))]
    ) -> Response:
        """Each fact about the caller's offers, tickets and messages under its type, resumable; `clock.warned`,
        `clock.breached` and `ticket.viewers` of its tickets as they come."""
        feed = FactFeed(self._process, "desk")
        start, lost = await feed.resume(caller.workspace, last_event_id(request))
        events = self._events(caller, feed, start, lost=lost)
        return event_stream(self._process, caller, events, cursor=start)

    async def _events(self, caller: Caller, feed: FactFeed, start: str, *, lost: bool) -> AsyncIterator[Event]:
        """What the sources say, merged."""
        queue: asyncio.Queue[Event | BaseException] = asyncio.Queue(maxsize=QUEUED_MAX)
        sources = (
            _desk_events(caller, feed, start, lost=lost),
            self._clock_events(caller),
            self._viewings.follow(caller.workspace, caller.sub),
        )
        tasks = [awaited(_forward(source, queue)) for source in sources]
        try:
            while True:
                event = await queue.get()
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _clock_events(self, caller: Caller) -> AsyncIterator[Event]:
        async with self._process.broadcast.subscribe(
            topic="sla", workspace=caller.workspace, agent=caller.sub
        ) as subscription:
            async for heard in subscription:
                if isinstance(heard, Heard):
                    for fact in heard.facts:
                        yield Event(fact["type"], fact)


async def _forward(events: AsyncIterator[Event], queue: "asyncio.Queue[Event | BaseException]") -> None:
    try:
        async for event in events:
            await queue.put(event)
    except Exception as error:
        await queue.put(error)


async def _desk_events(caller: Caller, feed: FactFeed, start: str, *, lost: bool) -> AsyncIterator[Event]:
    if lost:
        yield Event("reset", {"cursor": start}, start)
    while True:
        try:
            async for fed in feed.follow(caller.workspace, start, agent=caller.sub):
                for place, fact in enumerate(fed.facts):
                    last = place == len(fed.facts) - 1
                    data: dict[str, Any] = {"at": fed.at, **fact}
                    yield Event(fact["type"], data, fed.cursor if last else None)
        except (TooOld, Problem):
            start = await feed.newest(caller.workspace)
            yield Event("reset", {"cursor": start}, start)
