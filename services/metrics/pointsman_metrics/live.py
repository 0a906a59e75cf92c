"""The wallboard's figures: computed from the rows of what is open now, once per workspace for all who watch.

The worker announces each commit (`store.CHANGED_CHANNEL`); a watched workspace is computed again at once, though never
more often than every `AGAIN_AFTER_SECONDS`, and at least every `TICK_SECONDS`, because ages grow by themselves.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from pointsman.core.instant import Instant, after, rfc3339, seconds_between
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.logic import Database
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.tasks import Tasks, cancel_all
from pointsman_metrics.store import CHANGED_CHANNEL

AGAIN_AFTER_SECONDS = 0.1
TICK_SECONDS = 1.0
DUE_SOON_SECONDS = 900
RECONNECT_SECONDS = 1.0

log = structlog.get_logger()

QUEUE_NAMES = "SELECT queues FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1"
WAITING = """
SELECT queue, count(*) AS waiting, min(waiting_since) AS oldest
FROM ticket WHERE workspace = $1 AND state IN ('queued', 'offered') AND queue IS NOT NULL GROUP BY queue
"""
COUNTS = """
SELECT (SELECT count(*) FROM ticket WHERE workspace = $1 AND state = 'assigned') AS in_hand,
       (SELECT count(*) FROM clock WHERE workspace = $1 AND state = 'running' AND NOT breached AND breach_at < $2)
           AS due_soon,
       (SELECT count(*) FROM clock WHERE workspace = $1 AND breached AND state IN ('running', 'paused')) AS breached
"""
AGENTS = "SELECT state, count(*) AS n FROM agent_stretch WHERE workspace = $1 AND ended_at IS NULL GROUP BY state"


async def read_live(db: Database, workspace: str, now: Instant) -> dict[str, Any]:
    """The shape `live` of the API: per queue who waits (offered ones included) and for how long; agents by presence and
    the tickets they hold; clocks that would breach within fifteen minutes; breached clocks that still stand open."""
    names = await db.fetchval(QUEUE_NAMES, workspace) or ()
    queues: dict[str, dict[str, Any]] = {name: {"waiting": 0, "oldest_seconds": 0.0} for name in names}
    for row in await db.fetch(WAITING, workspace):
        age = 0.0 if row["oldest"] is None else max(0.0, seconds_between(row["oldest"], now))
        queues[row["queue"]] = {"waiting": row["waiting"], "oldest_seconds": round(age, 3)}
    counts = await db.fetchrow(COUNTS, workspace, after(now, DUE_SOON_SECONDS))
    agents = {row["state"]: row["n"] for row in await db.fetch(AGENTS, workspace)}
    return {
        "now": rfc3339(now),
        "queues": queues,
        "agents": {
            "available": agents.get("available", 0),
            "away": agents.get("away", 0),
            "offline": agents.get("offline", 0),
            "in_hand": counts["in_hand"],
        },
        "due_soon": counts["due_soon"],
        "breached": counts["breached"],
    }


class _Watched:
    """One workspace that somebody watches: its newest figures, and the task that keeps them new."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.newer = asyncio.Condition()
        self.figures: dict[str, Any] | None = None
        self.edition = 0
        self.viewers = 0
        self.task: asyncio.Task[None] | None = None


class LiveBoard:
    """The figures of each workspace for any number of viewers of this process."""

    def __init__(self, process: ApiProcess) -> None:
        self._process = process
        self._watched: dict[str, _Watched] = {}
        self._tasks = Tasks("metrics")
        self._listening = False

    async def figures(self, workspace: str) -> dict[str, Any]:
        """The figures of now."""
        async with self._process.pool.acquire() as db:
            return await read_live(db, workspace, self._process.clock.now())

    @asynccontextmanager
    async def watch(self, workspace: str) -> AsyncIterator[AsyncGenerator[dict[str, Any], None]]:
        """Yields an endless iterator: the figures as they are, then each newer edition."""
        if not self._listening:
            self._listening = True
            self._process.start(self._listen())
        watched = self._watched.setdefault(workspace, _Watched())
        watched.viewers += 1
        if watched.task is None:
            watched.task = self._tasks.start(self._keep_new(workspace, watched))
        try:
            yield _editions(watched)
        finally:
            watched.viewers -= 1
            if watched.viewers == 0 and self._watched.get(workspace) is watched:
                del self._watched[workspace]
                await cancel_all([watched.task])

    async def _keep_new(self, workspace: str, watched: _Watched) -> None:
        while True:
            watched.changed.clear()
            try:
                figures = await self.figures(workspace)
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("live figures cannot be read", workspace=workspace, error=str(error))
            else:
                async with watched.newer:
                    watched.figures = figures
                    watched.edition += 1
                    watched.newer.notify_all()
            await asyncio.sleep(AGAIN_AFTER_SECONDS)
            try:
                async with asyncio.timeout(TICK_SECONDS - AGAIN_AFTER_SECONDS):
                    await watched.changed.wait()
            except TimeoutError:
                continue

    async def _listen(self) -> None:
        """Hears of commits as long as the process lives; a lost connection is opened again (figures tick meanwhile)."""
        while True:
            lost = asyncio.Event()
            try:
                connection = await connect(self._process.settings, "metrics", purpose="live")
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                try:
                    await connection.add_listener(CHANGED_CHANNEL, self._heard)
                    await lost.wait()
                finally:
                    connection.terminate()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("no word of changes", error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        for workspace in payload.split(","):
            watched = self._watched.get(workspace)
            if watched is not None:
                watched.changed.set()


async def _editions(watched: _Watched) -> AsyncGenerator[dict[str, Any], None]:
    edition = 0
    while True:
        async with watched.newer:
            while watched.edition == edition:
                await watched.newer.wait()
            edition, figures = watched.edition, watched.figures
        assert figures is not None
        yield figures
