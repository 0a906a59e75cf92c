"""Every string, number and instant of every operation of every service, with what nobody should send.

No answer is an error of ours, each that has errors says the first in words, nothing is dead-lettered, no lane stops. A
new route is walked by itself (`walking`).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.routing import Mount, Router

from pointsman.local.process import free_port
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.http.serving import a_token, bearer, with_key
from tests.integration.services import Services, running_services
from tests.integration.test_tenancy import BODIES, a_document, live_in
from tests.integration.walking import Call, Walk

pytestmark = pytest.mark.stack

AT_ONCE_MAX = 6
RAW = ("/v1/hooks/", "/v1/email/", "/v1/acks/", "/v1/attachments", "/v1/messages:batch")
"""Bodies that are evidence, files, pages and batches are not refused as a whole: their own tests say what is."""
BODIES_HERE: dict[str, Any] = BODIES | {
    "/v1/config": a_document("acme"),
    "/v1/config:check": a_document("acme"),
    "/v1/config/{section}/{slug}": {"order": "fifo"},
    "/v1/tickets:bulk": {"ids": ["tkt_0"], "action": {"resolve": {"outcome": "spam"}}},
    "/v1/silences": {"until": "2030-01-01T00:00:00Z", "reason": "no", "match": {"queue": "general"}},
    "/v1/calendars:evaluate": {
        "calendar": {"timezone": "Europe/Rome", "week": {"mon": [["09:00", "17:00"]]}},
        "op": "due",
        "start": "2026-03-02T09:00:00Z",
        "seconds": 60,
    },
    "/v1/me/presence": {"session": "s1", "lease_seconds": 600},
    "/v1/messages": {"connector": "site-chat", "external_id": "w1", "thread": "w", "text": "hello"},
    "/v1/events": {"connector": "site-chat", "external_id": "e1", "thread": "w", "kind": "left"},
}


@pytest.fixture
async def services(installation: Installation, tmp_path: Path) -> AsyncIterator[Services]:
    """The services without a limit on calls, so that nothing is refused before it is looked at."""
    settings = with_key(installation.settings, tmp_path).model_copy(
        update={"command_timeout_seconds": 10.0, "calls_per_second_max": 1e9}
    )
    async with running_services(settings) as services:
        yield services


@asynccontextmanager
async def served(services: Services) -> AsyncIterator[str]:
    """The apps under one origin on a port of their own, by the server and its parser as in an installation."""
    port = free_port()
    router = Router([Mount(f"/{name}", app) for name, app in services.apps.items()], redirect_slashes=False)
    config = uvicorn.Config(
        router,
        port=port,
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=600,  # no connection is closed under a call
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


class Walker:
    """Sends calls with a token that the route lets in, and keeps what is wrong with the answers."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self._client = client
        self._tokens = [
            a_token(services.settings, "admin", "acme", "anna"),
            a_token(services.settings, "connector", "acme", "site-chat"),
            a_token(services.settings, "operator", "*", "root"),
        ]
        self._lets_in: dict[tuple[str, str], int] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)
        self.wrong: list[str] = []
        self.seen: Counter[int] = Counter()

    async def walk(self, operation: tuple[str, str], call: Call) -> None:
        async with self._room:
            for place in range(self._lets_in.get(operation, 0), len(self._tokens)):
                status, text = await self._send(call, self._tokens[place])
                if status != 403:
                    self._lets_in[operation] = place
                    break
        self.seen[status] += 1
        if status >= 500 or status == 429:
            self.wrong.append(f"{status} for {call}: {text[:300]}")
        elif why := _silent(status, text):
            self.wrong.append(f"{why} for {call}: {text[:300]}")
        elif "+02:00" in text and status < 300:
            self.wrong.append(f"an instant that is not in UTC, for {call}: {text[:300]}")
        elif call.pointer is not None and not operation[1].startswith(RAW):
            errors = httpx.Response(status, text=text).json().get("errors", []) if status == 422 else []
            if call.pointer not in [error["pointer"] for error in errors]:
                self.wrong.append(f"{status} without {call.pointer!r} for {call}: {text[:300]}")

    async def _send(self, call: Call, token: str) -> tuple[int, str]:
        """(status, text). What the server breaks off without an answer, because its head is too large, is a 431."""
        headers: Any = {**bearer(token), **call.headers}
        try:
            async with self._client.stream(call.method, call.url, headers=headers, content=call.body) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    return answer.status_code, ""
                await answer.aread()
                return answer.status_code, answer.text
        except (httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError):
            assert len(call.url) > 50_000, call
            return 431, ""


def _silent(status: int, text: str) -> str | None:
    """What the detail of a problem does not say: `the request has errors` told nobody which."""
    if not 400 <= status < 500 or not text.startswith("{"):
        return None
    problem = json.loads(text)
    errors = problem.get("errors") or []
    if errors and errors[0]["detail"] not in problem["detail"]:
        return "the detail does not say the first error"
    return None if len(problem["detail"]) > 5 else "there is no detail"


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_no_string_number_or_instant_of_any_operation_is_an_error_of_ours(services: Services) -> None:
    lived = await live_in(services, "acme", "xylophone")
    known = {name: values[0] for name, values in lived.items()} | {"token": "none", "a": "anna"}
    async with served(services) as origin, httpx.AsyncClient(base_url=origin, timeout=60, trust_env=False) as client:
        walker = Walker(services, client)
        for service, app in services.apps.items():
            walk = Walk(f"/{service}", app.openapi(), known, BODIES_HERE)
            for method, path, operation in walk.operations():
                calls = walk.calls_of(method, path, operation)
                await asyncio.gather(*(walker.walk((method, path), call) for call in calls))
    assert not walker.wrong, f"{len(walker.wrong)} of {walker.seen}:\n" + "\n".join(walker.wrong[:25])
    assert walker.seen.total() > 1_000
    await the_whole_line_goes_on(services)
    for service in services.apps:
        letters = (await services.call(service, "GET", "/v1/dead-letters", "operator", "*")).json()["items"]
        assert not letters, (service, letters)


async def the_whole_line_goes_on(services: Services) -> None:
    """A message goes through every service behind all that was sent before."""
    message = {"connector": "site-chat", "external_id": "last", "thread": "last", "text": "still there?"}
    posted = await services.call("intake", "POST", "/v1/messages", "connector", "acme", json=message)
    assert posted.status_code == 202, posted.text
    ticket = posted.json()["ticket_id"]

    async def counted() -> Any:
        return (await services.call("sla", "GET", f"/v1/tickets/{ticket}/clocks", "agent", "acme")).is_success

    await until(counted, 60)

    async def told() -> Any:
        rows = await services.call(
            "metrics", "GET", "/v1/exports/tickets", "admin", "acme", headers={"Accept": "application/x-ndjson"}
        )
        return ticket in rows.text

    await until(told, 60)
