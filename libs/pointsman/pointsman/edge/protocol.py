"""HTTP/1.1 on one connection, under limits that hold before any token is read.

- The head of a request has at most `header_bytes_max` bytes and comes within `header_seconds_max`; its body within
  `body_seconds_max`. A reader who takes nothing of an answer for `reader_seconds_max` is cut off.
- The process has so many connections, and so many of one token.
- When the process has more to do than it can, or a token calls more often than it may, a call is refused here, in a few
  microseconds and before it costs a task: 503 or 429 with `Retry-After`. The answer is held back for a moment, in which
  the connection is not read: who asks again at once costs no more than who comes when they were told to. So what is
  admitted stays as fast as ever.
"""

import asyncio
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pointsman.edge.settings import EdgeSettings
from pointsman.runtime.http.admission import Admission
from pointsman.runtime.http.problems import MEDIA_TYPE, Problem

REFUSED = Counter("pointsman_refused_calls_total", "Calls refused before they were looked at.", ["code"])

BODY_SKIPPED_BYTES_MAX = 65_536
"""The body of a refused call is read over so that the connection can go on; a larger one ends it."""
ANSWERS_KEPT_MAX = 1_000
ALWAYS_ANSWERED = (b"/healthz", b"/readyz")
REFUSED_ID = "-"
"""A call that was refused here has no id: nothing is logged of it."""


class Connections:
    """What the connections of one process share."""

    def __init__(self, settings: EdgeSettings, admission: Admission) -> None:
        self.settings, self.admission = settings, admission
        self.open = 0
        self._answers: dict[tuple[str, str, str, bool], bytes] = {}

    def answer(self, problem: Problem, *, close: bool) -> bytes:
        """The bytes of an answer that refuses. There are few, and they are written often."""
        key = (problem.code, problem.detail, problem.headers.get("Retry-After", ""), close)
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) > ANSWERS_KEPT_MAX:
                self._answers.clear()
            found = self._answers[key] = _written(problem, close=close)
        return found

    def protocol(self, **given: Any) -> "LimitedProtocol":
        """The protocol of a new connection; what uvicorn asks for."""
        return LimitedProtocol(self, **given)


class LimitedProtocol(HttpToolsProtocol):
    """See the module."""

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._shared = connections
        self._settings = connections.settings
        self._admission = connections.admission
        self._head_bytes = 0
        self._reading_head = True
        self._refused = False
        self._held: list[tuple[bytes, bool]] = []
        """Answers that are held back, in order, and whether the connection ends with each."""
        self._release: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._owner: str | None = None
        self._disowned: Callable[[], None] = lambda: None

    # -- the connection ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._shared.open += 1
        if self._shared.open > self._settings.edge_connections_max:
            self._refuse_connection(
                Problem(503, "overloaded", "too many connections to this process", headers={"Retry-After": "1"})
            )
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.open -= 1
        self._end_timer()
        self._held.clear()
        self._answer_held()
        self.resume_writing()
        self._disowned()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self._settings.edge_reader_seconds_max, self._abort, "reader")

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _abort(self, why: str) -> None:
        REFUSED.labels(why).inc()
        self.transport.abort()

    # -- the head ----------------------------------------------------------------------------------------------------

    def _expect_head(self) -> None:
        """From now on the next request's head is waited for."""
        self._reading_head, self._head_bytes = True, 0
        self._start_timer(self._settings.edge_header_seconds_max, self._head_too_slow)

    def data_received(self, data: bytes) -> None:
        if self._reading_head:
            if self._timer is None:  # the first bytes after an answer
                self._start_timer(self._settings.edge_header_seconds_max, self._head_too_slow)
            self._head_bytes += len(data)
            # A chunk may hold the whole head and of the body as much as was sent with it.
            if self._head_bytes > self._settings.edge_header_bytes_max and self._head_is_open(data):
                self._refuse_connection(Problem(431, "head-too-large", self._largest_head()))
                return
        super().data_received(data)

    def _head_is_open(self, data: bytes) -> bool:
        before = self._head_bytes - len(data)
        rest = max(0, self._settings.edge_header_bytes_max - before)
        return b"\r\n\r\n" not in data[: rest + 4]

    def _largest_head(self) -> str:
        return f"the head of a call has at most {self._settings.edge_header_bytes_max} bytes"

    def _head_too_slow(self) -> None:
        if self._head_bytes:
            seconds = self._settings.edge_header_seconds_max
            self._refuse_connection(Problem(408, "call-too-slow", f"the head of a call comes within {seconds:g} s"))
        else:
            self.transport.close()

    def _refuse_connection(self, problem: Problem) -> None:
        REFUSED.labels(problem.code).inc()
        self._end_timer()
        self._answer_held()
        if not self.transport.is_closing():
            self.transport.write(self._shared.answer(problem, close=True))
            self.transport.close()

    def _start_timer(self, seconds: float, late: Callable[[], None]) -> None:
        self._end_timer()
        self._timer = self.loop.call_later(seconds, late)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- a request ---------------------------------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._reading_head, self._refused = False, False
        self._start_timer(self._settings.edge_body_seconds_max, self._body_too_slow)
        if (self.cycle is None or self.cycle.response_complete) and (self._held or self.url not in ALWAYS_ANSWERED):
            refusal = self._refusal()
            if refusal is not None:
                self._answer(*refusal)
                return
        super().on_headers_complete()

    def _body_too_slow(self) -> None:
        if self.cycle is not None and self.cycle.response_started:
            self._abort("body-too-slow")
            return
        seconds = self._settings.edge_body_seconds_max
        self._refuse_connection(Problem(408, "call-too-slow", f"the body of a call comes within {seconds:g} s"))

    def _refusal(self) -> tuple[Problem, bool] | None:
        """Why this call is refused unseen, and whether its connection ends; None when it goes on."""
        authorization = next((value for name, value in self.headers if name == b"authorization"), None)
        token_id = None if authorization is None else self._admission.token_of(authorization)
        if token_id is not None and token_id != self._owner:
            self._disowned()
            self._owner, self._disowned = None, lambda: None
            try:
                self._disowned = self._admission.connections.take(token_id)
            except Problem as problem:
                return problem, True
            self._owner = token_id
        refusal = self._admission.refusal(token_id, self.client[0] if self.client else "-")
        if refusal is None and self._held:  # sent before the answer came to the one before, which goes first
            refusal = Problem(503, "overloaded", "the call before it was refused", headers={"Retry-After": "1"})
        return None if refusal is None else (refusal, False)

    def _answer(self, problem: Problem, close: bool) -> None:
        REFUSED.labels(problem.code).inc()
        self._refused = True
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        close = close or chunked or not length.isdigit() or int(length) > BODY_SKIPPED_BYTES_MAX
        close = close or self.expect_100_continue or not self.parser.should_keep_alive()
        self._held.append((self._shared.answer(problem, close=close), close))
        if self._release is None:
            self.flow.pause_reading()
            # Many that were refused together do not come again together.
            seconds = self._settings.edge_refusal_seconds * random.uniform(1.0, 2.0)
            self._release = self.loop.call_later(seconds, self._answer_held)

    def _answer_held(self) -> None:
        """Writes what was held back, and reads on."""
        if self._release is not None:
            self._release.cancel()
            self._release = None
        held, self._held = self._held, []
        for answer, close in held:
            if not self.transport.is_closing():
                self.transport.write(answer)
                if close:
                    self.transport.close()
        if held and not self.transport.is_closing():
            self.flow.resume_reading()

    def shutdown(self) -> None:
        self._answer_held()
        super().shutdown()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._end_timer()
        self._reading_head, self._head_bytes = True, 0
        if self._refused:
            self._refused = False
            # Until the next head begins, the connection is idle.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
            return
        super().on_message_complete()


def _written(problem: Problem, *, close: bool) -> bytes:
    """The whole answer."""
    body = orjson.dumps(problem.document(REFUSED_ID))
    head = [
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        *(f"{name.lower()}: {value}" for name, value in problem.headers.items()),
        *(("connection: close",) if close else ()),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
