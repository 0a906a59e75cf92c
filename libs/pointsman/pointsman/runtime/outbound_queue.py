"""What sends rows of a table to others: claimed, and sent, many at once; what nobody took waits, longer each time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.tasks import awaited, cancel_all

log = structlog.get_logger(__name__)

IDLE_SECONDS, IDLE_SECONDS_MAX = 1.0, 5.0
PAUSE_SECONDS_MAX = 3_600.0
"""No row is put off for longer, however often it failed and whatever its receiver asks for."""
_DOUBLINGS_MAX = 20


def pause_seconds(first_seconds: float, rounds: int, after_seconds: float | None = None) -> float:
    """How long a row waits that was not taken in its `rounds`th round: `first_seconds`, doubled each round, or as long
    as its receiver asked for (`after_seconds`) when that is more; an hour at most."""
    doubled = first_seconds * 2.0 ** min(rounds - 1, _DOUBLINGS_MAX)
    return min(max(doubled, after_seconds or 0.0), PAUSE_SECONDS_MAX)


async def send_due(
    claim: Callable[[int], Awaitable[Sequence[Any]]],
    send: Callable[[Any], Awaitable[None]],
    due: asyncio.Event,
    at_once_max: int,
) -> None:
    """Claims what is due, at most as many as have room, and sends each in a task of its own; until cancelled.

    When nothing was claimed it waits until `due` is set, one was sent, or a moment passed: a second, and twice as long
    each time, up to five. The database may be away: then nothing is claimed, and a row that was on its way is tried
    again when its claim has lapsed. So is one whose sending raises anything else, which is a fault of ours and logged
    as an error.
    """
    running: set[asyncio.Task[None]] = set()
    idle = IDLE_SECONDS
    try:
        while True:
            due.clear()
            room = at_once_max - len(running)
            claimed = await _claimed(claim, room) if room else ()
            running |= {awaited(_sent(send, row)) for row in claimed}
            if not claimed:
                ringing = awaited(due.wait())
                try:
                    await asyncio.wait({ringing, *running}, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    ringing.cancel()
            busy = claimed or running or due.is_set()
            idle = IDLE_SECONDS if busy else min(2 * idle, IDLE_SECONDS_MAX)
            running = {task for task in running if not task.done()}
    finally:
        await cancel_all(running)


async def _claimed(claim: Callable[[int], Awaitable[Sequence[Any]]], room: int) -> Sequence[Any]:
    try:
        return await claim(room)
    except INFRASTRUCTURE_ERRORS as error:
        log.warning("nothing claimed", error=repr(error))
        return ()


async def _sent(send: Callable[[Any], Awaitable[None]], row: Any) -> None:
    try:
        await send(row)
    except INFRASTRUCTURE_ERRORS as error:
        log.warning("not settled", id=row["id"], error=repr(error))
    except Exception as error:
        log.error("not sent", id=row["id"], error=repr(error), exc_info=error)
