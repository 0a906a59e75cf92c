"""`POST /messages` and `/messages:batch`: plain ASGI, since what surrounds a call costs more than the call.

They are answered before the application's router, under the same layer that every call has (ids, measurements,
problems); OpenAPI documents them from the same shapes (`documents`).
"""

import json
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from pointsman.core.instant import Instant
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.limits import App, CallLayer, Receive, Scope, Send
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.storable import may_be_unstorable, refuse_body, refuse_value
from pointsman_intake.api.bodies import Headers, headers_of, media_type, read_body
from pointsman_intake.api.documents import document_hot_routes
from pointsman_intake.cloudevents import from_binary, from_structured
from pointsman_intake.connectors import Connector
from pointsman_intake.gate import Gate, own_connector
from pointsman_intake.model import Arrival, Inbound, Raw
from pointsman_intake.refusals import refused
from pointsman_intake.shapes import MESSAGE, MessageIn
from pointsman_intake.understand import inbound

CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS = "application/cloudevents-batch+json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_JSON = (b"content-type", b"application/json")
_RAW_HEADERS = ("ce-id", "ce-source", "ce-type", "ce-time", "user-agent")


def add_hot_routes(app: FastAPI, gate: Gate) -> None:
    """Puts the two routes in front of the application, and into its OpenAPI document."""
    app.add_middleware(HotRoutes, gate=gate)
    document_hot_routes(app)


class HotRoutes:
    """Answers its own routes and hands every other call on."""

    def __init__(self, app: App, gate: Gate) -> None:
        self._app = app
        routes = (("/v1/messages", PostMessage(gate)), ("/v1/messages:batch", PostBatch(gate)))
        self._routes = {
            path: (
                Route(path, endpoint=endpoint, methods=["POST"]),
                CallLayer(
                    endpoint,
                    service="intake",
                    body_bytes_max=gate.settings.batch_bytes_max,
                    admission=gate.process.admission,
                ),
            )
            for path, endpoint in routes
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            found = self._routes.get(scope["path"][len(scope.get("root_path", "")) :])
            if found is not None:
                scope["route"], answer = found
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class PostMessage:
    """One message, as JSON or as a CloudEvent, structured or binary."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate = self._gate
        headers = headers_of(scope)
        caller = gate.process.auth.admit(headers, ("connector",), reads=False)
        kind = media_type(headers)
        body = await read_body(headers, receive, gate.settings.message_bytes_max)
        refuse_body(body)
        at = gate.process.clock.now()
        try:
            message = _read_one(kind, headers, body)
        except ValidationError as error:
            raise refused(error) from error
        own_connector(caller, message.connector)
        _, connector = await gate.connector(caller.workspace, message.connector)
        one = inbound(message, caller.workspace, connector, at)
        kept = {name: headers[name] for name in _RAW_HEADERS if name in headers}
        arrival = Arrival(caller.workspace, one.connector, at, Raw(body, kind, kept), (one,))
        accepted = (await gate.submit(arrival)).messages[0]
        assert accepted is not None
        answer = orjson.dumps(accepted.answer())
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 202, "headers": [_JSON, length]})
        await send({"type": "http.response.body", "body": answer})


def _read_one(kind: str, headers: Headers, body: bytes) -> MessageIn:
    if kind == "application/json":
        if "ce-specversion" in headers:
            return from_binary(headers, body)
        return MESSAGE.validate_json(body)
    if kind == CLOUDEVENT:
        return from_structured(_loads(body))
    raise _unsupported(kind, ("application/json", CLOUDEVENT))


class PostBatch:
    """Up to 1,000 messages; each is accepted or refused on its own."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate = self._gate
        headers = headers_of(scope)
        caller = gate.process.auth.admit(headers, ("connector",), reads=False)
        kind = media_type(headers)
        body = await read_body(headers, receive, gate.settings.batch_bytes_max)
        at = gate.process.clock.now()
        items = _split(kind, body, gate.settings.batch_messages_max)
        closely = may_be_unstorable(body)
        _, connector = await gate.connector(caller.workspace, caller.sub)
        answers: list[dict[str, Any]] = []
        messages: list[Inbound] = []
        places: list[int] = []
        for index, item in enumerate(items):
            try:
                messages.append(_read_item(kind, item, caller, connector, at, looked_at_closely=closely))
                places.append(index)
                answers.append({})
            except Problem as problem:
                answers.append({"index": index, "status": problem.status, "error": _error(problem)})
        if messages:
            arrival = Arrival(caller.workspace, messages[0].connector, at, Raw(body, kind), tuple(messages))
            outcome = await gate.submit(arrival)
            for index, accepted in zip(places, outcome.messages, strict=True):
                assert accepted is not None
                answers[index] = {"index": index, "status": 202, **accepted.answer()}
        await Response(orjson.dumps({"items": answers}), 202, media_type="application/json")(scope, receive, send)


def _read_item(
    kind: str, item: Any, caller: Caller, connector: Connector, at: Instant, *, looked_at_closely: bool
) -> Inbound:
    """One item of a batch; all are of the caller's own connector. Raises `Problem`."""
    if isinstance(item, Problem):
        raise item
    if looked_at_closely:
        refuse_value(item)
    try:
        message = from_structured(item) if kind == CLOUDEVENTS else MESSAGE.validate_python(item)
    except ValidationError as error:
        raise refused(error) from error
    own_connector(caller, message.connector)
    return inbound(message, caller.workspace, connector, at)


def _split(kind: str, body: bytes, count_max: int) -> list[Any]:
    """The items of a batch; an item that is no JSON by itself is the `Problem` that refuses it."""
    if kind in NDJSON:
        items: list[Any] = [_loads_or_problem(line) for line in body.split(b"\n") if line.strip()]
    elif kind in ("application/json", CLOUDEVENTS):
        items = _loads(body)
        if not isinstance(items, list):
            raise Problem(422, "invalid-request", "the body is not an array", [{"pointer": "", "detail": "no array"}])
    else:
        raise _unsupported(kind, ("application/json", NDJSON[0], CLOUDEVENTS))
    if len(items) > count_max:
        raise Problem(413, "too-many-messages", f"a batch has at most {count_max} messages, this one {len(items)}")
    return items


def _loads(body: bytes, what: str = "body") -> Any:
    """The value of a JSON text, with its half characters when it has some: orjson would call it no JSON."""
    try:
        return json.loads(body) if may_be_unstorable(body) else orjson.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "not-json", f"the {what} is not JSON: {error}") from error


def _loads_or_problem(line: bytes) -> Any:
    try:
        return _loads(line, "line")
    except Problem as problem:
        return problem


def _error(problem: Problem) -> dict[str, Any]:
    error: dict[str, Any] = {"code": problem.code, "detail": problem.detail}
    if problem.errors:
        error["errors"] = list(problem.errors)
    return error


def _unsupported(kind: str, known: tuple[str, ...]) -> Problem:
    return Problem(415, "unsupported-media-type", f"{kind} is not read here; one of {', '.join(known)} is")
