"""A service's own encrypted store of secrets, as an admin keeps it: written over HTTP, read only by the service.

A value that was replaced may stay valid for a while: during a rotation both verify, and both sign.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman.runtime.sealing import NotOpened, SealingKeys

SECRETS_OF_WORKSPACE_MAX = 500

_FIND = """
SELECT value, CASE WHEN previous_until > clock_timestamp() THEN previous END AS previous
FROM secret WHERE workspace = $1 AND name = $2
"""
_PUT = """
INSERT INTO secret (workspace, name, value, previous, previous_until, set_at, set_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (workspace, name) DO UPDATE
SET value = excluded.value, previous = excluded.previous, previous_until = excluded.previous_until,
    set_at = excluded.set_at, set_by = excluded.set_by
"""
_FORGET = "UPDATE secret SET previous = NULL, previous_until = NULL WHERE previous_until <= clock_timestamp()"


SecretSet = Callable[[Database, str, str], Awaitable[None]]
"""What a service does when the secret (workspace, name) was set: it wakes what waited for it."""


class NoSealingKey(RuntimeError):
    """The installation has no key file for secrets: nothing can be stored, and nothing read."""


class TooManySecrets(ValueError):
    """The workspace has as many as it may have."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be told of a stored secret."""

    name: str
    set_at: Instant
    set_by: str
    previous_until: Instant | None


class SecretStore:
    """The table `secret` in a service's schema. `keys` None: nothing can be put, and what is there cannot be read."""

    def __init__(self, pool: Any, service: str, keys: SealingKeys | None) -> None:
        self._pool, self._service, self._keys = pool, service, keys

    async def values(self, workspace: str, name: str) -> tuple[str, ...]:
        """What the name stands for now, the newest first; () when nothing does. Raises `NotOpened`, `NoSealingKey`."""
        row = await self._pool.fetchrow(_FIND, workspace, name)
        if row is None:
            return ()
        return tuple(
            self._opened(sealed, workspace, name) for sealed in (row["value"], row["previous"]) if sealed is not None
        )

    async def put(
        self,
        workspace: str,
        name: str,
        value: str,
        by: str,
        previous_valid_seconds: int,
        then: SecretSet | None = None,
    ) -> Kept:
        """Stores a value; the one it replaces stays valid for so many seconds. The same value again, as a repeated call
        sends it, leaves the replaced one in its place. `then` runs in the same transaction. Raises `NoSealingKey`,
        `TooManySecrets`."""
        if self._keys is None:
            raise NoSealingKey("this installation has no key for secrets: POINTSMAN_SECRETS_KEY_FILE is not set")
        sealed = self._keys.seal(value.encode(), self._place(workspace, name))
        async with self._pool.acquire() as db, db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"secret:{workspace}")
            await db.execute(_FORGET)
            now: Instant = await db.fetchval("SELECT clock_timestamp()")
            old = await db.fetchrow(
                "SELECT value, previous FROM secret WHERE workspace = $1 AND name = $2", workspace, name
            )
            if old is None:
                count = await db.fetchval("SELECT count(*) FROM secret WHERE workspace = $1", workspace)
                if count >= SECRETS_OF_WORKSPACE_MAX:
                    raise TooManySecrets(f"a workspace has at most {SECRETS_OF_WORKSPACE_MAX} secrets")
            previous = None
            if old is not None and previous_valid_seconds:
                repeated = self._is(old["value"], value, workspace, name)
                previous = old["previous" if repeated else "value"]
            until = None if previous is None else now + timedelta(seconds=previous_valid_seconds)
            await db.execute(_PUT, workspace, name, sealed, previous, until, now, by)
            if then is not None:
                await then(db, workspace, name)
        return Kept(name, now, by, until)

    async def names(self, workspace: str, after: str, limit: int) -> list[Kept]:
        """The workspace's secrets by name, from the one after `after` on."""
        await self._pool.execute(_FORGET)
        rows = await self._pool.fetch(
            """
            SELECT name, set_at, set_by, previous_until FROM secret
            WHERE workspace = $1 AND name > $2 ORDER BY name LIMIT $3
            """,
            workspace,
            after,
            limit,
        )
        return [Kept(**row) for row in rows]

    async def those_of(self, workspace: str, names: Sequence[str]) -> frozenset[str]:
        """Which of the names have a value here."""
        rows = await self._pool.fetch(
            "SELECT name FROM secret WHERE workspace = $1 AND name = ANY($2::text[])", workspace, list(names)
        )
        return frozenset(row["name"] for row in rows)

    async def remove(self, workspace: str, name: str) -> bool:
        """Whether there was one. From now on the name stands for nothing here."""
        found = await self._pool.fetchval(
            "DELETE FROM secret WHERE workspace = $1 AND name = $2 RETURNING name", workspace, name
        )
        return found is not None

    def _opened(self, sealed: bytes, workspace: str, name: str) -> str:
        if self._keys is None:
            raise NoSealingKey("this process has no key for secrets: POINTSMAN_SECRETS_KEY_FILE is not set")
        return self._keys.open(sealed, self._place(workspace, name)).decode()

    def _is(self, sealed: bytes, value: str, workspace: str, name: str) -> bool:
        try:
            return self._opened(sealed, workspace, name) == value
        except NotOpened:
            return False

    def _place(self, workspace: str, name: str) -> str:
        """What a value is sealed for: a copy in another place does not open."""
        return f"{self._service}/{workspace}/{name}"
