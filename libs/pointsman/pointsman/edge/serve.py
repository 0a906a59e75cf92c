"""The process: opens the apps, serves until SIGTERM, drains."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import structlog
import uvicorn

from pointsman.contracts import wire
from pointsman.edge.app import edge_app, unready
from pointsman.edge.settings import EdgeSettings
from pointsman.runtime.ops import ops_server
from pointsman.runtime.process import Hub
from pointsman.runtime.zone_editions import say_edition

log = structlog.get_logger(__name__)

BACKLOG = 4096


class _Server(uvicorn.Server):
    """uvicorn, without its own idea of signals: ours first ends the streams and fails readiness."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: EdgeSettings) -> int:
    """Serves until SIGTERM or SIGINT; the exit code, 1 when something in the background failed."""
    say_edition()
    async with (
        Hub(settings, wire) as hub,
        edge_app(settings, hub) as (app, processes),
        ops_server(settings.ops_host, settings.ops_port, lambda: unready(processes)) as ops_port,
    ):
        server = _Server(
            uvicorn.Config(
                app,
                host=settings.edge_host,
                port=settings.edge_port,
                http="httptools",
                loop="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=settings.drain_seconds,
            )
        )

        def drain(*_: object) -> None:
            hub.drain()
            server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, drain)
        hub.failed.add_done_callback(drain)
        log.info("edge serves", services=list(processes), port=settings.edge_port, ops_port=ops_port)
        await server.serve()
        return 1 if hub.failed.done() and not hub.failed.cancelled() else 0
