"""The pools of connections: nobody waits for ever, nobody waits for what they themselves hold, and a stuck one is told.

- An acquire has a time limit; then it raises `PoolExhausted`, which an API answers as 503.
- Who holds a connection of a pool (`async with pool.acquire()`) and asks the same pool for another waits for others who
  may do the same: enough of them at once hold all there are, for good. That is an error of the program, and it is
  raised at the first such call (`AcquiredInside`), however many connections are free.
- A pool of whose open connections none came back for `stuck_seconds`, while somebody asked, is stuck: something took
  them and does not give them back. Such a process fails liveness, to be started anew (`runtime.stuck`).
"""

import asyncio
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.pool import PoolAcquireContext

from pointsman.runtime.stuck import watch

if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
    _Context = PoolAcquireContext[asyncpg.Record]
else:
    _Pool, _Context = asyncpg.Pool, PoolAcquireContext


class PoolExhausted(TimeoutError):
    """Within the time limit no connection of the pool came free."""


class AcquiredInside(RuntimeError):
    """A connection was asked for while one of the same pool was held."""


class _Holding:
    """One connection held by an `async with`: it ends there, whoever inherited the context."""

    __slots__ = ("ended", "pool")

    def __init__(self, pool: "BoundedPool") -> None:
        self.pool = pool
        self.ended = False


_held: ContextVar[tuple[_Holding, ...]] = ContextVar("_held", default=())


class _Acquired(_Context):
    """`async with pool.acquire()`. What is started inside, also as a task of its own, must not ask the pool again."""

    __slots__ = ("_holding",)

    async def __aenter__(self) -> Any:
        pool: Any = self.pool
        others = tuple(holding for holding in _held.get() if not holding.ended)
        if any(holding.pool is pool for holding in others):
            raise AcquiredInside(f"a connection was asked for while one of the same pool is held ({pool.name})")
        holding = self._holding = _Holding(pool)
        _held.set((*others, holding))
        try:
            return await super().__aenter__()
        except BaseException:
            self._end()
            raise

    async def __aexit__(self, *failure: Any) -> None:
        try:
            await super().__aexit__(*failure)
        finally:
            self._end()

    def _end(self) -> None:
        self._holding.ended = True
        _held.set(tuple(holding for holding in _held.get() if not holding.ended))


class BoundedPool(_Pool):
    """See the module. `wait_seconds` limits each acquire; `name` says whose pool it is."""

    # Without slots of the parents' kind: a weak reference to it is kept.
    __slots__ = ("__weakref__", "_asked_in_vain_since", "name", "stuck_seconds", "wait_seconds")

    def __init__(self, *, name: str, wait_seconds: float, stuck_seconds: float, **given: Any) -> None:
        super().__init__(**given)
        self.name = name
        self.wait_seconds = wait_seconds
        self.stuck_seconds = stuck_seconds
        self._asked_in_vain_since: float | None = None
        watch(self)

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection, for `async with` or `await`. Raises `PoolExhausted` after `timeout` or the pool's own limit,
        whichever is shorter."""
        return _Acquired(self, timeout)

    async def _acquire(self, timeout: float | None) -> Any:
        limit = self.wait_seconds if timeout is None else min(timeout, self.wait_seconds)
        if self._asked_in_vain_since is None:
            self._asked_in_vain_since = time.monotonic()
        try:
            async with asyncio.timeout(limit):
                connection = await super()._acquire(None)  # type: ignore[misc]  # what its contexts call
        except TimeoutError as error:
            raise PoolExhausted(f"no connection of {self.name} came free within {limit:g} s") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._asked_in_vain_since = None  # the server cannot be reached: that is another matter
            raise
        self._asked_in_vain_since = None
        return connection

    def break_off(self) -> None:
        """Ends every connection at once: what is asked on one fails now, and the next acquire opens another."""
        for holder in self._holders:  # type: ignore[attr-defined]  # asyncpg's own, which its stubs leave out
            holder.terminate()

    def stuck(self) -> str | None:
        """What is stuck, in one line; None while connections come and go, or the server is what is missing."""
        since = self._asked_in_vain_since
        if since is None or self.is_closing() or self.get_size() < self.get_max_size():
            return None
        if self.get_idle_size() > 0:
            self._asked_in_vain_since = None
            return None
        seconds = time.monotonic() - since
        return f"{self.name}: no connection came back for {seconds:.0f} s" if seconds >= self.stuck_seconds else None
