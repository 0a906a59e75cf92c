"""Rule 8, what clocks say of a ticket moves it in the order of its queue."""

from pointsman.contracts.sla import ClockMet, ClockRestated, ClockStarted
from pointsman.core.instant import after
from tests.unit.routing.one_agent import one_busy_agent, waits


def test_urgency_serves_the_clock_that_breaches_first() -> None:
    driver = one_busy_agent("urgency", wait_target_seconds=3600)
    waits(driver, "old")
    waits(driver, "promised")
    common = {"clock_id": "c", "ticket_id": "promised", "metric": "first_response", "cycle": 1, "policy": "vip"}
    due = after(driver.now, 60)
    starts = {"calendar": "always", "config_version": 1, "target_seconds": 60, "started_at": driver.now}
    driver.hear(ClockStarted.model_validate(common | starts | {"due_at": due, "breach_at": due}), topic="sla")
    driver.resolve("busy")
    assert driver.offered_to("promised") == "anna"
    met = {"met_at": driver.now, "due_at": due, "elapsed_business_seconds": 1, "elapsed_calendar_seconds": 1}
    driver.hear(ClockMet.model_validate(common | met), topic="sla")
    assert driver.ticket("promised").first_breach_at is None


def test_urgency_goes_by_what_a_recompute_promises() -> None:
    driver = one_busy_agent("urgency", wait_target_seconds=3600)
    waits(driver, "promised")
    common = {"clock_id": "c", "ticket_id": "promised", "metric": "first_response", "cycle": 1, "policy": "vip"}
    common |= {"calendar": "always", "target_seconds": 60}
    due, later = after(driver.now, 60), after(driver.now, 600)
    was = {"policy": "vip", "calendar": "always", "config_version": 1, "target_seconds": 60}
    restated = {"job_id": "job_1", "config_version": 2, "due_at": later, "breach_at": later, "state": "running"}
    restated |= {"elapsed_business_seconds": 1, "elapsed_calendar_seconds": 1, "restated_at": driver.now}
    restated |= {"was": was | {"due_at": due, "breach_at": due}}
    started = {"config_version": 1, "started_at": driver.now, "due_at": due, "breach_at": due}
    driver.hear(ClockStarted.model_validate(common | started), topic="sla")
    driver.hear(ClockRestated.model_validate(common | restated | {"breach_stands": True}), topic="sla")
    assert driver.ticket("promised").first_breach_at == due, "an announced breach stays"
    driver.hear(ClockRestated.model_validate(common | restated), topic="sla")
    assert driver.ticket("promised").first_breach_at == later
    driver.hear(ClockRestated.model_validate(common | restated | {"state": "paused"}), topic="sla")
    assert driver.ticket("promised").first_breach_at is None
