"""Long polls and Server-Sent Events, as every service gives them.

A stream begins with `hello {cursor, now}`; each event carries an `id`, the cursor after it, which `Last-Event-ID`
resumes from; `reset` says that the cursor is too old (fetch everything again); `bye {reason}` ends it when the token
ends or the process drains; a comment goes out every 15 seconds. Source: HTML Living Standard, section 9.2.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pointsman.core.instant import rfc3339
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.json import dump_json
from pointsman.runtime.http.load import aside
from pointsman.runtime.tasks import awaited

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

WAIT_SECONDS_MAX = 60
COMMENT_SECONDS = 15.0
RETRY_MILLISECONDS = 1_000

Wait = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait while the list would be empty (s).")
]
After = Annotated[str | None, Query(max_length=512, description="`cursor` of the answer before.")]


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event. `id` is the cursor after it; None leaves the client's cursor as it is."""

    name: str
    data: Any
    id: str | None = None


def encode_event(event: StreamEvent) -> bytes:
    lines = [b"event: " + event.name.encode()]
    if event.id is not None:
        lines.append(b"id: " + event.id.encode())
    lines.append(b"data: " + dump_json(event.data))
    return b"\n".join(lines) + b"\n\n"


def event_stream(
    process: "ApiProcess", caller: Caller, events: AsyncIterator[StreamEvent], *, cursor: str | None
) -> StreamingResponse:
    """The answer that streams `events` until the caller goes, its token ends or the process drains.

    `cursor` is the place that the stream begins after; the iterator is closed in any case. Raises `Problem` 429 when
    the token has as many streams open as it may.
    """
    return stream(
        process,
        caller,
        _frames(process, caller, events, cursor),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _Held(StreamingResponse):
    """An answer that holds one of its token's places for as long as it streams."""

    def __init__(self, content: AsyncIterator[Any], give_back: Callable[[], None], **given: Any) -> None:
        super().__init__(content, **given)
        self._give_back = give_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with aside():
                await super().__call__(scope, receive, send)
        finally:
            self._give_back()


def stream(
    process: "ApiProcess", caller: Caller, content: AsyncIterator[Any], *, media_type: str, headers: dict[str, str]
) -> StreamingResponse:
    """The answer that streams `content`. Raises `Problem` 429 when the token has as many streams open as it may."""
    give_back = process.admission.streams.take(caller.token_id)
    return _Held(content, give_back, media_type=media_type, headers=headers)


@contextmanager
def polling(process: "ApiProcess", caller: Caller, wait_seconds: float) -> Iterator[None]:
    """A long poll, while it waits. Raises `Problem` 429 when the token has as many open as it may."""
    if wait_seconds <= 0:
        yield
        return
    with process.admission.polls.taken(caller.token_id), aside():
        yield


def last_event_id(request: Request) -> str | None:
    """Where an interrupted stream wants to go on."""
    return request.headers.get("last-event-id") or None


async def _frames(
    process: "ApiProcess", caller: Caller, events: AsyncIterator[StreamEvent], cursor: str | None
) -> AsyncGenerator[bytes, None]:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(reason: str) -> None:
        if not ended.done():
            ended.set_result(reason)

    stop_listening = process.revocations.listen(lambda id: end("token revoked") if id == caller.token_id else None)
    expiry = asyncio.get_running_loop().call_later(
        min(max(0.0, caller.expires_at - time.time()), 86_400.0 * 30), end, "token expired"
    )
    draining = awaited(process.hub.draining.wait())
    draining.add_done_callback(lambda task: None if task.cancelled() else end("draining"))
    upcoming: asyncio.Future[StreamEvent] | None = None
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        yield encode_event(StreamEvent("hello", {"cursor": cursor, "now": rfc3339(process.clock.now())}, cursor))
        while True:
            upcoming = upcoming or awaited(anext(events))
            waits: set[asyncio.Future[Any]] = {upcoming, ended}
            await asyncio.wait(waits, timeout=COMMENT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                yield encode_event(StreamEvent("bye", {"reason": ended.result()}))
                return
            if not upcoming.done():
                yield b": still here\n\n"
                continue
            try:
                event = upcoming.result()
            except StopAsyncIteration:
                return
            upcoming = None
            yield encode_event(event)
    finally:
        stop_listening()
        expiry.cancel()
        draining.cancel()
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
