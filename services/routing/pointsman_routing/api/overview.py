"""`/v1/queues` and `/v1/agents`: the supervisor's view of the floor."""

from typing import Annotated, Literal

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import PresenceHold, QueueClose, QueueDepths, QueueOpen
from pointsman.contracts.shapes import PresenceState
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, answer_command, ask
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.shapes import (
    AGENT_COLUMNS,
    AgentShape,
    PresenceShape,
    QueueShape,
    StandingShape,
    agent_shape,
)

routes = routes_under("/v1", "floor")

Supervisor = Annotated[Caller, Depends(require("supervisor"))]


class Hold(Body):
    """A state that a supervisor sets; with `hold` it stands until released (`hold: false`) or until `until`."""

    state: PresenceState
    reason: Annotated[str | None, Field(max_length=200)] = None
    until: GivenInstant | None = None
    hold: bool = False


class OtherQueue(Body):
    """Into another queue."""

    to: Annotated[str, Field(min_length=1, max_length=63)]


class Close(Body):
    """`then` instead of the queue's own rule: `hold` offers nothing until it opens, `resolve` ends what waits."""

    until: GivenInstant | None = None
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    then: Literal["hold", "resolve"] | OtherQueue | None = None


class Open(Body):
    reason: Annotated[str | None, Field(max_length=200)] = None


@routes.get("/queues", response_model=Page[QueueShape])
async def queues(request: Request, caller: Supervisor) -> Response:
    """Each queue: open, closed or full, depth, the oldest waiting ticket, agents eligible now; by the desk itself."""
    command = QueueDepths(actor=actor(caller.role, caller.sub))
    depths, *_ = await ask(request, caller, command, subject="queues")
    return Json({"items": depths["items"], "next_cursor": None})


@routes.get("/queues/{q}", response_model=QueueShape)
async def queue(request: Request, caller: Supervisor, q: str) -> Response:
    """One queue."""
    command = QueueDepths(actor=actor(caller.role, caller.sub), queue=q)
    depths, *_ = await ask(request, caller, command, subject="queues")
    return Json(depths["items"][0])


@routes.post("/queues/{q}/close", response_model=StandingShape)
async def close(request: Request, caller: Supervisor, q: str, body: Close, key: IdempotencyKey) -> Response:
    """Closes a queue, until an instant or until it is opened. Its `closed` rule runs for every ticket that enters and,
    once per ticket, for those that wait already; offers stand. 422 `invalid` when `until` is past or `then` names no
    other queue."""
    command = QueueClose(actor=actor(caller.role, caller.sub), queue=q, **body.model_dump())
    return await answer_command(request, caller, command, subject=f"queue:{q}", key=key)


@routes.post("/queues/{q}/open", response_model=StandingShape)
async def open_again(
    request: Request, caller: Supervisor, q: str, key: IdempotencyKey, body: Open | None = None
) -> Response:
    """Ends a closing. Outside its hours the queue is open until they begin; held tickets are offered at once."""
    reason = body.reason if body is not None else None
    command = QueueOpen(actor=actor(caller.role, caller.sub), queue=q, reason=reason)
    return await answer_command(request, caller, command, subject=f"queue:{q}", key=key)


@routes.get("/agents", response_model=Page[AgentShape])
async def agents(request: Request, caller: Supervisor, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The agents of the configuration, by slug."""
    rows = await request.app.state.process.pool.fetch(
        f"SELECT {AGENT_COLUMNS} FROM agent WHERE workspace = $1 AND active AND agent > $2 ORDER BY agent LIMIT $3",
        caller.workspace,
        decode_cursor(cursor, str)[0] if cursor else "",
        limit + 1,
    )
    return page_of(rows, limit, agent_shape, lambda row: (row["agent"],))


@routes.get("/agents/{a}", response_model=AgentShape)
async def agent(request: Request, caller: Supervisor, a: str) -> Response:
    """One agent."""
    row = await request.app.state.process.pool.fetchrow(
        f"SELECT {AGENT_COLUMNS} FROM agent WHERE workspace = $1 AND agent = $2 AND active", caller.workspace, a
    )
    if row is None:
        raise not_found("agent")
    return Json(agent_shape(row))


@routes.put("/agents/{a}/presence", response_model=PresenceShape)
async def hold(request: Request, caller: Supervisor, a: str, body: Hold) -> Response:
    """Sets an agent's state, and may hold it against the agent's own choice."""
    command = PresenceHold(actor=actor(caller.role, caller.sub), agent=a, **body.model_dump())
    return await answer_command(request, caller, command, subject=f"agent:{a}")
