"""`POST /email/{connector}`: a raw mail, from an MTA or a fetcher."""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.instant import Instant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import invalid
from pointsman.runtime.http.routes import routes_under
from pointsman_intake.api.bodies import body_of, media_type
from pointsman_intake.api.callers import OfConnector, gate_of
from pointsman_intake.connectors import Connector
from pointsman_intake.gate import Gate, own_connector
from pointsman_intake.ingest import InQuarantine, accepted_or_quarantined
from pointsman_intake.model import Accepted, Inbound, Raw
from pointsman_intake.parsed import NotUnderstood
from pointsman_intake.parsing import EMAIL_KINDS, mail_arrival, needs_kind

router = routes_under("/v1", "messages")


class MailAccepted(BaseModel):
    """Written: as a message; or to the quarantine, when it could not be understood, or when it opens no ticket
    (`automatic-mail`, `delivery-report`) and belongs to none."""

    message_id: str | None = None
    ticket_id: str | None = None
    duplicate: bool | None = None
    differs: bool | None = None
    quarantine_id: str | None = None
    reason: str | None = None


@router.post(
    "/email/{connector}",
    status_code=202,
    response_model=MailAccepted,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def post_mail(request: Request, caller: OfConnector, connector: str) -> Response:
    """A message as RFC 5322 defines it, byte for byte. Answered after the durable write, understood or not."""
    gate = gate_of(request)
    own_connector(caller, connector)
    _, configured = await gate.connector(caller.workspace, connector)
    needs_kind(connector, configured, EMAIL_KINDS, "raw mail")
    body = await body_of(request, gate.settings.email_bytes_max)
    if not body:
        raise invalid([{"pointer": "", "detail": "no mail"}])
    at = gate.process.clock.now()
    raw = Raw(body, media_type(request.headers))
    taken = await accepted_or_quarantined(
        gate.process.pool,
        caller.workspace,
        connector,
        "email",
        raw,
        at,
        _take(gate, raw, caller.workspace, connector, configured, at),
    )
    if isinstance(taken, InQuarantine):
        return Json({"quarantine_id": taken.quarantine_id, "reason": taken.reason}, 202)
    return Json(taken.answer(), 202)


async def _take(gate: Gate, raw: Raw, workspace: str, slug: str, connector: Connector, at: Instant) -> Accepted:
    arrival = await mail_arrival(gate.readers, raw, workspace, slug, connector, at)
    accepted = (await gate.submit(arrival)).messages[0]
    if accepted is None:
        raise _alone(arrival.messages[0])
    return accepted


def _alone(message: Inbound) -> NotUnderstood:
    """Why mail that opens no ticket is kept aside: it belongs to none."""
    if message.bounced is not None:
        return NotUnderstood("delivery-report", "it is about no mail of ours that is known")
    return NotUnderstood("automatic-mail", "no person wrote it, and it belongs to no conversation that is known")
