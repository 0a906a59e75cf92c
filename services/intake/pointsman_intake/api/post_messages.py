"""`POST /messages` and `/messages:batch`: plain ASGI, since what surrounds a call costs more than the call.

They are answered before the application's router, under the same layer that every call has (ids, measurements,
problems); OpenAPI documents them from the same shapes (`openapi`).
"""

from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from pointsman.core.instant import Instant
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.limits import App, CallLayer, Receive, Scope, Send
from pointsman.runtime.http.storable import may_be_unstorable, refuse_body, refuse_value
from pointsman_intake.api.batches import (
    CLOUDEVENTS,
    MEMBERS_MAX,
    WHOLE_BYTES_MAX,
    loads,
    refuse_many_members,
    refused_item,
    refused_items,
    split,
    unsupported,
)
from pointsman_intake.api.bodies import Headers, headers_of, media_type, read_body
from pointsman_intake.api.openapi import document_hot_routes
from pointsman_intake.api.references import look_up, names_something, refuse_absent
from pointsman_intake.cloudevents import from_binary, from_structured
from pointsman_intake.connectors import Connector
from pointsman_intake.gate import Gate, own_connector
from pointsman_intake.json_messages import inbound
from pointsman_intake.model import Arrival, Inbound, Raw
from pointsman_intake.shapes import MESSAGE, MessageIn
from pointsman_intake.validation import refused

CLOUDEVENT = "application/cloudevents+json"
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
        if names_something(one):
            await refuse_absent(gate, (one,))
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
        if body.count(b",") > MEMBERS_MAX:
            refuse_many_members(loads(body))
        return MESSAGE.validate_json(body)
    if kind == CLOUDEVENT:
        return from_structured(loads(body))
    raise unsupported(kind, ("application/json", CLOUDEVENT))


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
        _, connector = await gate.connector(caller.workspace, caller.sub)

        def read() -> tuple[list[Inbound], list[int], list[dict[str, Any]]]:
            items = split(kind, body, gate.settings.batch_messages_max)
            closely = may_be_unstorable(body)
            return refused_items(
                lambda item: _read_item(kind, item, caller, connector, at, looked_at_closely=closely), items
            )

        messages, places, answers = await gate.beside(read) if len(body) > WHOLE_BYTES_MAX else read()
        if any(map(names_something, messages)):
            refusals = await look_up(gate, messages)
            for place, refusal in zip(places, refusals, strict=True):
                if refusal is not None:
                    answers[place] = refused_item(place, refusal)
            places = [place for place, refusal in zip(places, refusals, strict=True) if refusal is None]
            messages = [one for one, refusal in zip(messages, refusals, strict=True) if refusal is None]
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
    refuse_many_members(item)
    if looked_at_closely:
        refuse_value(item)
    try:
        message = from_structured(item) if kind == CLOUDEVENTS else MESSAGE.validate_python(item)
    except ValidationError as error:
        raise refused(error) from error
    own_connector(caller, message.connector)
    return inbound(message, caller.workspace, connector, at)
