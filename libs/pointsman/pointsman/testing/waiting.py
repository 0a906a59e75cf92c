"""Waiting on a condition: what tests do instead of sleeping for a guessed time."""

import asyncio
from collections.abc import Awaitable, Callable

_POLL_SECONDS = 0.02


async def until(condition: Callable[[], object], *, within_seconds: float = 30.0) -> None:
    """Returns when the condition is true; raises `TimeoutError` when it does not become so in time."""
    async with asyncio.timeout(within_seconds):
        while not condition():  # noqa: ASYNC110  # the condition may be about other processes, which set no event
            await asyncio.sleep(_POLL_SECONDS)


async def until_it(condition: Callable[[], Awaitable[object]], *, within_seconds: float = 30.0) -> None:
    """The same for a condition that must itself wait (a query, a call)."""
    async with asyncio.timeout(within_seconds):
        while not await condition():  # noqa: ASYNC110  # as above
            await asyncio.sleep(_POLL_SECONDS)
