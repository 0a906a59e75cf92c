"""How often a consumer asks for records: without pause while they come, seldom once they do not, and at once when it is
told that there is one."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from pointsman.runtime.settings import RuntimeSettings

QUIET_SECONDS = 2.0
ANSWER_MS = 5
"""How much longer than the broker's wait an answer takes."""


class FetchWaits:
    """How long the broker may wait before it answers a consumer's fetch with nothing, and when nothing is asked.

    Briefly while records come, so that none waits for it. Once none has come for `QUIET_SECONDS`, twice as long with
    each answer that has none, up to `fetch_idle_wait_ms`: each fetch costs both sides. Where the broker answers only at
    the end of its wait, the consumer rests instead: it asks nothing for `fetch_rest_ms`, or until `told`.
    """

    def __init__(self, settings: RuntimeSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._least, self._most = settings.fetch_wait_ms, max(settings.fetch_wait_ms, settings.fetch_idle_wait_ms)
        self._rest_seconds = settings.fetch_rest_ms / 1000
        self._now, self._heard_at = now, now()
        self._told = asyncio.Event()
        self.wait_ms = self._least

    @property
    def quiet(self) -> bool:
        """Whether nothing has come for a while."""
        return self._now() - self._heard_at > QUIET_SECONDS

    def told(self) -> None:
        """There is a record, or there may be one soon: it is asked for at once, and for a while without pause."""
        self._heard_at, self.wait_ms = self._now(), self._least
        self._told.set()

    def patience_ms(self, most: int) -> int:
        """How long the consumer waits for the answer to one fetch; at most `most`."""
        return min(most, self.wait_ms + ANSWER_MS) if self._rest_seconds and self.quiet else most

    def answered(self, consumer: Any, anything: bool) -> None:
        """The consumer got an answer, with records or without: its next fetches wait accordingly."""
        if anything:
            self._heard_at, self.wait_ms = self._now(), self._least
        elif self.quiet:
            self.wait_ms = min(self._most, 2 * self.wait_ms)
        consumer._fetcher._fetch_max_wait_ms = self.wait_ms

    async def rest(self, consumer: Any) -> None:
        """Returns at once unless it is quiet and the consumer is to rest then."""
        if not self._rest_seconds or not self.quiet:
            return
        asked = consumer.assignment() - consumer.paused()
        self._told.clear()
        consumer.pause(*asked)
        # Five times a second it looks for what to ask: it does not hear of all that changes that. Now nothing does.
        looks_seconds, consumer._fetcher._fetcher_timeout = consumer._fetcher._fetcher_timeout, self._rest_seconds
        try:
            async with asyncio.timeout(self._rest_seconds):
                await self._told.wait()
        except TimeoutError:
            return
        finally:
            consumer._fetcher._fetcher_timeout = looks_seconds
            consumer.resume(*asked)
