"""From the model's score to a probability that can be believed: an isotonic map, fitted on simulated history.

Fitted by pool-adjacent-violators (Ayer et al. 1955) on groups of equal size; between its points it is linear. Being
monotone it keeps every order that the model has. The shipped one is `calibration.json`, written by `pointsman predict`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import orjson

SHIPPED = Path(__file__).with_name("calibration.json")
GROUPS = 40
FLOOR, CEILING = 0.001, 0.999
"""Nothing is impossible and nothing certain, until the time is up."""

Map = tuple[tuple[float, float], ...]
"""(score, probability), both growing."""


def fitted(scores: Sequence[float], breached: Sequence[bool]) -> Map:
    """The map that these outcomes give."""
    pairs = sorted((round(score, 6), hit) for score, hit in zip(scores, breached, strict=True))
    size = max(1, -(-len(pairs) // GROUPS))
    blocks: list[list[float]] = []  # [sum of scores, breached, count]
    for score, hit in pairs:
        # Equal scores stay together: their map is one.
        if not blocks or (blocks[-1][2] >= size and blocks[-1][3] != score):
            blocks.append([0.0, 0.0, 0.0, score])
        last = blocks[-1]
        last[0], last[1], last[2], last[3] = last[0] + score, last[1] + hit, last[2] + 1, score
    pooled: list[list[float]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][1] * pooled[-1][2] >= pooled[-1][1] * pooled[-2][2]:
            later = pooled.pop()
            pooled[-1] = [one + other for one, other in zip(pooled[-1][:3], later[:3], strict=True)]
    return tuple((round(block[0] / block[2], 6), round(block[1] / block[2], 6)) for block in pooled)


def applied(points: Map, score: float) -> float:
    """The probability of a score. Scores beyond the map's ends go linearly to 0 and 1."""
    whole = ((0.0, 0.0), *points, (1.0, 1.0)) if points else ((0.0, 0.0), (1.0, 1.0))
    place = bisect_right(whole, score, key=lambda point: point[0])
    (low, from_p), (high, to_p) = whole[place - 1], whole[min(place, len(whole) - 1)]
    found = from_p if high <= low else from_p + (to_p - from_p) * (score - low) / (high - low)
    return min(CEILING, max(FLOOR, found))


@cache
def shipped() -> Mapping[str, Map]:
    """The map of each standing; those that are not there change nothing."""
    read = orjson.loads(SHIPPED.read_bytes())
    return {standing: tuple((score, p) for score, p in points) for standing, points in read.items()}
