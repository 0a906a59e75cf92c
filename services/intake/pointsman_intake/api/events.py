"""`POST /events`: what happens in a conversation beside messages."""

from typing import Annotated

from fastapi import Body
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.instant import Instant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import invalid, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_intake.api.callers import OfConnector, gate_of
from pointsman_intake.gate import own_connector
from pointsman_intake.model import Arrival, Report, Signal
from pointsman_intake.shapes import EventIn

router = routes_under("/v1", "events")


class EventAccepted(BaseModel):
    """`ticket_id` is null when the conversation has no open ticket: nothing was told then."""

    ticket_id: str | None
    duplicate: bool


@router.post("/events", status_code=202, response_model=EventAccepted)
async def post_event(request: Request, caller: OfConnector, event: Annotated[EventIn, Body()]) -> Response:
    """Takes an event; a repeat of its `external_id` is a duplicate and says nothing."""
    gate = gate_of(request)
    own_connector(caller, event.connector)
    await gate.connector(caller.workspace, event.connector)
    at = gate.process.clock.now()
    outcome = await gate.submit(_arrival(event, caller.workspace, at))
    if outcome.reports and not outcome.reports[0].found:
        raise not_found("reply")
    ticket = outcome.signals[0] if outcome.signals else None
    return Json({"ticket_id": ticket, "duplicate": outcome.replayed}, 202)


def _arrival(event: EventIn, workspace: str, at: Instant) -> Arrival:
    token = None if event.kind == "typing" else f"event:{event.external_id}"
    occurred_at = min(event.occurred_at or at, at)
    match event.kind:
        case "left" | "returned" | "ended" | "typing":
            signal = Signal(workspace, event.connector, event.thread, event.kind, occurred_at)
            return Arrival(workspace, event.connector, at, signals=(signal,), token=token)
        case "delivered" | "read" | "failed":
            if event.message_id is None:
                errors = [{"pointer": "/message_id", "detail": f"is needed for {event.kind}"}]
                raise invalid(errors)
            report = Report(
                workspace, event.connector, event.kind, message_id=event.message_id, permanent=event.kind == "failed"
            )
            return Arrival(workspace, event.connector, at, reports=(report,), token=token)
