"""Who looks at a ticket right now, so that two people do not work on one thing: told on their streams, kept nowhere.

`PUT /tickets/{id}/viewing` says it for 30 seconds; an app repeats it while the ticket is open on its screen. The API
process that is called broadcasts it on the topic `outcomes`, and each process remembers what it hears until it is over.
Lost with the broker, and back with the next repetition.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.topics import OUTCOMES
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH, Instant, after, parse_rfc3339, rfc3339
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.broadcast import Heard
from pointsman.runtime.broker import BROKER_ERRORS
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import StreamEvent
from pointsman.runtime.process import ApiProcess

log = structlog.get_logger(__name__)

VIEWING_SECONDS = 30
SWEEP_SECONDS = 1.0
VIEWS_OF_AGENT_MAX = 50
RECORD_TYPE = "pointsman.outcomes.viewing.v1"
EVENT = "ticket.viewers"

Viewing = tuple[str, str]
"""(agent, session)."""

CONCERNED = """
    SELECT t.agent AS holder, o.agent AS offered_to,
           (SELECT name FROM agent WHERE workspace = $1 AND agent.agent = $3 AND active) AS name
    FROM ticket t LEFT JOIN offer o ON o.workspace = t.workspace AND o.id = t.offer_id
    WHERE t.workspace = $1 AND t.id = $2
"""


class View(Body):
    """Which of the agent's app sessions shows the ticket."""

    session: Annotated[str, Field(min_length=1, max_length=100)]


class Viewer(BaseModel):
    agent: str
    name: str | None
    until: datetime


class Viewers(BaseModel):
    """Who looks at the ticket, each once."""

    ticket_id: str
    viewers: list[Viewer]


@dataclass(slots=True)
class _Views:
    """Of one ticket: until when who looks, and whom it concerns besides (its holder, whom it is offered to)."""

    until: dict[Viewing, tuple[Instant, str | None]] = field(default_factory=dict)
    concerned: frozenset[str] = frozenset()

    def agents(self) -> set[str]:
        return {*self.concerned, *(agent for agent, _ in self.until)}

    def shape(self, ticket_id: str) -> dict[str, Any]:
        latest: dict[str, tuple[Instant, str | None]] = {}
        for (agent, _), (until, name) in self.until.items():
            latest[agent] = max(latest.get(agent, (until, name)), (until, name), key=lambda view: view[0])
        viewers = [{"agent": agent, "name": name, "until": until} for agent, (until, name) in sorted(latest.items())]
        return {"ticket_id": ticket_id, "viewers": viewers}


class Viewings:
    """What one process knows of who looks at what. `run` ends what is over, until it is cancelled."""

    def __init__(self, process: ApiProcess) -> None:
        self._process = process
        self._tickets: dict[tuple[str, str], _Views] = {}
        self._listeners: dict[tuple[str, str], set[asyncio.Queue[dict[str, Any]]]] = {}
        process.broadcast.listen("outcomes", self._hear)

    def router(self) -> APIRouter:
        routes = routes_under("/v1", "tickets")
        routes.add_api_route("/tickets/{id}/viewing", self.view, methods=["PUT"], response_model=Viewers)
        return routes

    async def view(
        self, request: Request, caller: Annotated[Caller, Depends(require("agent", personal=True))], id: str, body: View
    ) -> Response:
        """The caller looks at the ticket for the next 30 seconds; repeat it while that is so. Answers who looks now.
        They, the holder, and whom it is offered to hear of every change as `ticket.viewers` on their streams."""
        row = await self._process.pool.fetchrow(CONCERNED, caller.workspace, id, caller.sub)
        if row is None:
            raise not_found("ticket")
        until = after(self._process.clock.now(), VIEWING_SECONDS)
        said = {
            "ticket_id": id,
            "agent": caller.sub,
            "session": body.session,
            "name": row["name"],
            "until": rfc3339(until),
            "concerned": [agent for agent in (row["holder"], row["offered_to"]) if agent is not None],
        }
        self._note(caller.workspace, said)
        await self._broadcast(caller.workspace, id, said)
        return Json(self._tickets[caller.workspace, id].shape(id))

    async def follow(self, workspace: str, agent: str) -> AsyncIterator[StreamEvent]:
        """Who looks at the agent's tickets and at those that it looks at: as it is now, then each change."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listeners = self._listeners.setdefault((workspace, agent), set())
        listeners.add(queue)
        try:
            for (owner, id), views in list(self._tickets.items()):
                if owner == workspace and agent in views.agents():
                    yield StreamEvent(EVENT, views.shape(id))
            while True:
                yield StreamEvent(EVENT, await queue.get())
        finally:
            listeners.discard(queue)
            if not listeners:
                self._listeners.pop((workspace, agent), None)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if self._tickets:
                self._end(self._process.clock.now())

    def _end(self, now: Instant) -> None:
        for (workspace, id), views in list(self._tickets.items()):
            over = [viewing for viewing, (until, _) in views.until.items() if until <= now]
            if not over:
                continue
            told = views.agents()
            for viewing in over:
                del views.until[viewing]
            if not views.until:
                del self._tickets[workspace, id]
            self._tell(workspace, told, views.shape(id))

    async def _broadcast(self, workspace: str, id: str, said: dict[str, Any]) -> None:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", random_id("view", EPOCH).encode()),
            ("ce_source", f"routing-api/{self._process.hub.id}".encode()),
            ("ce_type", RECORD_TYPE.encode()),
            ("ce_subject", id.encode()),
            ("ce_workspace", workspace.encode()),
        ]
        try:
            lane = self._process.lane_of(workspace)
            await self._process.hub.link.send(OUTCOMES, lane, workspace.encode(), orjson.dumps(said), headers)
        except BROKER_ERRORS as error:
            log.debug("viewing told only here", error=repr(error))

    def _hear(self, heard: Heard) -> None:
        if heard.header("ce_type") == RECORD_TYPE:
            self._note(heard.workspace, orjson.loads(heard.arrived.value or b"{}"))

    def _note(self, workspace: str, said: dict[str, Any]) -> None:
        until = parse_rfc3339(said["until"])
        if until <= self._process.clock.now():
            return
        id, viewing = said["ticket_id"], (said["agent"], said["session"])
        views = self._tickets.setdefault((workspace, id), _Views())
        views.concerned = frozenset(said["concerned"])
        new = said["agent"] not in {agent for agent, _ in views.until}
        views.until[viewing] = (until, said["name"])
        if new:
            self._forget_oldest(workspace, said["agent"])
            self._tell(workspace, views.agents(), views.shape(id))

    def _forget_oldest(self, workspace: str, agent: str) -> None:
        """A client that opens ticket after ticket is remembered for its newest ones."""
        own = [
            (until, id, viewing)
            for (owner, id), views in self._tickets.items()
            if owner == workspace
            for viewing, (until, _) in views.until.items()
            if viewing[0] == agent
        ]
        for _, id, viewing in sorted(own)[:-VIEWS_OF_AGENT_MAX]:
            del self._tickets[workspace, id].until[viewing]

    def _tell(self, workspace: str, agents: Iterable[str], shape: dict[str, Any]) -> None:
        for agent in agents:
            for queue in self._listeners.get((workspace, agent), ()):
                queue.put_nowait(shape)
