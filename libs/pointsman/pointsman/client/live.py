"""The wallboard's figures as they change."""

from collections.abc import AsyncIterator
from typing import Any

from pointsman.client.session import Session
from pointsman.client.sse import notices


async def live_figures(session: Session) -> AsyncIterator[dict[str, Any]]:
    """The shape `live`, at once and whenever it changes, until the stream ends. Raises `httpx.TransportError`, and
    `ApiError` when it is refused."""
    async for notice in notices(session, "/metrics/v1/live/stream"):
        if notice.name == "live":
            yield notice.data
