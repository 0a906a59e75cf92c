"""`/v1/me/stream`: everything that concerns an agent, as Server-Sent Events.

It begins with what is there: `offer.pending` for each offer that waits for an answer and `ticket.held` for each ticket
in hand, also after a `reset`; then an app that only listens misses nothing. The facts about its offers, its tickets and
their messages are resumable: each carries the cursor after it. Warnings and breaches of its tickets, and who looks at
them, come as they happen and are not repeated.
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
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import StreamEvent, event_stream, last_event_id
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.tasks import awaited, cancel_all
from pointsman_routing.api.me import READ_ASSIGNMENTS
from pointsman_routing.api.offers import NOTHING_SEEN, OFFERS_MAX, OfferReader
from pointsman_routing.api.shapes import ticket_shape
from pointsman_routing.api.viewing import Viewings

QUEUED_MAX = 100
PAGE = 200


class AgentStream:
    """The route, with what it shares in one process."""

    def __init__(self, process: ApiProcess, viewings: Viewings, offers: OfferReader) -> None:
        self._process, self._viewings, self._offers = process, viewings, offers

    def router(self) -> APIRouter:
        routes = routes_under("/v1/me", "me")
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
        """What is offered and in hand (`offer.pending`, `ticket.held`), unless `Last-Event-ID` says that the app knows;
        then each fact about the caller's offers, tickets and messages under its type, resumable; `clock.warned`,
        `clock.breached` and `ticket.viewers` of its tickets as they come."""
        feed = FactFeed(self._process, "desk")
        seen = last_event_id(request)
        start, lost = await feed.resume(caller.workspace, seen)
        events = self._events(caller, feed, start, anew=lost or seen is None, lost=lost)
        return event_stream(self._process, caller, events, cursor=start)

    async def _events(
        self, caller: Caller, feed: FactFeed, start: str, *, anew: bool, lost: bool
    ) -> AsyncIterator[StreamEvent]:
        """What the sources say, merged."""
        queue: asyncio.Queue[StreamEvent | BaseException] = asyncio.Queue(maxsize=QUEUED_MAX)
        sources = (
            self._desk_events(caller, feed, start, anew=anew, lost=lost),
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
            await cancel_all(tasks)

    async def _desk_events(
        self, caller: Caller, feed: FactFeed, start: str, *, anew: bool, lost: bool
    ) -> AsyncIterator[StreamEvent]:
        while True:
            if lost:
                yield StreamEvent("reset", {"cursor": start}, start)
            if anew:
                async for event in self._what_is_there(caller):
                    yield event
            try:
                async for fed in feed.follow(caller.workspace, start, agent=caller.sub):
                    for place, fact in enumerate(fed.facts):
                        last = place == len(fed.facts) - 1
                        data: dict[str, Any] = {"at": fed.at, **fact}
                        yield StreamEvent(fact["type"], data, fed.cursor if last else None)
            except (TooOld, Problem):
                start, lost, anew = await feed.newest(caller.workspace), True, True

    async def _what_is_there(self, caller: Caller) -> AsyncIterator[StreamEvent]:
        """The pending offers and the tickets in hand, read after the cursor from which facts follow: what happens
        meanwhile is told twice, never not at all."""
        seen, found = NOTHING_SEEN, None
        while found is None or len(found.rows) == OFFERS_MAX:
            found = await self._offers.read(caller.workspace, caller.sub, seen)
            for shape in found.shapes(self._process.clock.now()):
                if shape["state"] == "pending":
                    yield StreamEvent("offer.pending", shape)
            seen = found.seen
        id = ""
        while True:
            rows = await self._process.pool.fetch(READ_ASSIGNMENTS, caller.workspace, caller.sub, id, PAGE)
            for row in rows:
                yield StreamEvent("ticket.held", ticket_shape(row))
            if len(rows) < PAGE:
                return
            id = rows[-1]["id"]

    async def _clock_events(self, caller: Caller) -> AsyncIterator[StreamEvent]:
        async with self._process.broadcast.subscribe(
            topic="sla", workspace=caller.workspace, agent=caller.sub
        ) as subscription:
            async for heard in subscription:
                if isinstance(heard, Heard):
                    for fact in heard.facts:
                        yield StreamEvent(fact["type"], fact)


async def _forward(events: AsyncIterator[StreamEvent], queue: "asyncio.Queue[StreamEvent | BaseException]") -> None:
    try:
        async for event in events:
            await queue.put(event)
    except Exception as error:
        await queue.put(error)
