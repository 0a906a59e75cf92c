"""Work beside: what ends unseen would leave a process that answers as if it were whole."""

import asyncio

import pytest

from pointsman.runtime.tasks import Tasks, WorkEnded, awaited, cancel_all, failure, uninterrupted, within
from pointsman.runtime.telemetry import ALARMS


def alarms() -> float:
    return float(ALARMS.labels("test", "work-ended")._value.get())


async def raises() -> None:
    raise ZeroDivisionError("beside")


async def returns() -> None:
    return None


async def test_work_that_raises_is_the_failure_of_its_process() -> None:
    before = alarms()
    tasks = Tasks("test")
    tasks.start(raises())
    async with asyncio.timeout(1):
        await failure().happened.wait()
    assert isinstance(failure().error, ZeroDivisionError)
    assert failure()
    assert alarms() == before + 1


@pytest.mark.parametrize("work", [raises, returns])
async def test_work_for_good_must_not_end_at_all(work: object) -> None:
    Tasks("test").keep(work())  # type: ignore[operator]
    async with asyncio.timeout(1):
        await failure().happened.wait()
    assert isinstance(failure().error, ZeroDivisionError | WorkEnded)


async def test_a_cancellation_that_came_from_within_is_an_end_like_any_other() -> None:
    """A library's cancelled future is raised as `CancelledError` in whoever awaits it, and the task dies by it."""

    async def awaits_what_somebody_cancelled() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    Tasks("test").keep(awaits_what_somebody_cancelled())
    async with asyncio.timeout(1):
        await failure().happened.wait()
    assert isinstance(failure().error, WorkEnded)


async def test_the_first_error_is_what_the_process_ends_by() -> None:
    tasks = Tasks("test")
    first = tasks.start(raises())
    await asyncio.wait([first])
    await asyncio.wait([tasks.keep(returns())])
    assert isinstance(failure().error, ZeroDivisionError)


async def test_closing_ends_the_work_and_is_no_failure() -> None:
    tasks = Tasks("test")
    kept, started = tasks.keep(asyncio.Event().wait()), tasks.start(asyncio.Event().wait())
    await tasks.close()
    assert kept.cancelled()
    assert started.cancelled()
    assert list(tasks) == []
    assert not failure()


async def test_started_work_may_return_and_its_owner_may_cancel_it() -> None:
    tasks = Tasks("test")
    waiting = tasks.start(asyncio.Event().wait())
    await asyncio.wait([tasks.start(returns())])
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not failure()


async def test_who_awaits_gets_what_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await awaited(raises())
    assert not failure()


async def test_an_end_that_hangs_is_left_in_time() -> None:
    assert await within(returns(), 1.0)
    assert not await within(raises(), 1.0)
    assert not await within(asyncio.Event().wait(), 0.01)
    assert not failure()


async def test_an_end_goes_on_however_often_its_owner_is_cancelled() -> None:
    """A task that is cancelled before it began never runs at all."""
    ended: list[str] = []

    async def end() -> str:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.append("whole")
        return "whole"

    owner = awaited(uninterrupted(end()))
    for _ in range(3):
        await asyncio.sleep(0)
        owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert ended == ["whole"]
    assert await uninterrupted(end()) == "whole"
    with pytest.raises(ZeroDivisionError):
        await uninterrupted(raises())


class Stubborn:
    """Work that takes its first cancellations for an outage and tries again, as a relay did whose connection raised an
    error of its own when it was cancelled: its lane waited for its end for ever, and held its lease."""

    def __init__(self, times: int) -> None:
        self.lost, self._times = 0, times

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.lost == self._times:
                    raise
                self.lost += 1


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_what_loses_its_cancellation_is_cancelled_again(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.runtime.tasks.CANCELLED_AGAIN_SECONDS", 0.01)
    stubborn = Stubborn(times)
    tasks = Tasks("test")
    tasks.keep(stubborn.run())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await tasks.close()
    assert (stubborn.lost, list(tasks), bool(failure())) == (times, [], False)


async def test_the_cancelling_goes_on_when_its_owner_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.runtime.tasks.CANCELLED_AGAIN_SECONDS", 0.01)
    stubborn = Stubborn(2)
    task = awaited(stubborn.run())
    await asyncio.sleep(0)
    owner = awaited(cancel_all([task]))
    await asyncio.sleep(0)
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert task.done()
    await cancel_all([])
