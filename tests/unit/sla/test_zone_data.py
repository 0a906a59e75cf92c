"""Live clocks count with the newer edition of the time zone database: America/Vancouver keeps summer's offset in the
winter of 2026, which a host's older edition does not know."""

from datetime import UTC, datetime

from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import MONDAY, OFFICE, a_document, a_policy, opened

NINE_IN_VANCOUVER = (datetime(2026, 11, 30, 16, tzinfo=UTC) - MONDAY).total_seconds() / 60


def test_a_live_clock_of_vancouver_is_not_an_hour_late() -> None:
    office = {**OFFICE, "tz": "America/Vancouver"}
    policy = a_policy(targets={"first_response": {"default": 3600}}, warn={})
    lane = LaneOfTests(document=a_document(policy, calendars={"office": office}))
    lane.tell(NINE_IN_VANCOUVER, *opened(NINE_IN_VANCOUVER))
    (started,) = lane.of("clock.started")
    assert started.due_at == started.breach_at == datetime(2026, 11, 30, 17, tzinfo=UTC)
    lane.run_to(NINE_IN_VANCOUVER + 61)
    assert [breach.fired_at for breach in lane.of("clock.breached")] == [started.breach_at]
