"""Presence renewals that change nothing, gathered into one command per workspace and second.

A renewal that could not be sent is sent with the next ones, as long as its lease would live.
"""

import asyncio
from collections.abc import Sequence

import structlog

from pointsman.contracts.commands import PresenceRenew, SessionRenewal
from pointsman.contracts.shapes import SYSTEM
from pointsman.core.instant import Instant
from pointsman.runtime.broker import BROKER_ERRORS
from pointsman.runtime.process import ApiProcess

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
RENEWALS_PER_COMMAND_MAX = 5_000


class Renewals:
    """See the module. `run` sends until it is cancelled."""

    def __init__(self, process: ApiProcess) -> None:
        self._process = process
        self._waiting: dict[str, dict[tuple[str, str], Instant]] = {}

    def add(self, workspace: str, agent: str, session: str, until: Instant) -> None:
        self._waiting.setdefault(workspace, {})[agent, session] = until

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            waiting, self._waiting = self._waiting, {}
            for workspace, renewals in waiting.items():
                renewing = [
                    SessionRenewal(agent=agent, session=session, until=until)
                    for (agent, session), until in renewals.items()
                ]
                for start in range(0, len(renewing), RENEWALS_PER_COMMAND_MAX):
                    await self._send(workspace, renewing[start : start + RENEWALS_PER_COMMAND_MAX])

    async def _send(self, workspace: str, renewing: Sequence[SessionRenewal]) -> None:
        try:
            await self._process.commander.tell(
                PresenceRenew(actor=SYSTEM, agents=tuple(renewing)), workspace=workspace, subject="presence"
            )
        except BROKER_ERRORS as error:
            log.warning("renewals wait for the broker", count=len(renewing), error=repr(error))
            now = self._process.clock.now()
            newer = self._waiting.setdefault(workspace, {})
            for renewal in renewing:
                if renewal.until > now:
                    newer.setdefault((renewal.agent, renewal.session), renewal.until)
