"""Whether the database can be worked with: asked on a connection of its own, so that no slow reader of a pool hides it.

`fault` is what `/readyz` tells. A server that does not answer (stopped, cut off), refuses, or takes no writes (a
standby after a failover, `default_transaction_read_only`) is known within `ASK_SECONDS + ANSWER_SECONDS`; `away` is
true while it does not answer at all. `restarting` are the service's processes restarted too often, a line each.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.restarts import COUNTED, RESTARTS, too_many
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

ASK_SECONDS = 0.5
ANSWER_SECONDS = 1.0

ASK = f"""
    SELECT (SELECT incarnation FROM installation) AS incarnation, current_setting('transaction_read_only') AS read_only,
           ({COUNTED}) AS restarts
"""


class DatabaseWatch:
    """Watches one service's schema. `run` until cancelled; `on_change(fault)` is called when the fault is another."""

    def __init__(
        self, settings: RuntimeSettings, service: str, on_change: Callable[[str | None], None] = lambda _: None
    ) -> None:
        self._settings, self._service, self._on_change = settings, service, on_change
        self._session: Any = None
        self.fault: str | None = None
        self.away = False
        self.incarnation = ""
        self.restarting: list[str] = []

    async def run(self) -> None:
        try:
            while True:
                await self.look()
                await asyncio.sleep(ASK_SECONDS)
        finally:
            self._drop()

    async def look(self) -> None:
        """Asks once."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._session is None or self._session.is_closed():
                    self._session = await connect(self._settings, self._service, purpose="watch")
                row = await self._session.fetchrow(ASK)
        except INFRASTRUCTURE_ERRORS as error:
            self._drop()
            self.away = True
            self._tell(f"{self._service}: the database is out of reach: {error!r}")
            return
        # It is another one after the database was restored from a backup.
        self.incarnation = row["incarnation"] or ""
        self.away = False
        self._note_restarts(row["restarts"])
        self._tell(f"{self._service}: the database takes no writes" if row["read_only"] == "on" else None)

    def _tell(self, fault: str | None) -> None:
        if (fault is None) != (self.fault is None):
            log.warning("database", service=self._service, fault=fault)
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

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()
