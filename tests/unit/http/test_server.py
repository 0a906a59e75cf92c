"""A server that nobody calls sleeps, and ends at once when it is to end."""

import asyncio
import time

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pointsman.runtime.http.server import RestingServer
from pointsman.runtime.tasks import awaited
from pointsman.testing.waiting import until


async def test_it_looks_once_a_second_and_ends_at_once() -> None:
    async def hello(_: Request) -> Response:
        return PlainTextResponse("hello")

    server = RestingServer(
        uvicorn.Config(Starlette(routes=[Route("/", hello)]), port=0, loop="none", lifespan="off", log_config=None)
    )
    looks: list[int] = []
    look = server.on_tick

    async def counted(counter: int) -> bool:
        looks.append(counter)
        return await look(counter)

    server.on_tick = counted  # type: ignore[method-assign]
    began, serving = time.monotonic(), awaited(server.serve())
    try:
        await until(lambda: server.started)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            first = await client.get("/")
            assert first.text == "hello"
            await until(lambda: len(looks) == 3, within_seconds=10)
            assert (await client.get("/")).headers["date"] != first.headers["date"], "told anew each second"
        assert time.monotonic() - began >= 2
        assert looks == [0, 10, 20]
    finally:
        told = time.monotonic()
        server.should_exit = True
        await asyncio.wait_for(serving, 10)
    assert server.should_exit
    assert time.monotonic() - told < 1
