"""The wallboard's figures as they change."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from pointsman.client.session import Session

READ_TIMEOUT_SECONDS = 40.0


async def live_figures(session: Session) -> AsyncIterator[dict[str, Any]]:
    """The shape `live`, at once and whenever it changes, until the stream ends. Raises `httpx.TransportError`."""
    timeout = httpx.Timeout(10.0, read=READ_TIMEOUT_SECONDS)
    headers = {**session.headers, "Accept": "text/event-stream"}
    async with session.client.stream(
        "GET", f"{session.url}/metrics/v1/live/stream", headers=headers, timeout=timeout
    ) as answer:
        answer.raise_for_status()
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:") and name == "live":
                yield orjson.loads(line.removeprefix("data:").strip())
