"""What intake may forget: raw bytes after the workspace's `raw_days`, replay tokens after two days."""

import asyncio

import structlog

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.tasks import Tasks
from pointsman_intake.settings import IntakeSettings

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0
ROWS_AT_ONCE = 5_000

_TOKENS = """
DELETE FROM replay_token WHERE (workspace, connector, token) IN (
    SELECT workspace, connector, token FROM replay_token WHERE at < clock_timestamp() - interval '2 days' LIMIT $1)
"""

_RAW = """
DELETE FROM raw WHERE id IN (
    SELECT r.id FROM raw r
    JOIN LATERAL (SELECT raw_days FROM config c WHERE c.workspace = r.workspace ORDER BY version DESC LIMIT 1) c ON true
    WHERE r.at < clock_timestamp() - make_interval(days => c.raw_days) LIMIT $1)
"""


class Tidying:
    """Runs beside the worker while its context is entered; two at once do no harm."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._settings = settings
        self._tasks = Tasks("intake")

    async def __aenter__(self) -> "Tidying":
        self._pool = await open_pool(self._settings, "intake", size=1, purpose="tidy")
        self._tasks.keep(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._pool.close()

    async def _run(self) -> None:
        while True:
            try:
                for statement in (_TOKENS, _RAW):
                    while await self._pool.execute(statement, ROWS_AT_ONCE) == f"DELETE {ROWS_AT_ONCE}":
                        continue
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("nothing forgotten", error=repr(error))
            await asyncio.sleep(EVERY_SECONDS)
