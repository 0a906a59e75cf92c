"""What a scenario's priorities mean on the desk, whose queues know priority classes by name.

Classes of a queue share a name when nothing that the queue's order reads tells them apart: their number (`strict`),
their slope (`accumulating`), their head start (any order: it is in the slack by which queues compare).
"""

from collections.abc import Sequence
from typing import NamedTuple

from pointsman.contracts.document import Document, Queue
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.simulation.plan import PriorityClass
from pointsman_routing.simulation.scenario import Class

MINUTE_US = 60_000_000


class _Rank(NamedTuple):
    """What the order reads, so that the most urgent is first when sorted: everything with its sign changed."""

    number: float
    head_start_us: int
    slope: float


def priority_classes_of(
    classes: Sequence[Class], queues: Sequence[str], document: Document
) -> tuple[list[str], dict[str, dict[str, PriorityClass]]]:
    """Each class's priority on the desk, and per queue what its priorities mean, most urgent first.

    A ticket that a rule sends to another queue has there what that queue calls by the same name; a queue that does not
    use a name of others has it last, without a head start.
    """
    ranks = [_rank(one, document.queues[queue]) for one, queue in zip(classes, queues, strict=True)]
    names: list[str] = [""] * len(classes)
    used: dict[str, dict[str, PriorityClass]] = {queue: {} for queue in document.queues}
    for queue in dict.fromkeys(queues):
        places = [place for place, other in enumerate(queues) if other == queue]
        distinct = sorted({ranks[place] for place in places})
        known = PRIORITIES if len(distinct) <= len(PRIORITIES) else [f"p{n}" for n in range(1, len(distinct) + 1)]
        named = dict(zip(distinct, known, strict=False))
        for place in places:
            names[place] = named[ranks[place]]
        used[queue] = {name: PriorityClass(-rank.head_start_us, -rank.slope) for rank, name in named.items()}
    others = dict.fromkeys([*PRIORITIES, *names], PriorityClass(0, 1.0))
    return names, {queue: {**own, **{n: s for n, s in others.items() if n not in own}} for queue, own in used.items()}


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
        -head_start_us,
        -slope if queue.order == "accumulating" else -1.0,
    )
