"""The list of events, read to its end and on (docs/events.md)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.client.shapes import Event

POLL_SECONDS = 50
AGAIN_SECONDS = 1.0


class EventPage(NamedTuple):
    """Events in order, and the cursor behind them: store it once they are dealt with, and begin there the next time.
    A page without events moves the cursor on over what `types` leave out."""

    events: list[Event]
    cursor: str


async def event_pages(
    session: Session, after: str | None = None, *, types: Sequence[str] = (), wait_seconds: int = POLL_SECONDS
) -> AsyncIterator[EventPage]:
    """Everything that happened after the cursor (None: since the oldest that is kept), for ever, and none of it twice.

    Raises `ApiError` 410 `cursor-too-old` when what follows is not kept any more: read the state of things anew.
    """
    while True:
        try:
            answer = await session.call(
                "GET",
                "/routing/v1/events",
                params={"after": after, "type": list(types) or None, "wait": wait_seconds},
                timeout_seconds=wait_seconds + 15.0,
            )
        except (ApiError, Unreachable) as error:
            if isinstance(error, ApiError) and not error.passing:
                raise
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        page = answer.json()
        moved, after = page["cursor"] != after, page["cursor"]
        if page["items"] or moved:
            yield EventPage([Event.model_validate(item) for item in page["items"]], page["cursor"])
