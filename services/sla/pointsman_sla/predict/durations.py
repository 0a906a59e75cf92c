"""How long things took lately: weights in bins of seconds, two an octave, each weight halved every seven days (of gaps
between assignments: every half hour)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

BINS = 46
"""The last holds everything above 2^22.5 s (69 days)."""

HALF_LIFE_SECONDS = 7 * 86_400.0
GAP_HALF_LIFE_SECONDS = 1_800.0
"""Of the gaps between assignments, which tell how it goes now."""

PRIOR_WEIGHT = 5.0
"""As how many observations the prior counts."""

COLD_BELOW = 10.0
"""With less weight than that a probability rests on the prior more than on what was seen."""

_PRIOR_POINTS = tuple(-math.log(1 - (place + 0.5) / 8) for place in range(8))


def bin_of(seconds: float) -> int:
    """The bin of a duration."""
    return 0 if seconds <= 1 else min(BINS - 1, math.ceil(2 * math.log2(seconds)))


def bounds_of(place: int) -> tuple[float, float]:
    """The seconds between which the durations of a bin lie."""
    return (0.0 if place == 0 else 2 ** ((place - 1) / 2), 2 ** (place / 2))


def decayed(weight: float, age_seconds: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> float:
    """What is left of a weight after so long."""
    return weight * math.pow(0.5, max(0.0, age_seconds) / half_life_seconds)


BOUNDS = tuple(bounds_of(place) for place in range(BINS))
MIDDLES = tuple(sum(bounds) / 2 for bounds in BOUNDS)
"""The durations for which the bins stand."""


@dataclass(frozen=True)
class Durations:
    """What was seen, and the mean of the exponential prior that counts beside it as `PRIOR_WEIGHT` observations."""

    prior_seconds: float
    weights: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def weight(self) -> float:
        """How much was seen."""
        return sum(self.weights.values())

    @property
    def cold(self) -> bool:
        """Whether too little was seen to say much."""
        return self.weight < COLD_BELOW

    @cached_property
    def mean(self) -> float:
        """The mean in seconds."""
        return (self.sum_seconds + PRIOR_WEIGHT * self.prior_seconds) / (self.weight + PRIOR_WEIGHT)

    @cached_property
    def sum_seconds(self) -> float:
        """All that was seen together."""
        return sum(weight * MIDDLES[place] for place, weight in self.weights.items())

    def survival(self, seconds: float) -> float:
        """The share that takes longer. Positive for any number of seconds, and nowhere growing."""
        if seconds <= 0:
            return 1.0
        longer = PRIOR_WEIGHT * math.exp(-min(700.0, seconds / self.prior_seconds))
        for place, weight in self.weights.items():
            low, high = BOUNDS[place]
            if seconds <= low:
                longer += weight
            elif seconds < high:
                longer += weight * (high - seconds) / (high - low)
        return longer / (self.weight + PRIOR_WEIGHT)

    def longer_than(self, seconds: float, passed: float) -> float:
        """The share that takes `seconds` more, of what has taken `passed` already."""
        return min(1.0, self.survival(passed + max(0.0, seconds)) / self.survival(passed))

    @cached_property
    def points(self) -> tuple[tuple[float, float], ...]:
        """(seconds, probability) of typical durations, which add up to the whole."""
        return tuple(self._points())

    def _points(self) -> Iterator[tuple[float, float]]:
        whole = self.weight + PRIOR_WEIGHT
        for place, weight in self.weights.items():
            yield MIDDLES[place], weight / whole
        for point in _PRIOR_POINTS:
            yield point * self.prior_seconds, PRIOR_WEIGHT / len(_PRIOR_POINTS) / whole
