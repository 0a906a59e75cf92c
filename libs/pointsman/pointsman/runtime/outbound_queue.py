"""The loop of what sends rows of a table to others: claimed, and sent, many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from pointsman.runtime.tasks import awaited, cancel_all

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0


async def send_due(
    claim: Callable[[int], Awaitable[Sequence[Any]]],
    send: Callable[[Any], Awaitable[None]],
    due: asyncio.Event,
    at_once_max: int,
) -> None:
    """Claims what is due, at most as many as have room, and sends each in a task of its own; until cancelled.

    When nothing was claimed it waits until `due` is set, one was sent, or a moment passed. A row whose sending raises
    is a fault of ours: it is logged as an error, and the row tried again when its claim has lapsed.
    """
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            due.clear()
            room = at_once_max - len(running)
            claimed = await claim(room) if room else ()
            running |= {awaited(_sent(send, row)) for row in claimed}
            if not claimed:
                ringing = awaited(due.wait())
                try:
                    await asyncio.wait({ringing, *running}, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    ringing.cancel()
            running = {task for task in running if not task.done()}
    finally:
        await cancel_all(running)


async def _sent(send: Callable[[Any], Awaitable[None]], row: Any) -> None:
    try:
        await send(row)
    except Exception as error:
        log.error("not sent", id=row["id"], error=repr(error), exc_info=error)
