"""What a lane sends beside its facts: outcomes as wake-ups, and questions for numbers that are missing."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog

from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime import telemetry
from pointsman.runtime.broker import BROKER_ERRORS, BrokerLink
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.deciding import Decider, Halted
from pointsman.runtime.logic import Codec
from pointsman.runtime.own_commands import RESEND
from pointsman.runtime.relay import RelayLine, resend
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.transaction import Outcome

log = structlog.get_logger(__name__)

COMMANDS = Topic("commands", (), (), False, 0)
OUTCOMES = Topic("outcomes", (), (), False, 0)
ASK_SECONDS = 1.0


class LaneProducer:
    """One lane's sends that nothing depends on: what is lost here is found in a table or asked for again."""

    def __init__(self, service: str, lane: int, source: str, link: BrokerLink, pool: Any, codec: Codec) -> None:
        self.service, self.lane, self.source = service, lane, source
        self._link, self._pool, self._codec = link, pool, codec
        self._tasks = Tasks(service)
        self._resending: dict[str, asyncio.Task[None]] = {}
        self._asked_at = 0.0

    async def close(self) -> None:
        """Waits a moment for outcomes on their way, then ends everything."""
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)
        await self._tasks.close()

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        """Wakes the APIs that wait for these outcomes."""
        waited_for = [outcome for outcome in outcomes if outcome.reply_to is not None]
        if waited_for:
            self._tasks.start(self._publish(waited_for))

    async def _publish(self, outcomes: Sequence[Outcome]) -> None:
        try:
            for outcome in outcomes:
                await self._publish_one(outcome)
        except BROKER_ERRORS as error:
            log.debug("outcomes not published", error=repr(error))

    async def _publish_one(self, outcome: Outcome) -> None:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", outcome.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", b"pointsman.outcomes.decided.v1"),
            ("ce_subject", outcome.id.encode()),
            ("ce_workspace", outcome.workspace.encode()),
            ("reply_to", (outcome.reply_to or "").encode()),
        ]
        value = {"status": outcome.status, "body": outcome.body, "body_hash": outcome.body_hash}
        await self._link.send(OUTCOMES, self.lane, outcome.workspace.encode(), telemetry.encode(value), headers)

    async def ask_for_gaps(self, decider: Decider, now: Instant) -> None:
        """Asks the sources for what is missing, once a second. Raises `Halted` when a gap stays too long."""
        if not decider.gaps or time.monotonic() - self._asked_at < ASK_SECONDS:
            return
        self._asked_at = time.monotonic()
        for (topic, source), since in decider.gaps.items():
            first = decider.seen.get((topic, source), 0) + 1
            if (now - since).total_seconds() > self._link.settings.gap_patience_seconds:
                telemetry.alarm(self.service, "gap", lane=self.lane, topic=topic, source=source, first=first)
                raise Halted(f"{topic}: {source} does not send {first} again")
            await self._ask(topic, source, first)

    async def _ask(self, topic: str, source: str, first: int) -> None:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", f"resend-{self.service}-{source}-{first}".encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", RESEND.encode()),
            ("ce_subject", source.encode()),
            ("ce_workspace", b"*"),
        ]
        value = {"type": RESEND, "source": source, "of_topic": topic, "partition": self.lane, "first": first}
        try:
            await self._link.send(COMMANDS, self.lane, b"*", telemetry.encode(value), headers)
        except BROKER_ERRORS as error:
            log.debug("resend not asked", source=source, error=repr(error))

    def send_again(
        self,
        requests: Sequence[tuple[str, int, int]],
        relay: RelayLine | None,
        writes: Topic | None,
        slots: Topic | None,
    ) -> None:
        """Readers miss facts of this service: (source, partition, first) each. Others' sources are not ours to send."""
        for source, partition, first in requests:
            if partition != self.lane:
                continue
            if source == self.source and relay is not None:
                relay.go_back(first)
                continue
            topic = slots if source.startswith(f"{self.service}/") else writes
            running = self._resending.get(source)
            if (
                topic is not None
                and source.startswith((f"{self.service}/", f"{self.service}@"))
                and (running is None or running.done())
            ):
                self._resending[source] = self._tasks.start(self._send_range(topic, source, first))

    async def _send_range(self, topic: Topic, source: str, first: int) -> None:
        try:
            count = await resend(self._pool, self._link, self._codec, topic, source, self.lane, first)
            log.info("sent again", source=source, lane=self.lane, first=first, count=count)
        except (*BROKER_ERRORS, *INFRASTRUCTURE_ERRORS) as error:
            log.debug("not sent again; the reader asks once more", source=source, error=repr(error))
