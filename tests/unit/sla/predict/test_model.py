"""The probability of a breach: what it must never do, and what it says before anything was seen."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_sla.predict import calibration
from pointsman_sla.predict.durations import BINS, Durations, bin_of, bounds_of, decayed
from pointsman_sla.predict.model import Situation, score
from pointsman_sla.predict.predicting import probability

HARDLY = 1e-6
"""Below the fourth place, to which probabilities are rounded."""

histories = st.dictionaries(st.integers(0, 30), st.floats(0, 1000), max_size=8)


def a_situation(**changes: Any) -> Situation:
    """A waiting ticket, third in line of two agents who take ten minutes, with half an hour left."""
    given: dict[str, Any] = {
        "metric": "first_response",
        "standing": "waiting",
        "left_seconds": 1800.0,
        "passed_seconds": 0.0,
        "position": 3,
        "of_priority": 2,
        "in_hand": 2,
        "agents": 2,
        "idle": 0,
        "took": Durations(900.0, {bin_of(600): 100.0}),
        "hold": Durations(900.0, {bin_of(600): 100.0}),
        "gaps": Durations(900.0, {bin_of(300): 2.0}),
    }
    return Situation(**(given | changes))


situations = st.builds(
    lambda standing, metric, left, passed, position, before, hands, took, hold, gaps: a_situation(
        standing=standing,
        metric=metric,
        left_seconds=left,
        passed_seconds=passed,
        position=position + before,
        of_priority=position,
        gaps=Durations(900.0, gaps),
        in_hand=hands[0],
        agents=hands[1],
        idle=hands[2],
        took=Durations(900.0, took),
        hold=Durations(900.0, hold),
    ),
    st.sampled_from(["waiting", "assigned", "set_aside"]),
    st.sampled_from(["first_response", "resolution", "assignment"]),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10_000),
    st.integers(0, 1_000),
    st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 50)),
    histories,
    histories,
    histories,
)


@given(situations)
def test_it_is_a_probability(situation: Situation) -> None:
    assert 0 <= probability(situation) <= 1


@given(situations, st.integers(1, 1000), st.booleans())
def test_further_back_in_the_queue_is_not_less_likely(situation: Situation, back: int, alike: bool) -> None:
    """Whether those before it are of its own priority or not."""
    behind = replace(situation, position=situation.position + back)
    if alike:
        behind = replace(behind, of_priority=situation.of_priority + back)
    assert score(behind) >= score(situation) - HARDLY


@given(situations, st.sampled_from(["agents", "idle", "in_hand"]), st.integers(1, 100))
def test_fewer_agents_are_not_less_likely(situation: Situation, whose: str, gone: int) -> None:
    fewer = replace(situation, **{whose: max(0, getattr(situation, whose) - gone)})
    assert score(fewer) >= score(situation) - HARDLY


@given(situations, st.floats(0, 1))
def test_less_time_is_not_less_likely(situation: Situation, share: float) -> None:
    later = replace(situation, left_seconds=situation.left_seconds * share)
    assert score(later) >= score(situation) - HARDLY


def test_no_time_left_is_certain_and_much_time_unlikely() -> None:
    assert probability(a_situation(left_seconds=0.0)) == 1.0
    assert probability(a_situation(left_seconds=1e6)) < 0.05


def test_the_longer_an_answer_has_taken_the_likelier_is_a_long_one() -> None:
    """Half the answers take a minute, half an hour: after five minutes it is one of the long ones."""
    took = Durations(900.0, {bin_of(60): 500.0, bin_of(3600): 500.0})
    begun = a_situation(standing="assigned", took=took, left_seconds=900.0)
    assert score(replace(begun, passed_seconds=300.0)) > 0.95 > score(begun)


def test_without_history_the_documented_prior_says_it_and_it_is_marked_cold() -> None:
    """An answer is taken to be exponential with a quarter of the target as its mean: e⁻² with half the target left."""
    prior = Durations(900.0)
    cold = a_situation(standing="assigned", left_seconds=1800.0, took=prior, hold=prior)
    assert cold.cold
    assert score(cold) == pytest.approx(2.718281828**-2)
    waiting = a_situation(took=prior, hold=prior)
    assert waiting.cold
    assert 0.1 < score(waiting) < 0.9
    assert not a_situation().cold


def test_an_idle_agent_takes_the_next_at_once_unless_it_has_waited_beside_them() -> None:
    """Who waits beside idle agents needs a skill that they lack."""
    first = a_situation(position=1, idle=1, in_hand=1, left_seconds=900.0)
    assert score(first) == first.took.survival(900.0)
    assert score(replace(first, passed_seconds=300.0)) > score(first)
    assert score(replace(first, metric="assignment")) == 0.0


def test_a_line_that_hardly_goes_on_is_likelier_to_breach_than_its_queue_says() -> None:
    """Twenty gaps of half an hour each: the agents at work serve others."""
    starved = a_situation(gaps=Durations(900.0, {bin_of(1800): 20.0}))
    assert score(starved) > 0.9 > score(a_situation())


def test_a_ticket_that_only_waits_is_warm_without_answers() -> None:
    assert not a_situation(metric="assignment", took=Durations(900.0)).cold


def test_nobody_at_work_is_worse_than_one_agent() -> None:
    none = a_situation(in_hand=0, agents=0)
    assert score(none) > score(a_situation(in_hand=0, agents=1))
    assert score(none) < 1


@given(st.floats(0, 1e8))
def test_every_duration_has_one_bin(seconds: float) -> None:
    place = bin_of(seconds)
    low, high = bounds_of(place)
    assert low <= max(seconds, 0) or place == 0
    assert seconds <= high * (1 + 1e-9) or place == BINS - 1


def test_a_weight_halves_in_a_week() -> None:
    assert decayed(8.0, 7 * 86_400) == pytest.approx(4.0)
    assert decayed(8.0, -5) == 8.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300))
def test_a_fitted_map_never_falls(pairs: list[tuple[float, bool]]) -> None:
    points = calibration.fitted([score for score, _ in pairs], [hit for _, hit in pairs])
    at = [calibration.applied(points, step / 50) for step in range(51)]
    assert at == sorted(at)
    assert all(calibration.FLOOR <= p <= calibration.CEILING for p in at)


def test_a_map_corrects_a_score_that_is_twice_too_high() -> None:
    scores = [place / 1000 for place in range(1000)]
    hits = [place % 2 == 0 and (place * 7919) % 1000 < place for place in range(1000)]
    points = calibration.fitted(scores, hits)
    assert calibration.applied(points, 0.8) == pytest.approx(0.4, abs=0.08)


def test_the_shipped_map_is_monotone() -> None:
    for points in calibration.shipped().values():
        assert list(points) == sorted(points)
        assert [p for _, p in points] == sorted(p for _, p in points)
