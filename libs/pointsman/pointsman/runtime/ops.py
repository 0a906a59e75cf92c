"""A process's own port: `/healthz` (503 when it must be started anew), `/metrics`, and `/readyz` (503 while draining or
cut off from its database)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pointsman.core import zones
from pointsman.runtime.http.server import RestingServer
from pointsman.runtime.stuck import stuck
from pointsman.runtime.tasks import awaited


def readiness(why_not: str | None, remarks: Sequence[str] = ()) -> Response:
    """The answer of `/readyz`: `ready`, or why not; what else a person should know; what time zones are read from."""
    lines = [why_not or "ready", *(remark for remark in remarks if remark != why_not), f"zones {zones.ZONES}"]
    return PlainTextResponse("".join(f"{line}\n" for line in lines), 503 if why_not else 200)


async def healthz(_: Request) -> Response:
    """Whether the process lives: it answers at all, and none of its lanes and pools of connections is stuck."""
    why_not = stuck()
    return PlainTextResponse("ok\n") if why_not is None else PlainTextResponse(f"{why_not}\n", 503)


def ops_app(ready: Callable[[], str | None], remarks: Callable[[], Sequence[str]] = tuple) -> Starlette:
    """`ready` tells why the process is not ready, or None; `remarks` what else its `/readyz` says, a line each."""

    async def readyz(_: Request) -> Response:
        return readiness(ready(), remarks())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


@asynccontextmanager
async def ops_server(
    host: str, port: int, ready: Callable[[], str | None], remarks: Callable[[], Sequence[str]] = tuple
) -> AsyncIterator[int]:
    """Serves while the context lives and yields the port (a free one when `port` is 0)."""
    config = uvicorn.Config(
        ops_app(ready, remarks),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        loop="none",
    )
    server = RestingServer(config)
    serving = awaited(server.serve())
    try:
        await _started(server, serving)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


async def _started(server: RestingServer, serving: "asyncio.Task[None]") -> None:
    while not server.started:  # uvicorn tells it by a flag only
        done, _ = await asyncio.wait({serving}, timeout=0.01)
        if done:
            serving.result()
            raise RuntimeError("the operations port ended while starting")
