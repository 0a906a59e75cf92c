"""A path with another method is answered 405, which names all the methods that it has. `GET /messages` was 404."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import compile_path

from pointsman.testing.installation import Installation
from tests.integration.http.serving import with_key
from tests.integration.services import Services, running_services

pytestmark = pytest.mark.stack

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
async def services(installation: Installation, tmp_path: Path) -> AsyncIterator[Services]:
    async with running_services(with_key(installation.settings, tmp_path)) as services:
        yield services


async def test_every_path_refuses_the_methods_that_it_does_not_have(services: Services) -> None:
    wrong, asked = [], 0
    for service, app in services.apps.items():
        paths = {path: {method.upper() for method in methods} for path, methods in app.openapi()["paths"].items()}
        for path in paths:
            # `/secrets/unset` is `/secrets/{name}` too.
            methods = {one for other, each in paths.items() if compile_path(other)[0].match(path) for one in each}
            for method in set(METHODS) - methods:
                asked += 1
                answer = await services.call(service, method, path.replace("{", "").replace("}", ""), "admin", "acme")
                allowed = set(answer.headers.get("allow", "").split(", "))
                if answer.status_code != 405 or not methods <= allowed or method in allowed:
                    wrong.append(f"{service} {method} {path}: {answer.status_code} {allowed} {answer.text[:120]}")
    assert not wrong, "\n".join(wrong)
    assert asked > 300


async def test_twenty_who_ask_for_what_there_is_not_keep_nobody_waiting(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them had the whole interface described, on the loop: a third of a second in which nobody else was
    answered."""
    app, described, threads = services.apps["routing"], 0, set()
    write = app.openapi

    def counted() -> dict[str, Any]:
        nonlocal described
        described += 1
        threads.add(threading.get_ident())
        return write()

    app.state.paths, app.openapi_schema = None, None
    monkeypatch.setattr(app, "openapi", counted)
    calls = (services.call("routing", "GET", f"/v1/nowhere-{number}", "admin", "acme") for number in range(20))
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {404}
    assert described == 1
    assert threading.get_ident() not in threads
