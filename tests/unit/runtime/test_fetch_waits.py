"""How long a fetch may wait: briefly while records come, longer and longer while none does."""

from types import SimpleNamespace
from typing import Any

from pointsman.runtime.broker import QUIET_SECONDS, FetchWaits

SETTINGS: Any = SimpleNamespace(fetch_wait_ms=10, fetch_idle_wait_ms=100)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def a_consumer() -> Any:
    return SimpleNamespace(_fetcher=SimpleNamespace(_fetch_max_wait_ms=10))


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
    settings: Any = SimpleNamespace(fetch_wait_ms=300, fetch_idle_wait_ms=100)
    time, consumer = Time(), a_consumer()
    waits = FetchWaits(settings, time)
    time.now += 2 * QUIET_SECONDS
    waits.answered(consumer, False)
    assert consumer._fetcher._fetch_max_wait_ms == 300
