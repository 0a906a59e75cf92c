"""The process: opens the apps, serves until SIGTERM, drains."""

import asyncio
import signal
from collections.abc import Callable

import structlog
import uvicorn
from starlette.types import ASGIApp

from pointsman.contracts import wire
from pointsman.edge.app import edge_app, remarks, unready
from pointsman.edge.protocol import Connections
from pointsman.edge.settings import EdgeSettings
from pointsman.runtime.http.server import RestingServer
from pointsman.runtime.ops import ops_server
from pointsman.runtime.process import Hub
from pointsman.runtime.tasks import LAST_SECONDS, awaited, ends_if_failed, failure
from pointsman.runtime.zone_editions import say_edition

log = structlog.get_logger(__name__)

BACKLOG = 4096


def server_of(settings: EdgeSettings, app: ASGIApp, hub: Hub) -> RestingServer:
    """What serves the app on the settings' port, under their limits."""
    return RestingServer(
        uvicorn.Config(
            app,
            host=settings.edge_host,
            port=settings.edge_port,
            http=Connections(settings, hub.admission).protocol,  # type: ignore[arg-type]  # what makes a protocol
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
    )


async def serve(settings: EdgeSettings) -> int:
    """Serves until SIGTERM or SIGINT; the exit code, 1 when something in the background failed."""
    say_edition()
    with ends_if_failed(settings.drain_seconds + LAST_SECONDS):
        return await _serve(settings)


async def _serve(settings: EdgeSettings) -> int:
    async with (
        Hub(settings, wire) as hub,
        edge_app(settings, hub) as (app, processes),
        ops_server(
            settings.ops_host, settings.ops_port, lambda: unready(processes), lambda: remarks(processes)
        ) as ops_port,
    ):
        server = server_of(settings, app, hub)

        def drain(*_: object) -> None:
            hub.drain()
            server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, drain)
        watching = awaited(_when_failed(drain))
        log.info("edge serves", services=list(processes), port=settings.edge_port, ops_port=ops_port)
        try:
            await server.serve()
        finally:
            watching.cancel()
        return 1 if failure() else 0


async def _when_failed(drain: Callable[[], None]) -> None:
    await failure().happened.wait()
    drain()
