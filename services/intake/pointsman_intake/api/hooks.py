"""`/hooks/{workspace}/{connector}`: what providers call. No token: the connector's scheme proves the raw bytes."""

from typing import Annotated, Any

import structlog
from fastapi import Query
from prometheus_client import Counter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pointsman.core.instant import Instant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.secrets import SecretMissing
from pointsman_intake.api.bodies import body_of, media_type
from pointsman_intake.api.callers import gate_of
from pointsman_intake.api.references import refuse_absent
from pointsman_intake.connectors import JSON_KINDS, Connector
from pointsman_intake.gate import Gate
from pointsman_intake.hooks.own import own_arrival
from pointsman_intake.hooks.schemes import SCHEMES, HookRequest, Proof, meta_challenge
from pointsman_intake.ingest import InQuarantine, accepted_or_quarantined
from pointsman_intake.model import Outcome, Raw
from pointsman_intake.parsed import Ignored
from pointsman_intake.parsing import HOOK_KINDS, hook_arrival, read_hook
from pointsman_intake.quarantine import put_in_quarantine

router = routes_under("/v1/hooks", "hooks")
log = structlog.get_logger(__name__)

REFUSED = Counter("pointsman_hooks_refused_total", "Providers' webhooks and challenges refused, by why.", ["reason"])

_ANY_BODY: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": {}}}}}


class NotProved(Exception):
    """Nothing proves the request. Why is for the log: a stranger does not learn which names exist."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class HookAccepted(BaseModel):
    """What was in the webhook. `duplicate`: the request came before. `parked`: so much came before what it is about,
    and waits for that. `quarantine_id`: what could not be read is kept there. A challenge has its own answer."""

    messages: list[dict[str, Any]] = []
    ignored: list[dict[str, str]] = []
    duplicate: bool = False
    parked: int = 0
    quarantine_id: str | None = None
    challenge: str | None = None


@router.get(
    "/{workspace}/{connector}",
    response_class=PlainTextResponse,
    responses={200: {"description": "The challenge.", "content": {"text/plain": {}}}},
)
async def challenge(
    request: Request,
    workspace: str,
    connector: str,
    mode: Annotated[str, Query(alias="hub.mode")] = "",
    given: Annotated[str | None, Query(alias="hub.challenge", max_length=4096)] = None,
    token: Annotated[str, Query(alias="hub.verify_token", max_length=4096)] = "",
) -> Response:
    """Meta's verification of a subscription: answered when the verify token is the connector's `challenge_secret`."""
    try:
        answer = await _answered(gate_of(request), workspace, connector, mode, given, token)
    except NotProved as why:
        _note(workspace, connector, why)
        raise Problem(403, "challenge-refused", "nothing here has this verify token") from why
    return PlainTextResponse(answer, headers={"X-Content-Type-Options": "nosniff"})


@router.post("/{workspace}/{connector}", response_model=HookAccepted, openapi_extra=_ANY_BODY)
async def post_hook(request: Request, workspace: str, connector: str) -> Response:
    """A provider's webhook. 401 unless the connector's scheme proves the bytes, and in the same words whatever is
    missing; what cannot be understood is kept."""
    gate = gate_of(request)
    body = await body_of(request, gate.settings.hook_bytes_max)
    at = gate.process.clock.now()
    asked = HookRequest("POST", {k.lower(): v for k, v in request.headers.items()}, request.query_params, body)
    try:
        configured, proof = await _proved(gate, workspace, connector, asked, at)
    except NotProved as why:
        _note(workspace, connector, why)
        detail = "nothing proves these bytes: no connector here has a secret that signs them so, now"
        raise Problem(401, "not-proved", detail, headers={"WWW-Authenticate": "Signature"}) from why
    raw = Raw(body, media_type(request.headers), _kept(configured, asked))
    work = _take(gate, raw, workspace, connector, configured, at, proof.token)
    taken = await accepted_or_quarantined(gate.process.pool, workspace, connector, "hook", raw, at, work)
    if isinstance(taken, InQuarantine):
        return Json({"messages": [], "ignored": [], "duplicate": False, "quarantine_id": taken.quarantine_id})
    return Json(taken)


async def _take(
    gate: Gate, raw: Raw, workspace: str, slug: str, connector: Connector, at: Instant, token: str | None
) -> dict[str, Any]:
    """What to answer, after the durable write."""
    if connector.kind in JSON_KINDS:
        arrival = own_arrival(raw, workspace, slug, connector, at, token)
        await refuse_absent(gate, arrival.messages)
        return _said(await gate.submit(arrival), ())
    read = read_hook(raw, workspace, slug, connector)
    if read.reply is not None:
        return read.reply
    kept = {}
    if why := read.not_understood():
        kept["quarantine_id"] = await put_in_quarantine(gate.process.pool, workspace, slug, "hook", raw, why, at)
    if not read.messages and not read.reports:
        return _said(Outcome(), read.ignored) | kept
    outcome = await gate.submit(hook_arrival(read, raw, workspace, slug, connector, at))
    return _said(outcome, read.ignored) | kept


async def _proved(gate: Gate, workspace: str, slug: str, asked: HookRequest, at: Instant) -> tuple[Connector, Proof]:
    """The connector, and the proof that its provider sent the request. Raises `NotProved`."""
    connector = await _connector(gate, workspace, slug)
    if connector.kind not in HOOK_KINDS | JSON_KINDS:
        raise NotProved("wrong-kind", f"it is of kind {connector.kind}, which takes no webhooks")
    scheme = SCHEMES.get(connector.verify.scheme or "")
    if scheme is None:
        raise NotProved("no-scheme", f"its `verify: {{scheme}}` is {connector.verify.scheme}: it takes no webhooks")
    secrets = await _secrets(gate, workspace, connector.verify.secret)
    proof = scheme.prove(asked, secrets, at.timestamp())
    if not proof.accepted:
        raise NotProved("forged", proof.detail)
    return connector, proof


async def _answered(gate: Gate, workspace: str, slug: str, mode: str, given: str | None, token: str) -> str:
    """The answer to a challenge. Raises `NotProved`."""
    connector = await _connector(gate, workspace, slug)
    secrets = await _secrets(gate, workspace, connector.verify.challenge_secret)
    answer = meta_challenge(mode, given, token, secrets)
    if answer is None:
        raise NotProved("forged", "the verify token is not this connector's")
    return answer


async def _connector(gate: Gate, workspace: str, slug: str) -> Connector:
    found = await gate.book.connector(workspace, slug)
    if found is None:
        raise NotProved("unknown-connector", "there is no such connector")
    return found[1]


async def _secrets(gate: Gate, workspace: str, name: str | None) -> tuple[str, ...]:
    """What may prove it: during a rotation the new secret and the one before. Raises `NotProved`."""
    try:
        return await gate.process.secrets.values(workspace, name)
    except SecretMissing as error:
        raise NotProved("secret-missing", str(error)) from error


def _note(workspace: str, slug: str, why: NotProved) -> None:
    """What the caller is not told: in the log and the metric, for whoever helps a provider that is refused."""
    REFUSED.labels(why.reason).inc()
    say = log.warning if why.reason in ("secret-missing", "no-scheme", "wrong-kind") else log.info
    say("webhook refused", workspace=workspace[:63], connector=slug[:63], reason=why.reason, detail=str(why))


def _kept(connector: Connector, asked: HookRequest) -> dict[str, str]:
    scheme = SCHEMES[connector.verify.scheme or ""]
    return {name: asked.headers[name] for name in scheme.headers_kept if name in asked.headers}


def _said(outcome: Outcome, ignored: tuple[Ignored, ...]) -> dict[str, Any]:
    return {
        "messages": [accepted.answer() for accepted in outcome.messages if accepted is not None],
        "ignored": [{"kind": one.kind, "reason": one.reason} for one in ignored],
        "duplicate": outcome.replayed,
        "parked": sum(one is None for one in outcome.messages) + sum(not one.found for one in outcome.reports),
    }
