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
    pairs = sorted(zip(scores, breached, strict=True))
    size = max(1, -(-len(pairs) // GROUPS))
    blocks: list[list[float]] = []  # [sum of scores, breached, count]
    for start in range(0, len(pairs), size):
        group = pairs[start : start + size]
        blocks.append([sum(score for score, _ in group), float(sum(hit for _, hit in group)), float(len(group))])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    return tuple((round(scored / count, 6), round(hits / count, 6)) for scored, hits, count in blocks)


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
