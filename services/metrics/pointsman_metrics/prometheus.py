"""The figures of now for Prometheus: who waits and how long, what is offered and in hand, who is there, what is late.

A worker tells of the workspaces of its lanes, so that sums over processes are right. Names of workspaces and queues are
labels only where the operator allows them (`POINTSMAN_FIGURES_WORKSPACES`): labels of a thousand customers would be a
thousand times the series, and their names in somebody else's graphs. All others are summed under empty labels.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from types import TracebackType
from typing import Any, NamedTuple

import structlog
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant, after, seconds_between
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.logic import Database
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.worker import Worker
from pointsman_metrics.live import DUE_SOON_SECONDS
from pointsman_metrics.settings import MetricsSettings

LOOK_SECONDS = 10.0

log = structlog.get_logger(__name__)

WORKSPACES = "SELECT DISTINCT workspace FROM config_version"
TICKETS = """
    SELECT workspace, coalesce(queue, '') AS queue, count(*) FILTER (WHERE state = 'queued') AS waiting,
           count(*) FILTER (WHERE state = 'offered') AS offered, min(waiting_since) AS oldest
    FROM ticket WHERE workspace = ANY($1) AND state IN ('queued', 'offered') GROUP BY 1, 2
"""
IN_HAND = """
    SELECT workspace, coalesce(queue, '') AS queue, count(*) AS n FROM ticket
    WHERE workspace = ANY($1) AND state = 'assigned' GROUP BY 1, 2
"""
AVAILABLE = """
    SELECT workspace, '' AS queue, count(*) AS n FROM agent_stretch
    WHERE workspace = ANY($1) AND ended_at IS NULL AND state = 'available' GROUP BY 1
"""
DUE_SOON = """
    SELECT workspace, coalesce(queue, '') AS queue, count(*) AS n FROM clock
    WHERE workspace = ANY($1) AND state = 'running' AND NOT breached AND breach_at < $2 GROUP BY 1, 2
"""
BREACHED = """
    SELECT workspace, coalesce(queue, '') AS queue, count(*) AS n FROM clock
    WHERE workspace = ANY($1) AND breached AND state IN ('running', 'paused') GROUP BY 1, 2
"""

FIGURES = {
    "waiting": ("pointsman_tickets_waiting", "Tickets that wait for an agent and are offered to nobody."),
    "oldest": ("pointsman_oldest_waiting_seconds", "How long the oldest of those that wait or are offered has waited."),
    "offered": ("pointsman_tickets_offered", "Tickets that are offered to an agent."),
    "in_hand": ("pointsman_tickets_in_hand", "Tickets that an agent holds and works on."),
    "available": ("pointsman_agents_available", "Agents who are available."),
    "due_soon": ("pointsman_clocks_due_soon", "Clocks that breach within 15 minutes unless something is done."),
    "breached": ("pointsman_clocks_breached", "Breached clocks whose tickets are still open."),
}
"""Figure → the name of its gauge and what it says. Of several workspaces they are summed, of `oldest` the largest."""


class Place(NamedTuple):
    """The labels of a figure; both empty for all workspaces that may not be named."""

    workspace: str
    queue: str


Figures = dict[str, dict[Place, float]]


async def read_figures(db: Database, workspaces: Collection[str], named: Collection[str], now: Instant) -> Figures:
    """The figures of these workspaces, by name for those in `named` ("*" for all)."""
    found: Figures = {figure: {Place("", ""): 0.0} for figure in FIGURES}
    mine = list(workspaces)

    def place_of(row: Any) -> Place:
        return Place(row["workspace"], row["queue"]) if {"*", row["workspace"]} & set(named) else Place("", "")

    def add(figure: str, row: Any, value: float) -> None:
        place, old = place_of(row), found[figure].get(place_of(row), 0.0)
        found[figure][place] = max(old, value) if figure == "oldest" else old + value

    for row in await db.fetch(TICKETS, mine):
        add("waiting", row, row["waiting"])
        add("offered", row, row["offered"])
        add("oldest", row, 0.0 if row["oldest"] is None else max(0.0, seconds_between(row["oldest"], now)))
    for figure, statement, more in (
        ("in_hand", IN_HAND, ()),
        ("available", AVAILABLE, ()),
        ("due_soon", DUE_SOON, (after(now, DUE_SOON_SECONDS),)),
        ("breached", BREACHED, ()),
    ):
        for row in await db.fetch(statement, mine, *more):
            add(figure, row, row["n"])
    return found


class ExposedFigures(Collector):
    """Beside a worker: keeps the figures of its lanes' workspaces new, and hands them to whoever scrapes."""

    def __init__(self, settings: MetricsSettings, worker: Worker, lanes: Callable[[], Collection[int]]) -> None:
        self._named = {name for name in settings.figures_workspaces.replace(" ", "").split(",") if name}
        self._partitions = settings.partitions
        self._worker, self._lanes = worker, lanes
        self._tasks = Tasks("metrics")
        self._figures: Figures = {}

    async def __aenter__(self) -> "ExposedFigures":
        REGISTRY.register(self)
        self._tasks.keep(self._keep_new())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.close()
        REGISTRY.unregister(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for figure, (name, what) in FIGURES.items():
            gauge = GaugeMetricFamily(name, what, labels=("workspace", "queue"))
            for place, value in self._figures.get(figure, {}).items():
                gauge.add_metric(place, value)
            yield gauge

    async def look(self) -> None:
        """Reads the figures once."""
        async with self._worker.pool.acquire() as db:
            lanes = set(self._lanes())
            rows = await db.fetch(WORKSPACES)
            mine = [row["workspace"] for row in rows if lane_of(row["workspace"], self._partitions) in lanes]
            self._figures = await read_figures(db, mine, self._named, self._worker.clock.now())

    async def _keep_new(self) -> None:
        while True:
            try:
                await self.look()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("figures cannot be read", service="metrics", error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)
