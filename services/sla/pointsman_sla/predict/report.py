"""What a measurement of predictions says, as figures and as docs/predict.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pointsman_sla.predict.calibration import Map
from pointsman_sla.predict.evaluation import (
    Band,
    Lead,
    Sample,
    base_rates,
    brier,
    calibration_error,
    lead,
    probabilities,
    reliability,
)


@dataclass(frozen=True)
class Measured:
    """Of all histories: the reliability table, the Brier score beside that of base rates, the calibration error; by
    group of histories the warning ahead and (Brier, base rates, calibration error)."""

    histories: int
    clocks: int
    bands: list[Band]
    brier: float
    base: float
    error: float
    leads: dict[str, Lead]
    scores: dict[str, tuple[float, float, float]]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        found = asdict(self)
        found["bands"] = [band._asdict() for band in self.bands]
        found["leads"] = {name: each._asdict() for name, each in self.leads.items()}
        return found


def measured(
    histories: Mapping[str, Sequence[Sample]], train: Mapping[str, Sequence[Sample]], maps: Mapping[str, Map]
) -> Measured:
    """What these histories say of the maps. Histories are grouped by their names without the number at the end; base
    rates are those of the same group in `train`, or of all where it has none."""
    groups, before = _grouped(histories), _grouped(train)
    everything = [sample for samples in before.values() for sample in samples]
    whole = [sample for samples in groups.values() for sample in samples]
    said = probabilities(whole, maps)
    bands = reliability(whole, said)
    leads, scores, squares = {}, {}, 0.0
    for name, samples in groups.items():
        of_group = probabilities(samples, maps)
        leads[name] = lead(samples, of_group)
        base = brier(samples, base_rates(before.get(name, everything), samples))
        squares += base * len(samples)
        scores[name] = brier(samples, of_group), base, calibration_error(reliability(samples, of_group))
    return Measured(
        histories=len(histories),
        clocks=len({sample.clock for sample in whole}),
        bands=bands,
        brier=brier(whole, said),
        base=squares / len(whole),
        error=calibration_error(bands),
        leads=leads,
        scores=scores,
    )


def _grouped(histories: Mapping[str, Sequence[Sample]]) -> dict[str, list[Sample]]:
    groups: dict[str, list[Sample]] = {}
    for name, samples in histories.items():
        if samples:
            groups.setdefault(name.rstrip("0123456789").rstrip("-"), []).extend(samples)
    return groups


def page(result: Measured) -> str:
    """docs/predict.md."""
    parts = [_HEAD, f"{result.histories} histories, {result.clocks:,} clocks, {_count(result):,} predictions."]
    parts += ["", "| said | predictions | mean of what was said | breached |", "|---|---|---|---|"]
    for band in result.bands:
        said = f"{band.low:.0%}–{band.low + 0.1:.0%}"
        parts.append(f"| {said} | {band.predictions:,} | {band.predicted:.1%} | {band.observed:.1%} |")
    parts += [
        "",
        f"On average what was said is {result.error:.3f} away from what happened. The Brier score (mean squared error,",
        f"0 is perfect) is {result.brier:.3f}; by base rates, knowing only how often clocks of the metric breached on",
        f"such days by the share of the target that was gone, it would be {result.base:.3f}.",
        "",
        "## How long before a breach it is told",
        "",
        "From the first minute at which a breach is said to be likely (50 % or more) to the breach, as quantiles: half",
        "the breaches that were told before were told so long before. In vain are clocks of which a breach was said",
        "to be likely and which met their target. The Brier score is beside that of base rates; off by: the mean",
        "distance as above.",
        "",
        "| days | clocks | breached | told before | p10 | p50 | p90 | in vain | Brier | by base rates | off by |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in result.leads.items():
        told = ["–"] * 3 if one.lead_seconds is None else [_minutes(seconds) for seconds in one.lead_seconds]
        figures = " | ".join(f"{figure:.3f}" for figure in result.scores[name])
        parts.append(
            f"| {name} | {one.clocks:,} | {one.breached:,} | {one.flagged:,} | {' | '.join(told)} | "
            f"{one.false_alarms:,} | {figures} |"
        )
    return "\n".join([*parts, _TAIL])


def _count(result: Measured) -> int:
    return sum(band.predictions for band in result.bands)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


_HEAD = """# How likely a clock is to breach

`GET /sla/v1/due` says of each running clock how likely it is to breach. The figure comes from where the ticket stands
and from how long things took in its queue lately; nothing is learned that cannot be said here.

- **Waiting** (queued or offered). Agents at work who hold nothing take the first in line at once. The others are
  assigned one after another as agents are free again: the tickets in hand are the places in which agents work for the
  queue, each for the typical time that an agent holds a ticket. So the expected wait is *place in the queue × typical
  time ÷ places*. Beside this, which counts as five observations, count the gaps between assignments of the same
  priority while one of it waited, each halved every half hour: *place among its own × gap*. They tell what overtakes,
  and where skills are rare. Waits are Erlang distributed around that mean, with half of it as standard deviation. Then
  comes what answers took since their assignment. The clock breaches when both together are longer than what is left.
  Who has waited two minutes beside idle agents needs what they lack; for that ticket they are not there. With nobody at
  work half a place is assumed.
- **Assigned**. The share of answers that took longer than this one has and what is left, among those that took as
  long.
- **Set aside**, while the clock runs: the same, with what whole clocks of the queue took.

All of it is in seconds of the clock's calendar. What was seen counts beside a prior of the weight of five
observations: that an answer and a ticket in hand take an exponential time with a quarter of the target as its mean,
each (a whole clock: half). With less than the weight of ten observations a prediction is marked `cold`.

From this follows, and is tested: further back in the queue, fewer agents or less time never make a breach less
likely.

## How far it can be believed

What the model says is mapped to a probability that can be believed by a monotone (isotonic) map, one for waiting
tickets and one for the others, fitted on simulated history: the production desk and clocks, with drawn customers, on
easy, full and overloaded days, with surges, shifts, several queue orders and agents who hold several tickets. This
page is of other histories than those that the map was fitted on. It is written, with the map, by

<!-- not run: it writes this page, in some minutes -->
```sh
pointsman simulate --record histories
pointsman predict histories --fit services/sla/pointsman_sla/predict/calibration.json --markdown docs/predict.md
```

`pointsman predict HISTORY` measures the shipped map on a history of your own, which `pointsman replay HISTORY
--record` writes from a server. Every minute each running clock is predicted, and that is set beside what became of
it; clocks that were cancelled, or that were not over at the end, are left out.
"""

_TAIL = """
## What it does not know

- Skills of the one ticket: it stands behind everybody who waits before it in its queue, also where other agents serve
  those. Ladders' boosts, relaxations and overflow do not move it either.
- The future: who will come, whose shift ends, which ticket will go before this one by its priority.
- An agent who serves several queues is at work in each of them.
- Whether simulated days are like yours. Measure it: the map is only as good as the histories that it was fitted on.
"""
