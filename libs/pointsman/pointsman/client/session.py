"""One origin and one token: calls with retries, problems as errors, idempotency keys."""

import asyncio
import base64
import json as json_module
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote
from uuid import uuid4

import httpx

from pointsman.client.quiet import quietly

CALL_TIMEOUT_SECONDS = 30.0
RETRY_SECONDS_MAX = 45.0
ATTEMPTS_MAX = 20
PAUSE_SECONDS = 0.05
PAUSE_SECONDS_MAX = 2.0
PAUSE_JITTER_SECONDS = 0.1
_TRUST = ssl.create_default_context()
"""Loaded once: it is the costly part of a client."""


class ApiError(Exception):
    """The server answered with an error. `problem` is its problem document (RFC 9457), `code` the slug of its type."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}".strip())
        self.status = status
        self.problem = problem
        self.code = str(problem.get("type", "")).rpartition("/")[2]

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later: too many calls, or a service that is away."""
        return self.status in (429, 503)


class Unreachable(Exception):
    """No answer: the server is not there, or went away within a call that was repeated as long as is reasonable."""


class _TryAgain(Exception):
    """The call was not applied, or nobody knows; repeating it is safe. `error` is what to tell in the end."""

    def __init__(self, error: Exception, after_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it was kept. `name` is None for one without."""

    name: str | None
    content_type: str
    content: bytes


class SessionTransport(httpx.AsyncHTTPTransport):
    """httpx's own, whose every failure of a connection is a `TransportError`.

    A connection that ends in the instant in which it begins has no socket any more under uvloop, and anyio asks it for
    its peer all the same (`_SocketProvider.extra_attributes` of anyio 4): that came out as an `AttributeError`.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except AttributeError as error:
            if error.name != "getpeername":
                raise
            raise httpx.ConnectError("the connection ended as it began", request=request) from error


class Session:
    """An async context manager around one connection pool. (The pool looks at each of its connections for every call:
    many sessions with few connections cost much less than one with many.)

    Every POST carries an Idempotency-Key, so that a call that was cut off is repeated with the same effect. 503 and
    429 are repeated after the server's `Retry-After`, at most `RETRY_SECONDS_MAX` in all.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        workspace: str | None = None,
        client: httpx.AsyncClient | None = None,
        retry_seconds: float = RETRY_SECONDS_MAX,
    ) -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"}
        if workspace is not None:
            self.headers["Pointsman-Workspace"] = workspace
        self._own = client is None
        transport = SessionTransport(limits=httpx.Limits(max_connections=None), verify=_TRUST, trust_env=False)
        self.client = client or httpx.AsyncClient(timeout=CALL_TIMEOUT_SECONDS, transport=transport, trust_env=False)
        self._retry_seconds = retry_seconds
        self.on_reach: Callable[[bool], None] = lambda _: None
        """Told False when a call gets no answer, and True when one does again; calls are repeated meanwhile."""
        self._reached = True

    @property
    def claims(self) -> dict[str, Any]:
        """What the token says of itself (`role`, `workspace`, `sub`); the server is who verifies it."""
        parts = self.headers["Authorization"].removeprefix("Bearer ").split(".")
        try:
            said = json_module.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except (IndexError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            await self.client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    ) -> httpx.Response:
        """The answer of a successful call. Raises `ApiError` for every other status, `Unreachable` for none."""
        sent = {**self.headers, **(headers or {})}
        if method == "POST":
            sent["Idempotency-Key"] = key or uuid4().hex
        deadline = time.monotonic() + self._retry_seconds
        for attempt in range(ATTEMPTS_MAX):
            try:
                return await self._once(method, path, params, json, content, sent, timeout_seconds)
            except _TryAgain as again:
                pause = again.after_seconds
                if pause is None:
                    pause = min(PAUSE_SECONDS * 2**attempt, PAUSE_SECONDS_MAX) + random.uniform(0, PAUSE_JITTER_SECONDS)
                if attempt + 1 == ATTEMPTS_MAX or time.monotonic() + pause > deadline:
                    raise again.error from again
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _once(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        json: Any,
        content: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> httpx.Response:
        try:
            with quietly():
                answer = await self.client.request(
                    method,
                    self.url + path,
                    params={name: value for name, value in (params or {}).items() if value is not None},
                    json=json,
                    content=content,
                    headers=headers,
                    timeout=timeout_seconds,
                )
        except (httpx.TransportError, OSError) as error:
            self._reach(False)
            raise _TryAgain(Unreachable(f"{self.url} does not answer: {error or type(error).__name__}")) from error
        self._reach(True)
        if answer.is_success:
            return answer
        failure = ApiError(answer.status_code, problem_of(answer))
        if answer.status_code in (429, 503) or failure.code == "still-running":
            raise _TryAgain(failure, _retry_after(answer))
        raise failure

    def _reach(self, reached: bool) -> None:
        if reached != self._reached:
            self._reached = reached
            self.on_reach(reached)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET."""
        return (await self.call("GET", path, params=params)).json()

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """The JSON of a POST (None when it has no body)."""
        answer = await self.call("POST", path, json=body, key=key)
        return answer.json() if answer.content else None

    async def attach(self, name: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        """Stores a file for a message, and answers its `attachment_id`."""
        answer = await self.call(
            "POST",
            "/intake/v1/attachments",
            params={"name": name},
            content=content,
            headers={"Content-Type": content_type},
        )
        attachment_id: str = answer.json()["attachment_id"]
        return attachment_id

    async def download(self, attachment_id: str) -> Download:
        """The bytes of an attachment, with its name and what was said of its type (believe neither). Raises `ApiError`
        `attachment-fetching` while they are on their way, `attachment-failed` when they could not be had."""
        answer = await self.call("GET", f"/intake/v1/attachments/{attachment_id}")
        return Download(
            name=_name_in(answer.headers.get("Content-Disposition", "")),
            content_type=answer.headers.get("Pointsman-Content-Type", "application/octet-stream"),
            content=answer.content,
        )

    async def pages(self, path: str, *, limit: int | None = None, **params: Any) -> list[Any]:
        """The items of a list over all its pages, or the first `limit`."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            size = 200 if limit is None else min(200, limit - len(items))
            page = await self.get(path, **params, limit=size, cursor=cursor)
            items.extend(page["items"])
            cursor = page.get("next_cursor")
            if cursor is None or (limit is not None and len(items) >= limit):
                return items


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The answer's problem document, or one made of what else it says."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"title": answer.reason_phrase, "detail": answer.text[:200], "status": answer.status_code}


def _name_in(disposition: str) -> str | None:
    """The name in a Content-Disposition of ours: in UTF-8 where it is not plain."""
    _, encoded, name = disposition.partition("filename*=UTF-8''")
    if encoded:
        return unquote(name)
    _, quoted, name = disposition.partition('filename="')
    return name.removesuffix('"') if quoted else None


def _retry_after(answer: httpx.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return min(float(value), 10.0) if value.replace(".", "", 1).isdigit() else None
