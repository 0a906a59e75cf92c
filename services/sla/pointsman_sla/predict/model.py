"""The probability that a running clock breaches, from where its ticket stands and how long things took lately.

- **waiting** (queued or offered): the agents at work who hold nothing take the first in line at once. The others are
  assigned one after another as agents are free again: the queue's tickets in hand are the places in which agents work
  for it, each for the typical time that an agent holds a ticket. So one expects a wait of *place in the queue × typical
  time ÷ places*. Beside this, as five observations, count the gaps of the last half hour or so between assignments of
  the same priority while one of it waited: *place among its own × gap*. That knows what overtakes, and who has which
  skill. The wait is Erlang distributed around that mean; then comes what answers took since their assignment. The clock
  breaches when both together are longer than what is left. Who has waited for two minutes beside idle agents needs what
  they lack: for that ticket they are not there.
- **assigned**: it breaches when the answer takes longer than what is left, given how long it has taken already.
- **set aside** (pending or snoozed, and the clock runs): as tickets of the queue went whose clock had come as far.

All times are seconds of the clock's calendar, so that nights count neither in what is left nor in what things took.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pointsman.contracts.shapes import Metric
from pointsman_sla.clocks.model import Phase
from pointsman_sla.predict.durations import (
    GAP_HALF_LIFE_SECONDS,
    HALF_LIFE_SECONDS,
    PRIOR_WEIGHT,
    Durations,
)

Standing = Literal["waiting", "assigned", "set_aside"]

NOBODY = 0.5
"""Places where nobody is at work: as if somebody came soon, and worked half as fast."""

IDLE_COUNTS_SECONDS = 120.0
"""How long a ticket may wait beside idle agents before they do not count for it."""

PRIOR_SHARE_OF_TARGET = 0.25
"""What an answer and a ticket in hand take before anything was seen: a quarter of the target on average, each."""


def standing_of(phase: Phase) -> Standing:
    """Where a ticket stands as far as this goes."""
    if phase == "queued":
        return "waiting"
    return "assigned" if phase == "assigned" else "set_aside"


def answer(metric: Metric) -> str:
    """What is noted of how long it takes from the assignment to what meets a clock."""
    return f"answer:{metric}"


def whole(metric: Metric) -> str:
    """What is noted of how long it takes from a clock's start to what meets it."""
    return f"whole:{metric}"


def gap(priority: str) -> str:
    """What is noted of how long the first in line of a priority waits for an assignment of that line."""
    return f"{GAP}{priority}"


GAP = "gap:"
HOLD = "hold"
"""What is noted of how long an agent holds a ticket."""


def half_life(what: str) -> float:
    """After how many seconds half the weight of what was noted is left."""
    return GAP_HALF_LIFE_SECONDS if what.startswith(GAP) else HALF_LIFE_SECONDS


@dataclass(frozen=True, slots=True)
class Situation:
    """A running clock and what its probability rests on. `left_seconds` to the breach; `passed_seconds` since it is in
    the queue (waiting), since the assignment (assigned), or on the clock (set aside). `position` is 1 for who is next,
    `of_priority` the same among those of its priority. Of the queue, `in_hand` are the tickets that agents hold,
    `agents` those at work who take its tickets, `idle` who of them hold nothing. `took` are the durations that count:
    to the answer, or on the whole clock (set aside); `hold` those for which agents hold tickets, `gaps` the weights by
    bin of those between assignments of the priority."""

    metric: Metric
    standing: Standing
    left_seconds: float
    passed_seconds: float
    position: int
    of_priority: int
    in_hand: int
    agents: int
    idle: int
    took: Durations
    hold: Durations
    gaps: Durations

    @property
    def cold(self) -> bool:
        """Whether it rests on the prior more than on what was seen."""
        waits_only = self.standing == "waiting" and self.metric == "assignment"
        return (not waits_only and self.took.cold) or (self.standing == "waiting" and self.hold.cold)


def score(situation: Situation) -> float:
    """The probability as the model has it, not yet calibrated: from 0 to 1."""
    left = situation.left_seconds
    if left <= 0:
        return 1.0
    if situation.standing != "waiting":
        return situation.took.longer_than(left, situation.passed_seconds)
    idle = situation.idle if situation.passed_seconds < IDLE_COUNTS_SECONDS else 0
    behind = situation.position - idle
    if behind <= 0:
        return 0.0 if situation.metric == "assignment" else situation.took.survival(left)
    wait = _mean_wait(situation, behind)
    if situation.metric == "assignment":
        return _waits_longer(left / wait)
    found = sum(
        share * (1.0 if took >= left else _waits_longer((left - took) / wait)) for took, share in situation.took.points
    )
    return min(1.0, max(found, situation.took.survival(left)))


def _mean_wait(situation: Situation, behind: int) -> float:
    """How long the ticket waits on average: its place times the gaps between assignments of the queue as the tickets in
    hand make them, counted as `PRIOR_WEIGHT` observations beside its place among its own priority times the gaps that
    were seen there."""
    places = max(NOBODY, situation.in_hand, min(1, situation.agents))
    expected = behind * situation.hold.mean / places
    alike = min(situation.of_priority, behind)
    gaps = situation.gaps
    return (PRIOR_WEIGHT * expected + alike * gaps.sum_seconds) / (PRIOR_WEIGHT + gaps.weight)


def _waits_longer(amount: float) -> float:
    """The share of waits that are longer than so many times their mean: an Erlang distribution of four phases, of which
    the standard deviation is half the mean."""
    y = min(700.0, 4 * amount)
    return math.exp(-y) * (1 + y + y**2 / 2 + y**3 / 6)
