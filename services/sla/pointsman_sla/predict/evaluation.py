"""How far predictions can be believed, measured on recorded histories: reliability, Brier scores, warning ahead.

Every minute of a history each running clock is predicted, and the prediction is set beside what became of the clock.
Clocks that were cancelled (their customer left) or were not over at the end are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pointsman_sla.micros import MICROS
from pointsman_sla.predict import calibration
from pointsman_sla.predict.calibration import Map
from pointsman_sla.predict.history import Outcome, played
from pointsman_sla.predict.model import score

EVERY_SECONDS = 60
FLAGGED = 0.5
BANDS = 10


class Sample(NamedTuple):
    """One prediction, and what became of its clock."""

    clock: str
    at: int
    kind: str
    metric: str
    elapsed_share: float
    score: float
    cold: bool
    outcome: Outcome


class Band(NamedTuple):
    """Predictions between two tenths: how many, their mean, and the share of them whose clock breached."""

    low: float
    predictions: int
    predicted: float
    observed: float


class Lead(NamedTuple):
    """Of some clocks: how many breached, how many of these were said to be likely to (`FLAGGED`) before, and how long
    before (seconds, quantiles 0.1, 0.5 and 0.9); and how many were said to and did not."""

    clocks: int
    breached: int
    flagged: int
    lead_seconds: tuple[float, float, float] | None
    false_alarms: int


def samples_of(path: Path) -> list[Sample]:
    """All predictions of a history, with raw scores. Raises `HistoryRefused`, `OSError`."""
    shop, steps = played(path, EVERY_SECONDS)
    made = []
    for at, due in steps:
        for clock, row, prediction in due:
            situation = prediction.situation
            kind = "waiting" if situation.standing == "waiting" else "held"
            share = 1 - situation.left_seconds / row["target_seconds"]
            made.append(
                (f"{path.stem}/{clock}", clock, at, kind, row["metric"], share, score(situation), situation.cold)
            )
    outcomes = shop.outcomes
    return [
        Sample(name, at, kind, metric, share, raw, cold, outcomes[clock])
        for name, clock, at, kind, metric, share, raw, cold in made
        if clock in outcomes
    ]


def fit(samples: Iterable[Sample]) -> dict[str, Map]:
    """The maps that these histories give, one for waiting tickets and one for the others."""
    by_kind: dict[str, list[Sample]] = {"waiting": [], "held": []}
    for sample in samples:
        by_kind[sample.kind].append(sample)
    return {
        kind: calibration.fitted([s.score for s in some], [s.outcome.breached for s in some])
        for kind, some in by_kind.items()
        if some
    }


def probabilities(samples: Sequence[Sample], maps: Mapping[str, Map]) -> list[float]:
    """Of each sample, calibrated."""
    return [calibration.applied(maps.get(sample.kind, ()), sample.score) for sample in samples]


def reliability(samples: Sequence[Sample], said: Sequence[float]) -> list[Band]:
    """The table of reliability; bands without a prediction are left out."""
    bands: list[list[tuple[float, bool]]] = [[] for _ in range(BANDS)]
    for sample, p in zip(samples, said, strict=True):
        bands[min(BANDS - 1, int(p * BANDS))].append((p, sample.outcome.breached))
    return [
        Band(
            place / BANDS,
            len(band),
            sum(p for p, _ in band) / len(band),
            sum(breached for _, breached in band) / len(band),
        )
        for place, band in enumerate(bands)
        if band
    ]


def calibration_error(bands: Sequence[Band]) -> float:
    """The mean distance of what was said from what happened, over all predictions."""
    return sum(band.predictions * abs(band.predicted - band.observed) for band in bands) / sum(
        band.predictions for band in bands
    )


def brier(samples: Sequence[Sample], said: Sequence[float]) -> float:
    """The mean squared error: 0 is perfect."""
    return sum((p - s.outcome.breached) ** 2 for s, p in zip(samples, said, strict=True)) / len(samples)


def base_rates(train: Sequence[Sample], test: Sequence[Sample]) -> list[float]:
    """What one would say of the test knowing only how often clocks of the metric breached, by tenths of the target that
    have gone: the past without the queue, the agents and the durations."""
    counts: dict[tuple[str, int], list[int]] = {}
    for sample in train:
        found = counts.setdefault((sample.metric, int(sample.elapsed_share * 10)), [0, 0])
        found[0] += sample.outcome.breached
        found[1] += 1
    overall = sum(s.outcome.breached for s in train) / max(1, len(train))
    said = []
    for sample in test:
        hits, count = counts.get((sample.metric, int(sample.elapsed_share * 10)), (0, 0))
        said.append(hits / count if count else overall)
    return said


def lead(samples: Sequence[Sample], said: Sequence[float]) -> Lead:
    """How long before the breach clocks were first said to be likely to, and how often in vain."""
    outcomes: dict[str, Outcome] = {}
    first: dict[str, int] = {}
    for sample, p in zip(samples, said, strict=True):
        outcomes[sample.clock] = sample.outcome
        if p >= FLAGGED:
            first.setdefault(sample.clock, sample.at)
    breached = [clock for clock, outcome in outcomes.items() if outcome.breached]
    ahead = sorted((outcomes[clock].breach_at - first[clock]) / MICROS for clock in breached if clock in first)
    quantiles = None
    if ahead:
        tenth, half, most = (ahead[min(len(ahead) - 1, int(len(ahead) * q))] for q in (0.1, 0.5, 0.9))
        quantiles = (tenth, half, most)
    in_vain = sum(not outcomes[clock].breached for clock in first)
    return Lead(len(outcomes), len(breached), len(ahead), quantiles, in_vain)
