"""How long a fetch may wait, and when none is sent: briefly while records come, longer and longer while none does."""

import asyncio
from types import SimpleNamespace
from typing import Any

from pointsman.runtime.fetch_waits import QUIET_SECONDS, FetchWaits

SETTINGS: Any = SimpleNamespace(fetch_wait_ms=10, fetch_idle_wait_ms=100, fetch_rest_ms=0)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def a_consumer() -> Any:
    return SimpleNamespace(_fetcher=SimpleNamespace(_fetch_max_wait_ms=10, _fetcher_timeout=0.2))


def test_waits_grow_once_it_is_quiet_and_shrink_at_the_first_record() -> None:
    time, consumer = Time(), a_consumer()
    waits = FetchWaits(SETTINGS, time)
    for _ in range(5):
        time.now += QUIET_SECONDS / 10
        waits.answered(consumer, False)
    assert consumer._fetcher._fetch_max_wait_ms == 10, "a pause between two records is no quiet"
    grown = []
    for _ in range(5):
        time.now += QUIET_SECONDS
        waits.answered(consumer, False)
        grown.append(consumer._fetcher._fetch_max_wait_ms)
    assert grown == [20, 40, 80, 100, 100]
    waits.answered(consumer, True)
    assert consumer._fetcher._fetch_max_wait_ms == 10
    time.now += QUIET_SECONDS / 2
    waits.answered(consumer, False)
    assert consumer._fetcher._fetch_max_wait_ms == 10


def test_it_never_waits_less_than_at_work() -> None:
    settings: Any = SimpleNamespace(fetch_wait_ms=300, fetch_idle_wait_ms=100, fetch_rest_ms=0)
    time, consumer = Time(), a_consumer()
    waits = FetchWaits(settings, time)
    time.now += 2 * QUIET_SECONDS
    waits.answered(consumer, False)
    assert consumer._fetcher._fetch_max_wait_ms == 300


class Consumer:
    """Counts how often it is paused."""

    def __init__(self) -> None:
        self.pauses = 0
        self._paused: set[str] = {"full"}
        self._fetcher = SimpleNamespace(_fetch_max_wait_ms=10, _fetcher_timeout=0.2)

    def assignment(self) -> set[str]:
        return {"a", "b", "full"}

    def paused(self) -> set[str]:
        return set(self._paused)

    def pause(self, *partitions: str) -> None:
        self.pauses += 1
        self._paused |= set(partitions)

    def resume(self, *partitions: str) -> None:
        self._paused -= set(partitions)


def resting(rest_ms: int, time: Time) -> FetchWaits:
    settings: Any = SimpleNamespace(fetch_wait_ms=10, fetch_idle_wait_ms=10, fetch_rest_ms=rest_ms)
    return FetchWaits(settings, time)


async def test_it_rests_once_it_is_quiet_until_it_is_told_of_a_record() -> None:
    time, consumer = Time(), Consumer()
    waits = resting(600_000, time)
    await waits.rest(consumer)
    assert consumer.pauses == 0, "records came just now"
    assert waits.patience_ms(500) == 500
    time.now += QUIET_SECONDS * 2
    assert waits.patience_ms(500) < 50, "one answer, then it rests"
    rest = asyncio.ensure_future(waits.rest(consumer))
    await asyncio.sleep(0)
    assert consumer.paused() == {"a", "b", "full"}
    assert consumer._fetcher._fetcher_timeout == 600.0
    waits.told()
    await rest
    assert consumer.paused() == {"full"}, "what somebody else paused stays so"
    assert consumer._fetcher._fetcher_timeout == 0.2, "it does not hear of all that it is to ask"
    await waits.rest(consumer)
    assert consumer.pauses == 1, "it asks without pause for a while"


async def test_a_rest_ends_by_itself_and_when_it_is_broken_off() -> None:
    time, consumer = Time(), Consumer()
    waits = resting(1, time)
    time.now += QUIET_SECONDS * 2
    await waits.rest(consumer)
    assert (consumer.pauses, consumer.paused()) == (1, {"full"})
    rest = asyncio.ensure_future(resting(600_000, time).rest(consumer))
    await asyncio.sleep(0)
    rest.cancel()
    await asyncio.wait({rest})
    assert (consumer.paused(), consumer._fetcher._fetcher_timeout) == ({"full"}, 0.2)


async def test_a_broker_that_answers_at_once_needs_no_rest() -> None:
    time, consumer = Time(), Consumer()
    waits = resting(0, time)
    time.now += QUIET_SECONDS * 2
    await waits.rest(consumer)
    assert (consumer.pauses, waits.patience_ms(500)) == (0, 500)
