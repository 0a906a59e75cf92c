"""Whether the database can be worked with: asked on a connection of its own, so that no slow reader of a pool hides it.

`fault` is what `/readyz` tells. A server that does not answer (stopped, cut off), refuses, or takes no writes (a
standby after a failover, `default_transaction_read_only`) is known within seconds: at once when it refuses, after
`UNANSWERED_MAX` questions of `ANSWER_SECONDS` when it is silent (one may be this process's own, which was busy); `away`
is true while it does not answer at all, or has gone past this release. `restarting` are the service's processes
restarted too often, a line each; `due` the revisions whose after-parts an upgrade left to do.
Its session also measures the database's clock, and hears of records that a process published after a pause.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client import Gauge

from pointsman.runtime import telemetry
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.clock import DatabaseClock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.restarts import COUNTED, RESTARTS, too_many
from pointsman.runtime.revisions import SchemaUnfit
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import Tasks, awaited, within

log = structlog.get_logger(__name__)

ASK_SECONDS = 2.0
ANSWER_SECONDS = 1.0
UNANSWERED_MAX = 2
PUBLISHED = "pointsman_published"
"""The channel on which a process says that it published the first record after a pause (`BrokerLink.on_first`)."""

DUE_AFTER_PARTS = Gauge(
    "pointsman_after_parts_due", "Revisions whose after-parts an upgrade left to do: it is not finished.", ["service"]
)

ASK = f"""
    SELECT (SELECT incarnation FROM installation) AS incarnation, current_setting('transaction_read_only') AS read_only,
           ({COUNTED}) AS restarts, clock_timestamp() AS now,
           ARRAY(SELECT revision FROM after_part WHERE done_at IS NULL ORDER BY 1) AS due
"""


def announce_publishing(link: BrokerLink, pool: Any, tasks: Tasks) -> None:
    """Lets the link say by the database when it publishes after a pause, if consumers rest (`fetch_rest_ms`)."""
    if not link.settings.fetch_rest_ms:
        return

    async def announce() -> None:
        with suppress(*INFRASTRUCTURE_ERRORS):  # then they find it at the end of their rest
            await pool.execute(f"NOTIFY {PUBLISHED}")

    def announced() -> None:
        tasks.start(announce())

    link.on_first(announced)


class DatabaseWatch:
    """Watches one service's schema. `run` until cancelled; `on_change(fault)` is called when the fault is another,
    `on_published()` when a process says that it published something. `well_since` is when the fault last changed
    (monotonic seconds)."""

    def __init__(
        self,
        settings: RuntimeSettings,
        service: str,
        clock: DatabaseClock,
        on_change: Callable[[str | None], None] = lambda _: None,
        on_published: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings, self._service, self._clock = settings, service, clock
        self._on_change, self._on_published = on_change, on_published
        self._session: Any = None
        self._ended = asyncio.Event()
        self._connecting: asyncio.Task[Any] | None = None
        self._unanswered = 0
        self.fault: str | None = None
        self.well_since = time.monotonic()
        self.away = False
        self.incarnation = ""
        self.restarting: list[str] = []
        self.due: list[str] = []

    async def run(self) -> None:
        try:
            while True:
                self._ended.clear()
                await self.look()
                if not 0 < self._unanswered < UNANSWERED_MAX:
                    await self._until_ended(ASK_SECONDS)
        finally:
            await self._leave()

    async def _until_ended(self, seconds: float) -> None:
        """Waits so long; less when the server ends the session meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def look(self) -> None:
        """Asks once."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                session = await self._connected()
                asked = time.monotonic()
                row = await session.fetchrow(ASK)
                self._clock.note(asked, row["now"], time.monotonic())
        except INFRASTRUCTURE_ERRORS as error:
            self._drop()
            self._unanswered = self._unanswered + 1 if isinstance(error, TimeoutError) else UNANSWERED_MAX
            if self._unanswered < UNANSWERED_MAX:
                return
            self.away = True
            unfit = isinstance(error, SchemaUnfit)
            self._tell(f"{self._service}: {error if unfit else f'the database is out of reach: {error!r}'}")
            return
        # It is another one after the database was restored from a backup.
        self.incarnation = row["incarnation"] or ""
        self.away, self._unanswered = False, 0
        self._note_restarts(row["restarts"])
        self.due = row["due"]
        DUE_AFTER_PARTS.labels(self._service).set(len(self.due))
        self._tell(f"{self._service}: the database takes no writes" if row["read_only"] == "on" else None)

    def _tell(self, fault: str | None) -> None:
        if (fault is None) != (self.fault is None):
            log.warning("database", service=self._service, fault=fault)
            self.well_since = time.monotonic()
        changed, self.fault = fault != self.fault, fault
        if changed:
            self._on_change(fault)

    def _note_restarts(self, counted: dict[str, int]) -> None:
        RESTARTS.labels(self._service).set(max(counted.values(), default=0))
        known, self.restarting = self.restarting, too_many(counted)
        if self.restarting and not known:
            telemetry.alarm(self._service, "process-restarts", processes=self.restarting)

    def own_restarts(self) -> str | None:
        """That this very process is restarted too often, or None."""
        own = self._settings.process_name
        return next((line for line in self.restarting if own is not None and line.startswith(f"{own} ")), None)

    def remarks(self) -> list[str]:
        """What else a person should know of the service, for `/readyz`, a line each."""
        due = [f"after-parts are due: {', '.join(self.due)} (pointsman migrate --after)"] if self.due else []
        return [*self.restarting, *due]

    async def _connected(self) -> Any:
        """The session. An attempt that takes longer than a look goes on: one broken off leaves its socket behind."""
        if self._session is None or self._session.is_closed():
            if self._connecting is None:
                self._connecting = awaited(connect(self._settings, self._service, purpose="watch"))
            await asyncio.wait({self._connecting})  # who is cancelled here leaves it to the next look
            connecting, self._connecting = self._connecting, None
            self._session = connecting.result()
            self._session.add_termination_listener(lambda _: self._ended.set())
            await self._session.add_listener(PUBLISHED, lambda *_: self._on_published())
        return self._session

    async def _leave(self) -> None:
        connecting = self._connecting
        if connecting is not None:
            await within(connecting, ANSWER_SECONDS)
            if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
                connecting.result().terminate()
        self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()
