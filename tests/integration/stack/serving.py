"""The edge in the test's process, on a port of its own: without the seconds that a process takes to start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.integration.http.serving import with_key

from pointsman.contracts import wire
from pointsman.edge.app import edge_app
from pointsman.edge.serve import server_of
from pointsman.edge.settings import EdgeSettings
from pointsman.runtime.process import Hub
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until


@asynccontextmanager
async def an_edge_here(
    installation: Installation, folder: Path, services: str = "metrics", **changes: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, EdgeSettings]]:
    """A client of the edge, and the settings that it has."""
    given = with_key(installation.settings, folder).model_dump() | {"edge_port": 0, "edge_services": services}
    settings = EdgeSettings(**given | changes)
    async with Hub(settings, wire) as hub, edge_app(settings, hub) as (app, _):
        server = server_of(settings, app, hub)
        serving = asyncio.ensure_future(server.serve())
        await until(lambda: server.started or serving.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
                yield client, settings
        finally:
            hub.drain()
            server.should_exit = True
            await serving
