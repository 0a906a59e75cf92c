"""What is played: a workspace document, who comes, and who is there when. Values only; times in µs since the start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.contracts.shapes import Channel
from pointsman.core.instant import EPOCH, Instant
from pointsman_routing.simulation.distributions import Draw

DAY_US = 86_400_000_000

START: Instant = EPOCH + timedelta(days=20_003)
"""A Monday, 00:00 UTC."""

Hours = tuple[tuple[int, int], ...]
"""Spans [from, to) in which an agent is available."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Arrivals per µs, from each instant on; the last holds for ever."""

    steps: tuple[tuple[int, float], ...]

    def expected(self, until_us: int) -> float:
        """Mean arrivals until then."""
        ends = [start for start, _ in self.steps[1:]] + [until_us]
        return sum(
            rate * max(0, min(end, until_us) - start) for (start, rate), end in zip(self.steps, ends, strict=True)
        )

    def instants(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """When that many arrivals are expected: the inverse of `expected`. Infinite where it never comes to that."""
        starts = np.array([start for start, _ in self.steps], dtype=np.float64)
        rates = np.array([rate for _, rate in self.steps])
        reached = np.concatenate(([0.0], np.cumsum(rates[:-1] * np.diff(starts))))
        step = np.searchsorted(reached, expected, side="right") - 1
        with np.errstate(divide="ignore"):
            found: NDArray[np.float64] = starts[step] + (expected - reached[step]) / rates[step]
        return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """How customers come: at these rates, each with a service time and perhaps a patience of its own."""

    rates: Rates
    service: Draw
    patience: Draw | None


@dataclass(frozen=True, slots=True)
class Kind:
    """Customers alike. `slug` names them on the desk, `name` in the result; `drawn` says how they come, None for
    recorded ones. `target_us` is the promised time to a first response (None: none is watched), and `promised` tells
    that an SLA policy says so and not the queue."""

    name: str
    slug: str
    queue: str
    channel: Channel
    priority: str
    weight: int
    requires: Mapping[str, int]
    prefers: Mapping[str, int]
    drawn: Drawn | None = None
    language: str = "en"
    balk: bool = False
    target_us: int | None = None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """What a priority means in a queue: its head start in µs, and its slope."""

    head_start_us: int
    slope: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One experiment. `priority_classes` has, for each queue, what its priorities mean, most urgent first, where that
    is not what the document says. `agents` maps slugs to names in the result; who has no `hours` is always there. On
    the channels `leaving_at_once` a customer who left is given up at once. Virtual time 0 is `start`. With
    `ends_at_horizon` whoever waits then is left waiting."""

    seed: int
    replications: int
    unit_us: int
    warmup_us: int
    horizon_us: int
    sla: bool
    document: dict[str, Any]
    kinds: tuple[Kind, ...]
    agents: dict[str, str]
    hours: dict[str, Hours] = field(default_factory=dict)
    start: Instant = START
    ends_at_horizon: bool = False
    priority_classes: dict[str, dict[str, PriorityClass]] = field(default_factory=dict)
    leaving_at_once: frozenset[Channel] = frozenset()
