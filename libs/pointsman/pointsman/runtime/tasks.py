"""Work beside the calls and the lanes: every task is started here, and what raises in one ends its process.

A process that goes on without one of its parts answers as if it were whole: a lease that nobody renews any more shows
as a 503 for every call, and as nothing else. So the first error is logged, raises the alarm `work-ended`, and is the
process's `failure()`; who serves the process (`runtime.worker`, `pointsman.edge`) waits for that and ends, and whatever
started the process starts it again.

Three ways to start work, by who looks at how it ends:

- `Tasks.keep`: it runs until its `Tasks` are closed. That it ends before, however, is a fault.
- `Tasks.start`: it ends by itself. That it raises is a fault.
- `awaited`: whoever starts it awaits it, and gets what it raises.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import structlog

from pointsman.runtime import telemetry

log = structlog.get_logger(__name__)

T = TypeVar("T")

LAST_SECONDS = 20.0
"""A process that failed has so long to give back what it holds."""
CANCELLED_AGAIN_SECONDS = 5.0
"""What was cancelled has so long to end before it is cancelled again."""


class WorkEnded(Exception):
    """Work that runs for good returned, or was cancelled by somebody else than its owner."""


class Failure:
    """What ends the process of one event loop: the first error of its work. `happened` is set with it."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()
        self.error: BaseException | None = None

    def __bool__(self) -> bool:
        return self.error is not None

    def note(self, service: str, work: str, error: BaseException) -> None:
        """Logs and counts it; the first one is what the process ends by."""
        log.critical("work ended", service=service, work=work, error=repr(error), exc_info=error)
        telemetry.alarm(service, "work-ended", work=work, error=repr(error))
        if self.error is None:
            self.error = error
            self.happened.set()


_failures: "WeakKeyDictionary[asyncio.AbstractEventLoop, Failure]" = WeakKeyDictionary()


def failure() -> Failure:
    """The failure of the process that the running loop is of."""
    loop = asyncio.get_running_loop()
    found = _failures.get(loop)
    if found is None:
        found = _failures[loop] = Failure()
    return found


class Tasks:
    """The work beside of one part of a process. `service` labels the alarm. Closing cancels all of it and waits."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._running: dict[asyncio.Task[Any], str | None] = {}
        self._closing = False

    def __iter__(self) -> Iterator["asyncio.Task[Any]"]:
        return iter(list(self._running))

    def keep(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Runs what runs for good."""
        return self._begin(work, for_good=True)

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Runs what ends by itself. Its owner may cancel it."""
        return self._begin(work, for_good=False)

    async def close(self) -> None:
        """Ends the work and waits for that. More may be started afterwards."""
        self._closing = True
        try:
            await cancel_all(self._running)
        finally:
            self._closing = False

    def _begin(self, work: Coroutine[Any, Any, Any], *, for_good: bool) -> "asyncio.Task[Any]":
        name = getattr(work, "__qualname__", repr(work))
        task = asyncio.create_task(work)
        self._running[task] = name if for_good else None
        noted = failure()

        def ended(task: "asyncio.Task[Any]") -> None:
            del self._running[task]
            error = None if task.cancelled() else task.exception()
            if error is None and for_good and not self._closing:
                error = WorkEnded(f"{name} {'was cancelled' if task.cancelled() else 'returned'}")
            if error is not None:
                noted.note(self._service, name, error)

        task.add_done_callback(ended)
        return task


def awaited(work: Awaitable[T]) -> "asyncio.Task[T]":
    """A task whose owner awaits it (or waits for several, and looks at each): what it raises is raised there."""
    return cast("asyncio.Task[T]", asyncio.ensure_future(work))


async def cancel_all(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancels tasks until all have ended, however often the caller is cancelled meanwhile.

    A cancellation can get lost: what a task does on its way out may raise an error in its place (a connection whose
    release fails), and who takes that for an outage tries again. So it is repeated.
    """
    await uninterrupted(_cancel_all(list(tasks)))


async def _cancel_all(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=CANCELLED_AGAIN_SECONDS)
        for task in ended:
            _looked_at(task)


async def uninterrupted(work: Awaitable[T]) -> T:
    """Work that goes on to its end however often its owner is cancelled meanwhile; the owner's cancellation comes then.

    For ends that are bounded in time. A task that is cancelled before it began never runs at all: what it was to close
    stays open.
    """
    going_on = awaited(work)
    cancelled: asyncio.CancelledError | None = None
    while not going_on.done():
        try:
            await asyncio.wait({going_on})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        going_on.add_done_callback(_looked_at)
        raise cancelled
    return going_on.result()


async def within(work: Awaitable[Any], seconds: float) -> bool:
    """Gives the end of something (a consumer, a connection) so long, then leaves it; whether it ended well.

    For what may hang because its other side is gone, and of which nobody wants to know how it failed.
    """
    ending = awaited(work)
    ending.add_done_callback(_looked_at)
    try:
        await asyncio.wait({ending}, timeout=seconds)
    finally:
        if not ending.done():
            ending.cancel()
    return ending.done() and not ending.cancelled() and ending.exception() is None


def _looked_at(ending: "asyncio.Task[Any]") -> None:
    error = None if ending.cancelled() else ending.exception()
    if error is not None:
        log.debug("did not end well", error=repr(error))


@contextmanager
def ends_if_failed(seconds: float = LAST_SECONDS) -> Iterator[None]:
    """Around a process's whole life: when its work failed it has so long to leave, and is ended then.

    What failed may be what the leaving waits for. The thread is a daemon, so that a process which leaves in time does.
    """
    noted = failure()
    last = threading.Timer(seconds, _end_now)
    last.daemon = True

    async def watch() -> None:
        await noted.happened.wait()
        last.start()

    watching = awaited(watch())
    try:
        yield
    finally:
        watching.cancel()
        last.cancel()


def _end_now() -> None:
    log.critical("the process did not end by itself")
    os._exit(1)
