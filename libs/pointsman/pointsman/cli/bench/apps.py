"""Agents' apps of the pipeline's bench, in a process of their own: `python -m pointsman.cli.bench.apps PLAN`.

Mode `watch`: every app long-polls and notes when it first sees each ticket's offer; nothing is answered. Mode `serve`:
every app takes its offer, resolves it, and notes how long after that the next offer came. Mode `work`: the same, but
each ticket is worked on for `work_seconds`, so that many apps mostly wait. Mode `renew`: nobody waits, all renew their
presence once in `work_seconds`, evenly. A line on standard input (or its end) ends it.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

import orjson
import uvloop
from pydantic import BaseModel

from pointsman.cli.bench.wire import Connection, TokenCalls
from pointsman.client.agent import Agent
from pointsman.client.session import Session
from pointsman.runtime.tasks import awaited

LEASE_SECONDS = 600
POLL_SECONDS = 30
OFFERS, PRESENCE = "/routing/v1/me/offers", "/routing/v1/me/presence"
SIGNED_IN_AT_ONCE = 50
REFUSED_SECONDS = 1.0


class AppsPlan(BaseModel):
    """What the process is told: whom it plays, and where its results go."""

    url: str
    mode: Literal["watch", "serve", "work", "renew"]
    work_seconds: float = 0.0
    tokens: dict[str, str]
    results: Path


class Apps:
    """What was seen: tickets' first offers (monotonic instants), and milliseconds from a release to the next offer."""

    def __init__(self) -> None:
        self.seen_at: dict[str, float] = {}
        self.releases_ms: list[float] = []

    async def watch(self, caller: TokenCalls) -> None:
        """Polls for offers and leaves them."""
        cursor: str | None = None
        while True:
            asked = OFFERS if cursor is None else f"{OFFERS}?wait={POLL_SECONDS}&after={cursor}"
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

    async def work(self, caller: TokenCalls, after_seconds: float, work_seconds: float) -> None:
        """Takes each offer, works on it, resolves it; the first not before `after_seconds`, so that all take turns."""
        cursor: str | None = None
        released: float | None = None
        await asyncio.sleep(after_seconds)
        while True:
            asked = OFFERS if cursor is None else f"{OFFERS}?wait={POLL_SECONDS}&after={cursor}"
            answer = await _answered(caller, caller.get(asked))
            cursor = answer["cursor"]
            for offer in answer["items"]:
                if offer["state"] != "pending":
                    continue
                if released is not None:
                    self.releases_ms.append((time.monotonic() - released) * 1000)
                await _answered(caller, caller.post(f"/routing/v1/offers/{offer['id']}/accept", {}))
                caller.close()  # as an app's would be, whose keep-alive is over by then
                await asyncio.sleep(work_seconds)
                released = time.monotonic()
                body = {"outcome": "solved", "wrap_up_seconds": 0}
                await _answered(caller, caller.post(f"/routing/v1/tickets/{offer['ticket']['id']}/resolve", body))

    async def renew(self, callers: Sequence[TokenCalls], every_seconds: float) -> None:
        """All renew once in so many seconds, one after the other."""
        while True:
            for caller, due in zip(callers, _evenly(len(callers), every_seconds), strict=True):
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await _answered(caller, caller.put(PRESENCE, {"session": "app", "lease_seconds": LEASE_SECONDS}))


async def _answered(caller: TokenCalls, request: bytes) -> Any:
    """The answer; a server that has too much to do is asked again, as an app does."""
    status, body = await caller.answer(request)
    while status in (429, 503):
        await asyncio.sleep(REFUSED_SECONDS)
        status, body = await caller.answer(request)
    if status >= 300:
        raise RuntimeError(f"{request.splitlines()[0]!r} was refused: {body!r}")
    return orjson.loads(body)


def _evenly(count: int, within_seconds: float) -> Iterator[float]:
    """Instants from now on, so many within the seconds."""
    began = time.monotonic()
    return (began + number * within_seconds / count for number in range(count))


async def lean(plan: AppsPlan) -> None:
    """The modes of many apps: present from the start, without the client's comfort."""
    apps, idle = Apps(), list[Connection]()
    callers = [TokenCalls(plan.url, token, idle if plan.mode == "renew" else None) for token in plan.tokens.values()]
    state = {"session": "app", "lease_seconds": LEASE_SECONDS, "state": "available"}
    for start in range(0, len(callers), SIGNED_IN_AT_ONCE):
        some = callers[start : start + SIGNED_IN_AT_ONCE]
        await asyncio.gather(*(_answered(caller, caller.put(PRESENCE, state)) for caller in some))
    if plan.mode == "renew":
        playing = [awaited(apps.renew(callers, plan.work_seconds))]
    else:
        turn = plan.work_seconds / len(callers)
        playing = [
            awaited(apps.work(caller, number * turn, plan.work_seconds)) for number, caller in enumerate(callers)
        ]
    await _until_told_to_go()
    failed = [task.exception() for task in playing if task.done() and not task.cancelled()]
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)
    if failed:
        raise RuntimeError(f"{len(failed)} apps failed, the first with {failed[0]!r}")
    plan.results.write_bytes(orjson.dumps({"seen_at": apps.seen_at, "releases_ms": apps.releases_ms}))


async def _until_told_to_go() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()


async def main(plan: AppsPlan) -> None:
    """Everybody is present until told to go; then the results are written."""
    if plan.mode in ("work", "renew"):
        await lean(plan)
        return
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
            playing = [awaited(apps.watch(TokenCalls(plan.url, token))) for token in plan.tokens.values()]
        else:
            playing = [awaited(apps.serve(agent)) for agent in agents]
        await _until_told_to_go()
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        await asyncio.gather(*(agent.leave() for agent in agents))
    plan.results.write_bytes(orjson.dumps({"seen_at": apps.seen_at, "releases_ms": apps.releases_ms}))


def read_plan(path: str) -> AppsPlan:
    return AppsPlan.model_validate_json(Path(path).read_bytes())


if __name__ == "__main__":
    uvloop.run(main(read_plan(sys.argv[1])))
