"""No call holds a connection while it waits for another: each route of all services, twenty at once, over one.

Uploads with a key once held a connection of the pool each and waited for a second one: twelve at once hung intake for
everybody, for good.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_client, a_token, bearer, with_key
from tests.integration.services import Services, running_services
from tests.integration.test_tenancy import BODIES, MARK, NEVER_ENDING, OPERATORS, live_in, routes_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

AT_ONCE = 20
WITHIN_SECONDS = 40.0

ROLES = ("connector", "agent", "admin")
MORE_BODIES: dict[str, Any] = {
    "/v1/messages": {"connector": "site-chat", "external_id": "m2", "text": "Hello", "customer": {"handle": "kim"}},
    "/v1/messages:batch": [{"connector": "site-chat", "external_id": "m3", "text": "Hello"}],
    "/v1/events": {"connector": "site-chat", "external_id": "e1", "thread": "thread-1", "kind": "typing"},
    "/v1/customers/{id}": {"name": "Kim"},
    "/v1/secrets/{name}": {"value": "s3cret"},
    "/v1/tokens": {"role": "agent", "sub": "anna", "ttl_seconds": 60},
    "/v1/me/presence": {"session": "s1", "lease_seconds": 600, "state": "available"},
    "/v1/silences": {"match": {"queue": "general"}, "until": "2030-01-01T00:00:00Z", "reason": "no"},
    "/v1/recompute": {"dry_run": True},
    "/v1/tickets": {"connector": "site-chat", "customer": {"handle": "kim"}, "text": "Hello", "public": False},
}
IDS = {"tickets": 0, "offers": 1, "messages": 2, "replies": 3, "deliveries": 3, "customers": 4, "tokens": 5}
"""Which of the workspace's ids belongs into the path, by its first part."""


@pytest.fixture
async def narrow_town(installation: Installation, tmp_path: Path) -> AsyncIterator[Services]:
    """Every service with one connection for its API."""
    changes = {"command_timeout_seconds": 10.0, "database_connections_max": 1, "database_wait_seconds": 20.0}
    async with running_services(with_key(installation.settings, tmp_path).model_copy(update=changes)) as services:
        yield services


@pytest.mark.long
async def test_twenty_calls_at_once_of_each_route_end_over_one_connection(narrow_town: Services) -> None:
    known = await live_in(narrow_town, "acme", MARK)
    walked = 0
    for app in narrow_town.apps.values():
        async with a_client(app) as client:
            for method, path, names in sorted(routes_of(app), key=lambda route: route[0] == "DELETE"):
                if not path.endswith(NEVER_ENDING):
                    await _twenty_at_once(client, narrow_town, method, path, _url(path, names, known))
                    walked += 1
    assert walked > 100


async def _twenty_at_once(client: httpx.AsyncClient, services: Services, method: str, path: str, url: str) -> None:
    headers = await _admitted(client, services, method, path, url)
    keys = [{"Idempotency-Key": f"{method} {path} {n}"} for n in range(AT_ONCE)]
    calls = [_call(client, method, path, url, headers | key) for key in keys]
    for answer in await _ending(calls, f"{method} {path}"):
        fine = answer.status_code < 500 or answer.json()["type"].endswith(("/not-applied", "/secret-missing"))
        assert fine, (method, url, answer.text)


async def test_twenty_open_streams_leave_the_connection_to_others(narrow_town: Services) -> None:
    await live_in(narrow_town, "acme", MARK)
    token = bearer(a_token(narrow_town.settings, "admin"))
    streams = 0
    for service, app in narrow_town.apps.items():
        for _, path, _ in (route for route in routes_of(app) if route[1].endswith(NEVER_ENDING)):
            opened = [_Stream(app, path, a_token(narrow_town.settings, "admin")) for _ in range(AT_ONCE)]
            await _ending([stream.begun.wait() for stream in opened], path)
            async with a_client(app, token) as client:
                (answer,) = await _ending([client.get("/v1/config-version")], f"a read beside {path}")
            assert answer.status_code == 200, (service, answer.text)
            for stream in opened:
                stream.task.cancel()
            await asyncio.gather(*(stream.task for stream in opened), return_exceptions=True)
            streams += 1
    assert streams >= 3


class _Stream:
    """A call that reads an endless answer. `begun` is set by its first bytes."""

    def __init__(self, app: FastAPI, path: str, token: str) -> None:
        self.begun = asyncio.Event()
        self._never = asyncio.Event()
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))
        self._asked = False

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._never.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        elif message.get("body"):
            self.begun.set()


def _url(path: str, names: list[str], known: dict[str, list[str]]) -> str:
    for name in names:
        values = known.get(name, ["none"])
        place = IDS.get(path.split("/")[2], 0) if name == "id" else 0
        path = path.replace(f"{{{name}}}", values[place])
    return path


async def _admitted(client: httpx.AsyncClient, services: Services, method: str, path: str, url: str) -> dict[str, str]:
    """The headers of a role that the route lets in."""
    if path.startswith(OPERATORS):
        return bearer(a_token(services.settings, "operator", "*"), **{"Pointsman-Workspace": "acme"})
    for role in ROLES:
        headers = bearer(a_token(services.settings, role, sub="site-chat" if role == "connector" else "anna"))
        answer = await _call(client, method, path, url, headers)
        if answer.status_code != 403 or not answer.json()["type"].endswith(("/wrong-role", "/another-connector")):
            return headers
    raise AssertionError(f"no role is let in: {method} {path}")


async def _call(client: httpx.AsyncClient, method: str, path: str, url: str, headers: dict[str, str]) -> httpx.Response:
    body: dict[str, Any] = {}
    if path in ("/v1/attachments", "/v1/email/{connector}"):
        body = {"content": b"From: kim@example.org\r\n\r\nHello", "headers": {"Content-Type": "text/plain"}}
    elif method in ("POST", "PUT", "PATCH"):
        body = {"json": {**BODIES, **MORE_BODIES}.get(path, {})}
    return await client.request(method, url, **body | {"headers": headers | body.get("headers", {})})


async def _ending(calls: Sequence[Awaitable[Any]], what: str) -> list[Any]:
    """The results; fails when one does not come."""
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await asyncio.gather(*calls)
    except TimeoutError:
        pytest.fail(f"{what} hangs")
