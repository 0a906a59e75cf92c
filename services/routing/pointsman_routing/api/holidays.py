"""The horizon of public holidays is moved on by itself: a version with the dates of further years, put like any other.

Each API process looks when it starts and every few hours. Where a version made in this year would have later dates than
the newest one, it is put as a command that expects the version it was made of: of several processes, and of a person
who changes the document meanwhile, one wins and the others look again. What cannot be moved on raises an alarm, long
before the dates end.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool

from pointsman.contracts.commands import ConfigPut
from pointsman.contracts.document import read_document
from pointsman.contracts.document.horizon import horizons, renewed
from pointsman.contracts.shapes import SYSTEM
from pointsman.core.instant import Instant
from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.process import ApiProcess

log = structlog.get_logger(__name__)

LOOK_SECONDS = 6 * 3600.0
AGAIN_SECONDS = 60.0
"""After a look that could not do all it wanted: while a server starts, or another version came between."""
ALARM_DAYS = 180
"""A horizon that is nearer is an alarm: it is years away while renewal works."""

WITH_HOLIDAYS = """
SELECT workspace FROM (
    SELECT DISTINCT ON (workspace) workspace, document FROM config_version ORDER BY workspace, version DESC
) AS newest
WHERE document::text LIKE '%"holidays_of"%' OR document::text LIKE '%"ical"%' ORDER BY 1
"""
NEWEST = "SELECT version, document FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1"


class HolidayRenewal:
    """See the module. `run` looks until it is cancelled."""

    def __init__(self, process: ApiProcess, now: Callable[[], Instant] | None = None) -> None:
        self._process = process
        self._now = now or process.clock.now

    async def run(self) -> None:
        while True:
            try:
                done = await self.look()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("holidays not looked at", error=repr(error))
                done = False
            await asyncio.sleep(LOOK_SECONDS if done else AGAIN_SECONDS)

    async def look(self) -> bool:
        """Looks once at every workspace. False when something is to be tried again soon."""
        pool, done = self._process.pool, True
        for row in await pool.fetch(WITH_HOLIDAYS):
            newest = await pool.fetchrow(NEWEST, row["workspace"])
            done = await self._renew(row["workspace"], newest["version"], newest["document"]) and done
        return done

    async def _renew(self, workspace: str, version: int, document: dict[str, Any]) -> bool:
        now = self._now()
        try:
            again = await run_in_threadpool(renewed, document, now.year)
        except Exception as error:
            # One workspace's document must not end a process that serves all; only another document, or another
            # version of the program, mends this.
            self._alarm("holidays-not-renewed", workspace, version, error=repr(error))
            return True
        if again is None:
            self._alarm_if_near(workspace, version, document, now)
            return True
        command = ConfigPut(
            actor=SYSTEM,
            document=again,
            expects=version,
            reason=f"public holidays and events seen from {now.year}",
            open_clocks="keep",
        )
        try:
            answer = await self._process.commander.ask(command, workspace=workspace, subject="config")
        except Problem as problem:
            log.warning("holidays not renewed yet", workspace=workspace, version=version, problem=problem.code)
            if problem.status not in (412, 503):
                self._alarm("holidays-not-renewed", workspace, version, error=problem.detail)
            self._alarm_if_near(workspace, version, document, now)
            return problem.status not in (412, 503)
        log.info("holidays renewed", workspace=workspace, version=answer.body["config_version"], was=version)
        return True

    def _alarm_if_near(self, workspace: str, version: int, document: dict[str, Any], now: Instant) -> None:
        last = (now + timedelta(days=ALARM_DAYS)).date()
        for horizon in horizons(read_document(document, standing=document), now.year):
            if horizon.until < last:
                self._alarm("holidays-end", workspace, version, **horizon.plain())

    def _alarm(self, name: str, workspace: str, version: int, **details: Any) -> None:
        telemetry.alarm("routing", name, workspace=workspace, config_version=version, **details)
