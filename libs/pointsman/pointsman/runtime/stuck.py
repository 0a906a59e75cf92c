"""What of this process stands still for good without having ended: then it fails liveness, to be started anew."""

import weakref
from typing import Protocol


class Watched(Protocol):
    """Something that can get stuck."""

    def stuck(self) -> str | None:
        """What is stuck, in one line; None while all goes on, or while something outside is what is missing."""


_watched: "weakref.WeakSet[Watched]" = weakref.WeakSet()


def watch(what: Watched) -> None:
    """From now on, as long as it lives."""
    _watched.add(what)


def stuck() -> str | None:
    """What of this process is stuck, in one line; None when nothing is."""
    return next((why for one in tuple(_watched) if (why := one.stuck()) is not None), None)
