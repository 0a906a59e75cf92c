"""Messages, as they were understood and as they came."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_intake.api.callers import ConnectorOrSupervisor, gate_of, seen_by

router = routes_under("/v1/messages", "messages")

_MESSAGE = "SELECT id, body FROM message WHERE id = $1 AND workspace = $2 AND ($3::text IS NULL OR connector = $3)"
_REPLY = """
SELECT id, ticket_id, connector, thread, state, body, external_id FROM delivery
WHERE id = $1 AND workspace = $2 AND ($3::text IS NULL OR connector = $3)
"""
_RAW = """
SELECT raw.body, raw.content_type FROM message JOIN raw ON raw.id = message.raw_id
WHERE message.id = $1 AND message.workspace = $2 AND ($3::text IS NULL OR message.connector = $3)
"""


class Message(BaseModel):
    """A message as understood; members that it does not have are left out."""

    model_config = ConfigDict(extra="allow")

    id: str
    ticket_id: str
    direction: str
    connector: str
    thread: str
    author: dict[str, Any]
    text: str
    delivery: str | None = None
    occurred_at: datetime
    received_at: datetime | None = None


@router.get("/{id}", response_model=Message)
async def message(request: Request, caller: ConnectorOrSupervisor, id: str) -> Response:
    """What was understood of a message, or a reply on its way out."""
    pool = gate_of(request).process.pool
    row = await pool.fetchrow(_MESSAGE, id, caller.workspace, seen_by(caller))
    if row is not None:
        body = {name: value for name, value in row["body"].items() if name not in ("type", "version", "message_id")}
        return Json({"id": row["id"], "direction": "in", "text": "", **body})
    row = await pool.fetchrow(_REPLY, id, caller.workspace, seen_by(caller))
    if row is None:
        raise not_found("message")
    known = {name: row[name] for name in ("id", "ticket_id", "connector", "thread", "external_id") if row[name]}
    return Json({**row["body"], **known, "direction": "out", "delivery": row["state"]})


@router.get(
    "/{id}/raw",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The bytes as they came."}},
)
async def raw(request: Request, caller: ConnectorOrSupervisor, id: str) -> Response:
    """The bytes of the call that brought the message (of a batch: the whole batch)."""
    row = await gate_of(request).process.pool.fetchrow(_RAW, id, caller.workspace, seen_by(caller))
    if row is None:
        raise not_found("message with its bytes")
    return Response(
        row["body"],
        media_type="application/octet-stream",
        headers={
            "Pointsman-Content-Type": row["content_type"],
            "Content-Disposition": "attachment",
            "X-Content-Type-Options": "nosniff",
        },
    )
