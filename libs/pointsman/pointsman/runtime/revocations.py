"""Tokens that were taken back: what the table knows of them, and what their topic has said since.

The topic and what its records mean are handed in: the runtime knows no fact.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Protocol

import structlog

from pointsman.core.envelope import Arrived
from pointsman.core.instant import Instant
from pointsman.core.topic import Topic
from pointsman.runtime.auth import Revocations
from pointsman.runtime.broadcast import Broadcast, Decoder, Heard, read_since
from pointsman.runtime.broker import BROKER_ERRORS, BrokerLink
from pointsman.runtime.clock import Clock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS

log = structlog.get_logger(__name__)

HEARD_MARK_SECONDS = 30.0
HEARD_OVERLAP = timedelta(minutes=5)
PATIENCE_SECONDS = 15.0


class RevocationWire(Decoder, Protocol):
    """How revocations are announced."""

    @property
    def REVOCATIONS(self) -> Topic: ...

    @property
    def REVOKED_TYPE(self) -> str: ...

    def revoked(self, facts: list[Any]) -> Iterator[tuple[str, Instant]]: ...


class RevocationFeed:
    """Keeps a service's `Revocations` complete, and its tables `revoked_token` and `revocations_heard` with them."""

    def __init__(
        self,
        revocations: Revocations,
        *,
        wire: RevocationWire,
        pool: Any,
        link: BrokerLink,
        broadcast: Broadcast,
        clock: Clock,
    ) -> None:
        self._revocations = revocations
        self._wire, self._topic = wire, wire.REVOCATIONS
        self._pool, self._link, self._broadcast, self._clock = pool, link, broadcast, clock
        self._listens = self._topic.name in broadcast.topics
        self._heard_generation = 0
        self._unsaved: list[tuple[str, Instant]] = []

    def listen(self) -> None:
        """From now on what is announced counts. Called before anything is read, so that nothing is missed between."""
        if self._listens:
            self._broadcast.listen(self._topic.name, self._on_heard)

    async def load(self) -> None:
        """What is known from the table, then what the topic says since then.

        With the broker out of reach the table must do: intake accepts while it is down. What is missed then is read
        as soon as the broker is back (`keep`).
        """
        for row in await self._pool.fetch("SELECT token_id, expires_at FROM revoked_token WHERE expires_at > now()"):
            self._revocations.add(row["token_id"], row["expires_at"])
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._catch_up()
        except BROKER_ERRORS as error:
            log.warning("revocations not read to their end yet", error=repr(error))

    async def keep(self) -> None:
        """Saves what was heard, and up to when everything was; catches up after the broker was away."""
        marked = self._clock.now() - HEARD_OVERLAP
        while True:
            await asyncio.sleep(1.0)
            try:
                if self._unsaved:
                    await self._save()
                if self._heard_generation != self._link.generation:
                    await self._catch_up()
                elif (self._clock.now() - marked).total_seconds() > HEARD_MARK_SECONDS:
                    marked = self._clock.now()
                    await self._pool.execute(
                        """
                        INSERT INTO revocations_heard (until) VALUES ($1)
                        ON CONFLICT (one) DO UPDATE SET until = greatest(revocations_heard.until, excluded.until)
                        """,
                        marked,
                    )
            except (*BROKER_ERRORS, *INFRASTRUCTURE_ERRORS) as error:
                log.warning("revocations not kept", error=repr(error))

    async def _catch_up(self) -> None:
        """Reads the revocations that were announced since this service last heard everything."""
        if self._link.cluster is None or not self._listens:
            return
        generation = self._link.generation
        async with asyncio.timeout(5):
            await self._broadcast.hearing.wait()
        until = await self._pool.fetchval("SELECT until FROM revocations_heard")
        since_ms = None if until is None else int((until - HEARD_OVERLAP).timestamp() * 1000)
        await read_since(self._link.settings, str(self._link.address), self._topic, since_ms, self._on_arrived)
        self._heard_generation = generation

    def _on_arrived(self, record: Arrived) -> None:
        types = record.header("facts")
        if types is not None and self._wire.REVOKED_TYPE in types:
            self._on_heard(Heard(self._topic.name, record, dict(record.headers), self._wire))

    def _on_heard(self, heard: Heard) -> None:
        if self._wire.REVOKED_TYPE in heard.types:
            for token_id, expires_at in self._wire.revoked(heard.facts):
                self._revocations.add(token_id, expires_at)
                self._unsaved.append((token_id, expires_at))

    async def _save(self) -> None:
        unsaved, self._unsaved = self._unsaved, []
        try:
            await self._pool.execute(
                """
                INSERT INTO revoked_token (token_id, expires_at) SELECT * FROM unnest($1::text[], $2::timestamptz[])
                ON CONFLICT DO NOTHING
                """,
                [token_id for token_id, _ in unsaved],
                [expires_at for _, expires_at in unsaved],
            )
            await self._pool.execute("DELETE FROM revoked_token WHERE expires_at < now() - interval '1 day'")
        except BaseException:
            self._unsaved = unsaved + self._unsaved
            raise
