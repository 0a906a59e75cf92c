"""Who owns which lane: leases in PostgreSQL, with an epoch that fences and a lock that tells of a death at once.

A worker holds one session for this: a session advisory lock under its random `owner_key`, and `LISTEN`. Every
`poll_seconds`, and at once when a worker came or released a lane, it renews its leases, counts the living workers,
releases lanes above its fair share and claims free ones below it. One that is alone and holds all lanes has nobody to
inherit from, and polls seldom. A lane is free when nobody owns it, its lease has lapsed, or the advisory lock of its
owner is free (a killed process loses its session at once; a stopped one keeps it, and only the lease tells). Claiming
raises the epoch; every transaction of a lane checks it (`fenced`), so that a former owner that wakes up changes
nothing. A batch holds the row of its lane; leases have a table of their own, so that no renewal
waits for it, and need not have reached the disk: one that a crash of the database loses lets the lease lapse. Why not
consumer groups: docs/adr/0001.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

import structlog

from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, connect
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

HELD_KEYS = """
    SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

DURABLE = "SET LOCAL synchronous_commit = on"
"""An epoch that was given may not be given again."""

RENEW = f"""
    WITH registered AS (
        INSERT INTO worker (owner, owner_key, lease_until)
        VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT (owner) DO UPDATE SET owner_key = $2, lease_until = excluded.lease_until
    ), renewed AS (
        UPDATE lane_lease SET lease_until = clock_timestamp() + make_interval(secs => $3), owner_key = $2
        WHERE owner = $1 AND lane = ANY($4::int[]) RETURNING lane
    )
    SELECT ARRAY(SELECT lane FROM renewed) AS lanes,
           (SELECT count(*) FROM worker
            WHERE owner <> $1 AND lease_until > clock_timestamp() AND owner_key IN ({HELD_KEYS})) AS others
"""
"""One question a poll: this worker and its lanes are renewed, and how many others live."""

CLAIM = f"""
    WITH free AS (
        SELECT lane FROM lane_lease JOIN lane USING (lane)
        WHERE owner IS NULL OR lease_until < clock_timestamp() OR owner_key NOT IN ({HELD_KEYS})
        ORDER BY lane LIMIT $4 FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE lane_lease SET owner = $1, owner_key = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM free WHERE lane_lease.lane = free.lane
    )
    UPDATE lane SET epoch = epoch + 1 FROM free WHERE lane.lane = free.lane RETURNING lane.lane, epoch
"""
"""The epoch's row is locked too: one that a batch holds is not waited for, its lane is looked at again."""

RELEASE = "UPDATE lane_lease SET owner = NULL, lease_until = '-infinity' WHERE lane = $1 AND owner = $2"


class Leases:
    """The leases of one worker process. `claimed` and `lost` tell the worker; `release` gives a lane back.

    `claimed(lane, epoch)` is called after the raised epoch is committed; `lost(lane)` when another owner has it, and
    `surplus(lane)` asks the worker to drain a lane that somebody else should have (it calls `release` when done).
    """

    def __init__(
        self,
        settings: RuntimeSettings,
        service: str,
        owner: str,
        *,
        claimed: Callable[[int, int], None],
        lost: Callable[[int], Awaitable[None]],
        surplus: Callable[[int], None],
        poll_seconds: float = 0.25,
        poll_alone_seconds: float = 1.0,
    ) -> None:
        self._settings, self._service, self._owner = settings, service, owner
        self._claimed, self._lost, self._surplus = claimed, lost, surplus
        self._poll_seconds, self._poll_alone_seconds = poll_seconds, max(poll_seconds, poll_alone_seconds)
        self._alone = False
        self._ttl_seconds = settings.lease_seconds
        self._key = secrets.randbits(62)
        self._session: Any = None
        self._new = True
        self._wake = asyncio.Event()
        self._using = asyncio.Lock()
        self._draining = False
        self.held: set[int] = set()
        self._leaving: set[int] = set()

    async def keep(self) -> None:
        """Polls until cancelled. Without the database the leases lapse by themselves; it reconnects."""
        try:
            while True:
                try:
                    async with self._using:
                        await self._poll()
                except INFRASTRUCTURE_ERRORS as error:
                    log.warning("leases cannot be renewed", service=self._service, error=repr(error))
                    await self._disconnect()
                try:
                    async with asyncio.timeout(self._poll_alone_seconds if self._alone else self._poll_seconds):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            await self._disconnect()

    def drain(self) -> None:
        """Claim nothing more: the process is about to end."""
        self._draining = True

    async def release(self, lane: int) -> None:
        """Gives a lane back after its last commit, and tells the others at once."""
        owned = lane in self.held
        self.held.discard(lane)
        self._leaving.discard(lane)
        if not owned or self._session is None:
            return
        try:
            async with self._using:
                await self._session.execute(RELEASE, lane, self._owner)
                await self._session.execute(f"NOTIFY pointsman_{self._service}_lanes")
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("lane not released, its lease will lapse", lane=lane, error=repr(error))

    async def forget(self, lane: int) -> None:
        """The worker found out by itself that the lane is fenced."""
        if lane in self.held:
            self.held.discard(lane)
            self._leaving.discard(lane)
            self._wake.set()
            await self._lost(lane)

    async def _poll(self) -> None:
        self._alone = False
        session = await self._connected()
        others = await self._renew(session)
        if self._new:
            await session.execute(f"NOTIFY pointsman_{self._service}_lanes")
            self._new = False
        share = ceil(self._settings.partitions / (1 + others))
        staying = [lane for lane in self.held if lane not in self._leaving]
        for lane in sorted(staying)[share:]:
            self._leaving.add(lane)
            self._surplus(lane)
        wanted = share - len(staying)
        if wanted > 0 and not self._draining:
            async with session.transaction():
                await session.execute(DURABLE)
                rows = await session.fetch(CLAIM, self._owner, self._key, self._ttl_seconds, wanted)
            for row in rows:
                await self._note_claim(row["lane"], row["epoch"])
        self._alone = not others and len(self.held) == self._settings.partitions

    async def _note_claim(self, lane: int, epoch: int) -> None:
        if lane in self.held:  # our own lease had lapsed: the old state of the lane is void
            self._leaving.discard(lane)
            await self._lost(lane)
        self.held.add(lane)
        log.info("lane claimed", service=self._service, lane=lane, epoch=epoch)
        self._claimed(lane, epoch)

    async def _renew(self, session: Any) -> int:
        """Renews what is held, tells of what was lost, and returns how many other workers live."""
        held = set(self.held)
        with telemetry.LEASE_RENEWAL_SECONDS.labels(self._service).time():
            row = await session.fetchrow(RENEW, self._owner, self._key, self._ttl_seconds, list(held))
        for lane in held - set(row["lanes"]):
            log.warning("lane lost to another owner", service=self._service, lane=lane)
            await self.forget(lane)
        return int(row["others"])

    async def _connected(self) -> Any:
        if self._session is None or self._session.is_closed():
            self._session = None
            session = await connect(self._settings, self._service, purpose="lease")
            try:
                await session.execute("SET lock_timeout = 0")
                await session.execute("SET synchronous_commit = off")
                await session.execute("SELECT pg_advisory_lock($1)", self._key)
                await session.add_listener(f"pointsman_{self._service}_lanes", lambda *_: self._wake.set())
                for table in ("lane", "lane_lease"):
                    await session.execute(
                        f"INSERT INTO {table} (lane) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING",
                        self._settings.partitions,
                    )
            except BaseException:
                session.terminate()
                raise
            self._session, self._new = session, True
        return self._session

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None and not session.is_closed():
            try:
                await session.close(timeout=1)
            except INFRASTRUCTURE_ERRORS:
                session.terminate()
