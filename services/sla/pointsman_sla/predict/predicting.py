"""From a page of running clocks to the probability of each, with what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman_sla.calendar import Calendar
from pointsman_sla.micros import MICROS, micros
from pointsman_sla.predict import calibration
from pointsman_sla.predict.durations import Durations
from pointsman_sla.predict.model import (
    HOLD,
    PRIOR_SHARE_OF_TARGET,
    Situation,
    answer,
    gap,
    score,
    standing_of,
    whole,
)

Weights = Mapping[tuple[str, str], Mapping[int, float]]
"""By (queue, what)."""

HORIZON = 5 * 366 * 86_400 * MICROS
"""What is left is counted so far ahead: a calendar that never opens again has its breach at the end of time."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """How likely the clock breaches, and what that rests on."""

    probability: float
    situation: Situation


def probability(situation: Situation) -> float:
    """The calibrated probability, to four places."""
    if situation.left_seconds <= 0:
        return 1.0
    kind = "waiting" if situation.standing == "waiting" else "held"
    return round(calibration.applied(calibration.shipped().get(kind, ()), score(situation)), 4)


def predicted(
    rows: Sequence[Mapping[str, Any]],
    now: int,
    calendar: Callable[[str, int], Calendar],
    places: Mapping[str, tuple[int, int]],
    at_work: Mapping[str, tuple[int, int, int]],
    weights: Weights,
) -> list[Prediction]:
    """Of each row of `asking.DUE`, in order. `places` are by ticket, 1 for the next, in the queue and among its
    priority; `at_work` has a queue's tickets in
    hand, the agents at work and who of them is idle. Rows of a queue, metric and target share their durations."""
    known: dict[tuple[str, str, int], Durations] = {}

    def durations(queue: str, what: str, target: int, share: float) -> Durations:
        found = known.get((queue, what, target))
        if found is None:
            found = Durations(max(1.0, share * target), weights.get((queue, what), {}))
            known[queue, what, target] = found
        return found

    found = []
    for row in rows:
        queue, target, standing = row["ticket_queue"] or "", row["target_seconds"], standing_of(row["phase"])
        counting = calendar(row["calendar"], row["config_version"])
        left = counting.elapsed(now, min(max(micros(row["breach_at"]), now), now + HORIZON)) / MICROS
        if standing == "set_aside":
            what, share, passed = whole(row["metric"]), 2 * PRIOR_SHARE_OF_TARGET, target - left
        else:
            what, share = answer(row["metric"]), PRIOR_SHARE_OF_TARGET
            since = max(row["phase_since"], micros(row["started_at"]))
            if standing == "assigned":
                passed = counting.elapsed(since, now) / MICROS
            else:
                passed = (now - row["phase_since"]) / MICROS
        in_hand, agents, idle = at_work.get(queue, (0, 0, 0))
        situation = Situation(
            metric=row["metric"],
            standing=standing,
            left_seconds=left,
            passed_seconds=max(0.0, passed),
            position=places.get(row["ticket_id"], (1, 1))[0],
            of_priority=places.get(row["ticket_id"], (1, 1))[1],
            in_hand=in_hand,
            agents=agents,
            idle=idle,
            took=durations(queue, what, target, share),
            hold=durations(queue, HOLD, target, PRIOR_SHARE_OF_TARGET),
            gaps=durations(queue, gap(row["priority"]), target, PRIOR_SHARE_OF_TARGET),
        )
        found.append(Prediction(probability(situation), situation))
    return found
