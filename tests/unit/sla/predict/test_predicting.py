"""From rows to probabilities."""

from datetime import timedelta
from typing import Any

import pytest

from pointsman.core.instant import FOREVER
from pointsman_sla.calendar import compile_calendar
from pointsman_sla.micros import micros
from pointsman_sla.predict.durations import bin_of
from pointsman_sla.predict.predicting import Prediction, predicted
from tests.unit.sla.builders import OFFICE, minute


def a_row(**changes: Any) -> dict[str, Any]:
    """A ticket that anna got a minute ago, with its first response due in half an hour."""
    return {
        "ticket_id": "tkt_1",
        "ticket_queue": "general",
        "metric": "first_response",
        "priority": "normal",
        "target_seconds": 3600,
        "phase": "assigned",
        "phase_since": micros(minute(59)),
        "calendar": "office",
        "config_version": 1,
        "started_at": minute(30),
        "breach_at": minute(90),
        **changes,
    }


def predict(*rows: dict[str, Any], **floor: Any) -> list[Prediction]:
    """At ten o'clock."""
    calendar = compile_calendar(OFFICE)
    given: dict[str, Any] = {"places": {}, "at_work": {}, "weights": {}, **floor}
    return predicted(rows, micros(minute(60)), lambda name, version: calendar, **given)


def test_what_is_left_and_what_has_passed_are_seconds_of_the_calendar() -> None:
    """Ten in the evening to ten past nine are ten minutes."""
    overnight = a_row(breach_at=minute(24 * 60 + 10), phase_since=micros(minute(-60)))
    (found,) = predict(overnight)
    assert found.situation.left_seconds == 7 * 3600 + 600
    assert found.situation.passed_seconds == 30 * 60, "the clock began after the assignment"


def test_a_ticket_set_aside_is_measured_by_whole_clocks() -> None:
    seen = {("general", "whole:first_response"): {bin_of(1900): 100.0}}
    (found,) = predict(a_row(phase="customer"), weights=seen)
    assert (found.situation.standing, found.situation.passed_seconds) == ("set_aside", 1800)
    assert found.situation.took.weight == 100.0


def test_a_clock_whose_calendar_never_opens_again_is_hardly_ever_late() -> None:
    (found,) = predict(a_row(breach_at=FOREVER))
    assert found.probability < 0.01


@pytest.mark.parametrize("queue", [None, "unheard-of"])
def test_a_queue_that_nothing_is_known_of_has_the_prior(queue: str | None) -> None:
    (found,) = predict(a_row(ticket_queue=queue, phase="queued"))
    assert found.situation.cold
    assert (found.situation.position, found.situation.agents) == (1, 0)


def test_a_breach_that_is_past_its_instant_and_not_yet_told_is_certain() -> None:
    (found,) = predict(a_row(breach_at=minute(60) - timedelta(seconds=1)))
    assert found.probability == 1.0
