"""The edge: one origin for the services' APIs, which says when it is ready and drains on SIGTERM."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from pointsman.edge.app import UnknownService, served_apps
from pointsman.edge.settings import EdgeSettings
from pointsman.local.process import free_port
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack


@asynccontextmanager
async def an_edge(
    installation: Installation, folder: Path, **more: str
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process]]:
    """A running edge process and a client of it."""
    key_file = folder / "tokens.jwk"
    generate_key_file(key_file)
    port = free_port()
    environment: Mapping[str, str] = {
        **os.environ,
        **installation.environment(),
        "POINTSMAN_KEY_FILE": str(key_file),
        "POINTSMAN_EDGE_PORT": str(port),
        **more,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "pointsman.edge", env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await _ready(client, process)
            yield client, process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20):
        while process.returncode is None:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.05)
    pytest.fail(f"the edge ended with {process.returncode}")


async def test_it_serves_each_service_under_its_prefix(installation: Installation, tmp_path: Path) -> None:
    async with an_edge(installation, tmp_path) as (client, _):
        services = (await client.get("/")).json()["services"]
        assert list(services) == ["intake", "metrics", "routing", "sla"]
        for document in services.values():
            assert (await client.get(document)).json()["openapi"].startswith("3.1")
        answer = await client.get("/nowhere/v1/tickets")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["instance"] == answer.headers["x-request-id"]
        page = await client.get(answer.json()["type"])
        assert page.text.startswith("# Not found")
        assert (await client.get("/problems/none-such")).status_code == 404


async def test_docs_shows_every_service_and_asks_nobody_else(installation: Installation, tmp_path: Path) -> None:
    async with an_edge(installation, tmp_path) as (client, _):
        page = (await client.get("/docs?service=routing")).text
        assert 'data-document="/routing/openapi.json"' in page
        assert re.findall(r"service=(\w+)", page) == ["intake", "metrics", "routing", "sla"]
        named = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert [address for address in named if not address.startswith("/docs")] == []
        for address in named:
            assert (await client.get(address)).status_code == 200, address
        assert "SwaggerUIBundle" in (await client.get("/docs/swagger-ui-bundle.js")).text
        for nowhere in ("/docs?service=nobody", "/docs/..%2fapp.py", "/docs/__init__.py"):
            assert (await client.get(nowhere)).status_code == 404


async def test_it_ends_with_success_on_sigterm(installation: Installation, tmp_path: Path) -> None:
    async with an_edge(installation, tmp_path) as (_, process):
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0


def test_an_unknown_service_is_named() -> None:
    with pytest.raises(UnknownService, match="'billing' is not installed: intake, metrics, routing, sla"):
        list(served_apps(EdgeSettings(edge_services="routing,billing")))
