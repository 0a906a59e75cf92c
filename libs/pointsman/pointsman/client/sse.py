"""Server-Sent Events: one connection, and one that is made again whenever it ends.

Source: HTML Living Standard, section 9.2. The server comments every 15 seconds: silence for 40 is a dead connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson

from pointsman.client.quiet import quietly
from pointsman.client.session import ApiError, Session, problem_of
from pointsman.client.shapes import Notice

READ_TIMEOUT_SECONDS = 40.0
AGAIN_SECONDS_MIN, AGAIN_SECONDS_MAX = 0.2, 5.0


async def notices(session: Session, path: str, last_id: str | None = None) -> AsyncIterator[Notice]:
    """The events of one connection. Raises `ApiError` when it is refused, `httpx.TransportError` when it breaks."""
    headers = {**session.headers, "Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    timeout = httpx.Timeout(10.0, read=READ_TIMEOUT_SECONDS)
    request = session.client.build_request("GET", session.url + path, headers=headers, timeout=timeout)
    async with _answer_to(session, request) as answer:
        if not answer.is_success:
            await answer.aread()
            raise ApiError(answer.status_code, problem_of(answer))
        name, id, data = "message", None, ""
        async for line in _lines(answer):
            if not line:
                if data:
                    yield Notice(name=name, data=orjson.loads(data), id=id)
                name, id, data = "message", None, ""
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data += value
            elif field == "id":
                id = value


@asynccontextmanager
async def _answer_to(session: Session, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    with quietly():
        answer = await session.client.send(request, stream=True)
    try:
        yield answer
    finally:
        with quietly():
            await answer.aclose()


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    lines = answer.aiter_lines()
    while True:
        with quietly():
            line = await anext(lines, None)
        if line is None:
            return
        yield line


async def followed(session: Session, path: str, last_id: str | None = None) -> AsyncIterator[Notice]:
    """The events, for ever: a connection that ended is made again, and goes on behind the last event that was seen.
    Raises `ApiError` when the server refuses for good (the token ended, another role)."""
    pause = AGAIN_SECONDS_MIN
    while True:
        try:
            async for notice in notices(session, path, last_id):
                last_id = notice.id or last_id
                pause = AGAIN_SECONDS_MIN
                yield notice
        except httpx.TransportError:
            pause = min(pause * 2, AGAIN_SECONDS_MAX)
        except ApiError as error:
            if not error.passing:
                raise
            pause = min(pause * 2, AGAIN_SECONDS_MAX)
        await asyncio.sleep(pause)
