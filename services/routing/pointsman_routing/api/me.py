"""`/v1/me`: what an agent's app calls for its agent. None of the reads renews the lease."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import PresenceEnd, PresenceSet
from pointsman.contracts.shapes import Channel
from pointsman.contracts.wire import actor
from pointsman.core.instant import after
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import answer_command
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.streams import After, Wait, polling
from pointsman.runtime.process import ApiProcess
from pointsman_routing.api.offers import NOTHING_SEEN, OfferReader, Seen
from pointsman_routing.api.renewals import Renewals
from pointsman_routing.api.shapes import (
    AGENT_COLUMNS,
    MeShape,
    OfferShape,
    PresenceShape,
    TicketShape,
    agent_shape,
    presence_shape,
    ticket_columns,
    ticket_shape,
)

LEASE_SECONDS_MAX = 3_600
BUNDLED_LEASE_SECONDS_MIN = 5
"""Shorter leases would not survive a second's wait in a bundle."""

OFFER_TYPES = ("offer.made", "offer.accepted", "offer.rejected", "offer.expired", "offer.rescinded")

READ_ASSIGNMENTS = f"""
    SELECT {ticket_columns("t")} FROM ticket t
    WHERE t.workspace = $1 AND t.agent = $2 AND t.id > $3
      AND (t.state IN ('assigned', 'pending', 'snoozed') OR (t.state = 'resolved' AND t.wrap_up_until IS NOT NULL))
    ORDER BY t.id LIMIT $4
"""

MyCaller = Annotated[Caller, Depends(require("agent", personal=True))]
Session = Annotated[str, Field(min_length=1, max_length=100)]


class SetPresence(Body):
    """`state` only when a person chose it; without it the call renews the lease."""

    session: Session
    lease_seconds: Annotated[int, Field(ge=1, le=LEASE_SECONDS_MAX)]
    state: Annotated[str | None, Field(pattern="^(available|away|offline)$")] = None
    reason: Annotated[str | None, Field(max_length=200)] = None
    channels: tuple[Channel, ...] | None = None


class OffersSince(BaseModel):
    """What the caller is offered: without `after` the pending offers, with it what changed since, ended ones too."""

    items: list[OfferShape]
    cursor: str


class MyRoutes:
    """The routes, with what they share in one process."""

    def __init__(self, renewals: Renewals, offers: OfferReader) -> None:
        self._renewals = renewals
        self._offers = offers

    def router(self) -> APIRouter:
        routes = routes_under("/v1/me", "me")
        routes.add_api_route("", me, methods=["GET"], response_model=MeShape)
        routes.add_api_route("/presence", self.set_presence, methods=["PUT"], response_model=PresenceShape)
        routes.add_api_route(
            "/sessions/{session}", end_session, methods=["DELETE"], response_model=PresenceShape | None
        )
        routes.add_api_route("/offers", self.offers, methods=["GET"], response_model=OffersSince)
        routes.add_api_route("/assignments", assignments, methods=["GET"], response_model=Page[TicketShape])
        return routes

    async def set_presence(self, request: Request, body: SetPresence, caller: MyCaller) -> Response:
        """Renews the session's lease; with `state` the agent's state is chosen. 409 `presence-held` while a supervisor
        holds it."""
        if body.state is None and body.reason is None and body.channels is None:
            renewed = await self._renewed(request, body, caller)
            if renewed is not None:
                return renewed
        command = PresenceSet(actor=actor(caller.role, caller.sub), agent=caller.sub, **body.model_dump())
        return await answer_command(request, caller, command, subject=f"agent:{caller.sub}")

    async def _renewed(self, request: Request, body: SetPresence, caller: Caller) -> Response | None:
        """The answer to a renewal that changes nothing but the lease; None when a command must decide.

        A lease that the table shows as over says only that the desk is behind: as long as it has not declared the
        agent gone, the renewal reaches it before the lapse is decided.
        """
        if body.lease_seconds < BUNDLED_LEASE_SECONDS_MIN:
            return None
        process = request.app.state.process
        now = process.clock.now()
        row = await process.pool.fetchrow(
            f"""
            SELECT {AGENT_COLUMNS} FROM agent
            WHERE workspace = $1 AND agent = $2 AND active AND gone_at IS NULL
              AND EXISTS (SELECT FROM session s WHERE s.workspace = $1 AND s.agent = $2 AND s.session = $3)
            """,
            caller.workspace,
            caller.sub,
            body.session,
        )
        if row is None:
            return None
        self._renewals.add(caller.workspace, caller.sub, body.session, after(now, body.lease_seconds))
        return Json(presence_shape(row))

    async def offers(self, request: Request, caller: MyCaller, wait: Wait = 0, after: After = None) -> Response:
        """The caller's offers, as a long poll: at once when there are some, else as soon as there is one, else none."""
        process = request.app.state.process
        with polling(process, caller, wait):
            return await self._offers_since(process, caller, _seen(after), wait)

    async def _offers_since(self, process: ApiProcess, caller: Caller, seen: Seen, waits_seconds: float) -> Response:
        async with process.broadcast.subscribe(
            topic="desk", workspace=caller.workspace, agent=caller.sub, types=OFFER_TYPES, queued_max=1
        ) as subscription:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + waits_seconds
            while True:
                subscription.clear()
                left = deadline - loop.time()
                found = await self._offers.read(caller.workspace, caller.sub, seen, waits=left > 0)
                if found.rows or left <= 0 or process.hub.draining.is_set():
                    return Json({"items": found.shapes(process.clock.now()), "cursor": encode_cursor(*found.seen)})
                await subscription.wait(left)


def _seen(cursor: str | None) -> Seen:
    """Raises `Problem` 422."""
    return NOTHING_SEEN if cursor is None else Seen(*decode_cursor(cursor, int, str, name="after"))


async def me(request: Request, caller: MyCaller) -> Response:
    """The caller as an agent."""
    pool = request.app.state.process.pool
    row = await pool.fetchrow(
        f"SELECT {AGENT_COLUMNS} FROM agent WHERE workspace = $1 AND agent = $2 AND active",
        caller.workspace,
        caller.sub,
    )
    if row is None:
        raise not_found("agent")
    sessions = await pool.fetch(
        "SELECT session, lease_until FROM session WHERE workspace = $1 AND agent = $2 AND lease_until > $3 ORDER BY 1",
        caller.workspace,
        caller.sub,
        request.app.state.process.clock.now(),
    )
    return Json(agent_shape(row) | {"sessions": [dict(session) for session in sessions]})


async def end_session(
    request: Request, caller: MyCaller, session: Annotated[str, Path(min_length=1, max_length=100)]
) -> Response:
    """The app says goodbye; without another session the agent is offline."""
    command = PresenceEnd(actor=actor(caller.role, caller.sub), agent=caller.sub, session=session)
    return await answer_command(request, caller, command, subject=f"agent:{caller.sub}")


async def assignments(request: Request, caller: MyCaller, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The tickets that the caller holds: assigned, pending, and those in wrap-up."""
    after_id = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await request.app.state.process.pool.fetch(
        READ_ASSIGNMENTS, caller.workspace, caller.sub, after_id, limit + 1
    )
    return page_of(rows, limit, ticket_shape, lambda row: (row["id"],))
