"""What surrounds every call, as one plain ASGI layer: ids, the body's size, the last resort for errors.

It is one layer because each costs every call: what is admitted (429 before the body is read), a request id
(`X-Request-Id`, taken over when the caller sent a sane one), the W3C trace context (`traceparent` in, ours as its child
out), 413 for a body above the limit, measurements, and 500 as a problem document, with the traceback in the log only.
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from secrets import token_hex
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.http.admission import Admission
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CALLS = Counter("pointsman_http_calls_total", "HTTP calls answered.", ["service", "route", "status"])
CALL_SECONDS = Histogram(
    "pointsman_http_call_seconds",
    "Until the answer's last byte (streams and long polls: as long as they lasted).",
    ["service"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30),
)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class CallLayer:
    """See the module. `service` labels the measurements. Without an `admission` that others share, it has its own."""

    def __init__(self, app: App, *, service: str, body_bytes_max: int, admission: Admission | None = None) -> None:
        self.app = app
        self.admission = admission or Admission(RuntimeSettings())
        self.service = service
        self.body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, traceparent, length, authorization = _ids(scope["headers"])
        with telemetry.call_span(scope["method"], traceparent) as own:
            await self._call(scope, receive, send, request_id, own or traceparent, length, authorization)

    async def _call(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        request_id: str,
        traceparent: str,
        length: int | None,
        authorization: bytes | None,
    ) -> None:
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        state["request_id"], state["traceparent"] = request_id, traceparent
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=traceparent[3:35])
        added = [(b"x-request-id", request_id.encode()), (b"traceparent", traceparent.encode())]
        status = 0

        async def send_with_ids(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        try:
            with self.admission.call(authorization, _address(scope)):
                if length is None:
                    receive = _limited(receive, self.body_bytes_max)
                elif length > self.body_bytes_max:
                    raise _too_large(self.body_bytes_max)
                await self.app(scope, receive, send_with_ids)
        except Problem as problem:
            # Raised outside of the app's own handlers: by the layer itself, or while a body was read.
            if status:
                raise
            await problem.response(request_id)(scope, receive, send_with_ids)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("the database is out of reach", error=repr(error))
            if status:
                raise
            detail = (
                "a part of the installation is out of reach; repeat the call, with its Idempotency-Key if it had one"
            )
            await Problem(503, "unavailable", detail, headers={"Retry-After": "2"}).response(request_id)(
                scope, receive, send_with_ids
            )
        except Exception:
            log.exception("call failed", route=_route(scope), method=scope.get("method"))
            if status:
                raise
            detail = "something went wrong here; the log has it under the request id"
            await Problem(500, "internal-error", detail).response(request_id)(scope, receive, send_with_ids)
        finally:
            route = _route(scope)
            telemetry.name_call(scope["method"], route)
            CALLS.labels(self.service, route, str(status)).inc()
            CALL_SECONDS.labels(self.service).observe(time.perf_counter() - began)


def _route(scope: Scope) -> str:
    """The route's path with the names of its parts: in logs and traces, where the values (tokens of links) are not."""
    return getattr(scope.get("route"), "path", "-")


def traceparent_of(request: Request) -> str | None:
    """The trace context that this call's commands and facts carry."""
    found: str | None = request.scope.get("state", {}).get("traceparent")
    return found


def _address(scope: Scope) -> str:
    """The address that a call comes from: the client's, as a proxy on this host may have named it."""
    client = scope.get("client")
    return str(client[0]) if client else "-"


def _ids(headers: list[tuple[bytes, bytes]]) -> tuple[str, str, int | None, bytes | None]:
    """(request id, traceparent of our own span, announced length of the body, what proves the caller)."""
    request_id = trace = flags = authorization = None
    length: int | None = 0
    for name, value in headers:
        if name == b"x-request-id":
            if _REQUEST_ID.fullmatch(value):
                request_id = value.decode()
        elif name == b"traceparent":
            if (found := _TRACEPARENT.fullmatch(value)) and found[1].strip(b"0"):
                trace, flags = found[1].decode(), found[3].decode()
        elif name == b"authorization":
            authorization = value
        elif name == b"content-length":
            length = int(value) if value.isdigit() else None
        elif name == b"transfer-encoding":
            length = None
    span = token_hex(8)
    return request_id or f"req_{span}", f"00-{trace or token_hex(16)}-{span}-{flags or '01'}", length, authorization


def _limited(receive: Receive, bytes_max: int) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > bytes_max:
            # FastAPI lets only this kind of error through while it reads a body.
            raise HTTPException(413, _too_large(bytes_max).detail)
        return message

    return receive_limited


def _too_large(bytes_max: int) -> Problem:
    return Problem(413, "body-too-large", f"a body has at most {bytes_max} bytes")
