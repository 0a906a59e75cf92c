"""What a scenario's priorities mean on the desk, whose queues know priority classes by name.

Classes of a queue share a name when nothing that the queue's order reads tells them apart: their number (`strict`),
their slope (`accumulating`), their head start (any order: it is in the slack by which queues compare).
"""

from collections.abc import Sequence
from typing import NamedTuple

from pointsman.contracts.document import Document, Queue
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.simulation.plan import Standing
from pointsman_routing.simulation.scenario import Class

MINUTE_US = 60_000_000


class TooManyPriorities(ValueError):
    """A queue has more different priorities than the desk knows. `place` is that of the class that is too many."""

    def __init__(self, place: int, detail: str) -> None:
        super().__init__(detail)
        self.place = place


class _Rank(NamedTuple):
    """What the order reads, most urgent first when sorted."""

    number: float
    head_start_us: int
    slope: float


def standings_of(
    classes: Sequence[Class], queues: Sequence[str], document: Document
) -> tuple[list[str], dict[str, dict[str, Standing]]]:
    """Each class's priority on the desk, and per queue what its priorities mean. Raises `TooManyPriorities`."""
    ranks = [_rank(one, document.queues[queue]) for one, queue in zip(classes, queues, strict=True)]
    names: list[str] = [""] * len(classes)
    standings: dict[str, dict[str, Standing]] = {}
    for queue in dict.fromkeys(queues):
        places = [place for place, other in enumerate(queues) if other == queue]
        distinct = sorted({ranks[place] for place in places})
        if len(distinct) > len(PRIORITIES):
            last = next(place for place in places if ranks[place] == distinct[len(PRIORITIES)])
            raise TooManyPriorities(last, f"more than {len(PRIORITIES)} different priorities in the queue {queue}")
        named = dict(zip(distinct, PRIORITIES, strict=False))
        for place in places:
            names[place] = named[ranks[place]]
        standings[queue] = {name: Standing(rank.head_start_us, rank.slope) for rank, name in named.items()}
    return names, standings


def _rank(one: Class, queue: Queue) -> _Rank:
    if isinstance(one.priority, str):
        number = float(-PRIORITIES.index(one.priority))
        minutes: float = queue.head_start_minutes[one.priority]
        slope: float = queue.slopes[one.priority]
    else:
        number, minutes, slope = float(one.priority), 0.0, 1.0
    head_start_us = round((minutes if one.head_start_minutes is None else one.head_start_minutes) * MINUTE_US)
    slope = slope if one.slope is None else one.slope
    return _Rank(
        -number if queue.order == "strict" else 0.0,
        head_start_us,
        slope if queue.order == "accumulating" else 1.0,
    )
