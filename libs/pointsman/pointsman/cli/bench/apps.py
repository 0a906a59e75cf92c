"""Agents' apps of the pipeline's bench, in a process of their own: `python -m pointsman.cli.bench.apps PLAN`.

Mode `watch`: every app long-polls and notes when it first sees each ticket's offer; nothing is answered. Mode `serve`:
every app takes its offer, resolves it, and notes how long after that the next offer came. A line on standard input
(or its end) ends it.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import orjson
import stamina.instrumentation
import uvloop
from pydantic import BaseModel

from pointsman.cli.bench.wire import Caller
from pointsman.client.agent import Agent
from pointsman.client.session import Session

LEASE_SECONDS = 600
POLL_SECONDS = 30


class AppsPlan(BaseModel):
    """What the process is told: whom it plays, and where its results go."""

    url: str
    mode: Literal["watch", "serve"]
    tokens: dict[str, str]
    results: Path


class Apps:
    """What was seen: tickets' first offers (monotonic instants), and milliseconds from a release to the next offer."""

    def __init__(self) -> None:
        self.seen_at: dict[str, float] = {}
        self.releases_ms: list[float] = []

    async def watch(self, caller: Caller) -> None:
        """Polls for offers and leaves them."""
        path = "/routing/v1/me/offers"
        cursor: str | None = None
        while True:
            asked = path if cursor is None else f"{path}?wait={POLL_SECONDS}&after={cursor}"
            status, body = await caller.answer(caller.get(asked))
            if status != 200:
                raise RuntimeError(f"a poll was refused: {body!r}")
            now = time.monotonic()
            answer = orjson.loads(body)
            cursor = answer["cursor"]
            for offer in answer["items"]:
                self.seen_at.setdefault(offer["ticket"]["id"], now)

    async def serve(self, agent: Agent) -> None:
        """Takes each offer and resolves it at once."""
        released: float | None = None
        async for offer in agent.offers(wait_seconds=POLL_SECONDS):
            if released is not None:
                self.releases_ms.append((time.monotonic() - released) * 1000)
            await agent.accept(offer.id)
            released = time.monotonic()
            await agent.resolve(offer.ticket_id)


async def main(plan: AppsPlan) -> None:
    """Everybody is present until told to go; then the results are written."""
    stamina.instrumentation.set_on_retry_hooks([])
    apps = Apps()
    async with AsyncExitStack() as sessions:
        agents = [
            Agent(
                await sessions.enter_async_context(Session(plan.url, token)),
                app_session=slug,
                lease_seconds=LEASE_SECONDS,
            )
            for slug, token in plan.tokens.items()
        ]
        await asyncio.gather(*(agent.set_presence("available") for agent in agents))
        if plan.mode == "watch":
            playing = [asyncio.create_task(apps.watch(Caller(plan.url, token))) for token in plan.tokens.values()]
        else:
            playing = [asyncio.create_task(apps.serve(agent)) for agent in agents]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.readline()
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        await asyncio.gather(*(agent.leave() for agent in agents))
    plan.results.write_bytes(orjson.dumps({"seen_at": apps.seen_at, "releases_ms": apps.releases_ms}))


def read_plan(path: str) -> AppsPlan:
    return AppsPlan.model_validate_json(Path(path).read_bytes())


if __name__ == "__main__":
    uvloop.run(main(read_plan(sys.argv[1])))
