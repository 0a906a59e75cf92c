"""What users of other helpdesks report of their SLAs, shown not to happen here. Named after the reports."""

from pointsman.contracts.alerting import AlertAck
from pointsman.contracts.shapes import Actor
from pointsman_sla.calendar import compile_calendar
from pointsman_sla.micros import MICROS, micros
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import (
    OFFICE,
    a_policy,
    answered,
    assigned,
    labelled,
    minute,
    opened,
    pended,
    queued,
    resolved,
    woken,
    wrote,
)

RESOLUTION = a_policy(targets={"resolution": {"default": 7200}}, warn={"shares": [0.5]})
RESPONSE = a_policy(targets={"first_response": {"default": 3600}}, warn={})


def ack(alert: str, number: int = 1) -> AlertAck:
    return AlertAck(actor=Actor(kind="supervisor", id="sue"), alert_id=alert)


# -- wrong sums --------------------------------------------------------------------------------------------------------


def test_zammad_5177_pending_time_is_not_counted_however_often_it_pends() -> None:
    lane = LaneOfTests(RESOLUTION)
    lane.tell(0, *opened(0))
    for round in range(3):
        lane.tell(10 + round * 20, pended())
        lane.tell(20 + round * 20, woken(), assigned())
    lane.tell(80, resolved())
    assert lane.of("clock.met")[0].elapsed_business_seconds == 50 * 60


def test_zammad_3140_pending_over_the_night_does_not_move_the_due_time_twice() -> None:
    lane = LaneOfTests(RESOLUTION)
    lane.tell(7 * 60, *opened(7 * 60))
    lane.tell(7 * 60 + 30, pended())
    lane.tell(25 * 60, woken(), assigned())
    assert lane.of("clock.resumed")[0].due_at == minute(26 * 60 + 30)


def test_zammad_188_a_reply_after_hours_is_no_breach() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(7 * 60, *opened(7 * 60))
    lane.tell(12 * 60, answered(12 * 60))
    met = lane.of("clock.met")[0]
    assert (met.elapsed_business_seconds, met.breached_before) == (3600, False)
    assert lane.of("clock.breached") == []


def test_zammad_3410_a_follow_up_is_measured_anew_and_the_first_response_keeps_its_time() -> None:
    lane = LaneOfTests(a_policy())
    lane.tell(0, *opened(0))
    lane.tell(10, answered(10))
    lane.tell(100, wrote(100))
    lane.tell(130, answered(130))
    assert [(met.metric, met.elapsed_business_seconds) for met in lane.of("clock.met")] == [
        ("first_response", 600), ("next_response", 1800),
    ]  # fmt: skip


def test_glpi_10594_a_pause_that_begins_and_ends_outside_hours_costs_nothing() -> None:
    lane = LaneOfTests(RESOLUTION)
    lane.tell(7 * 60 + 30, *opened(7 * 60 + 30))
    lane.tell(9 * 60, pended())
    lane.tell(20 * 60, woken(), assigned())
    assert lane.of("clock.resumed")[0].due_at == minute(25 * 60 + 30)


def test_glpi_6902_a_target_over_a_holiday_skips_the_whole_day() -> None:
    calendar = compile_calendar({**OFFICE, "holidays": ["2026-11-24"]})
    due = calendar.due(micros(minute(7 * 60)), 7200 * MICROS)
    assert due == micros(minute(48 * 60 + 60))


def test_glpi_22678_an_interrupted_days_hours_add_up() -> None:
    calendar = compile_calendar({"tz": "UTC", "week": {"mon": [["09:00", "10:00"], ["10:30", "11:00"]]}})
    assert calendar.elapsed(micros(minute(0)), micros(minute(24 * 60))) == 5400 * MICROS


def test_chatwoot_10178_and_12058_targets_count_in_business_hours() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(9 * 60, *opened(9 * 60))
    assert lane.of("clock.started")[0].due_at == minute(25 * 60), "an hour into the next morning"


def test_frappe_helpdesk_3776_a_hold_is_counted_in_business_seconds_too() -> None:
    lane = LaneOfTests(RESOLUTION)
    lane.tell(7 * 60 + 50, *opened(7 * 60 + 50))
    lane.tell(7 * 60 + 55, pended())
    lane.tell(24 * 60 + 30, woken(), assigned())
    lane.tell(24 * 60 + 60, resolved())
    met = lane.of("clock.met")[0]
    assert (met.elapsed_business_seconds, met.elapsed_calendar_seconds) == (35 * 60, 35 * 60)


def test_dbt_zendesk_25_a_dst_change_does_not_shift_the_hours() -> None:
    rome = compile_calendar({"tz": "Europe/Rome", "week": {day: [["09:00", "17:00"]] for day in ("fri", "mon")}})
    before, after = micros(minute(-242 * 24 * 60)), micros(minute(-230 * 24 * 60))
    spans = list(rome.spans(before, after))
    assert {close - open for open, close in spans} == {8 * 3600 * MICROS}
    assert len({(open // (3600 * MICROS)) % 24 for open, _ in spans}) == 2, "an hour apart in UTC"


def test_osticket_6847_a_ticket_opened_after_closing_starts_at_the_next_opening() -> None:
    calendar = compile_calendar(OFFICE)
    assert calendar.opening(micros(minute(8 * 60 + 1))) == micros(minute(24 * 60))


# -- alerts ------------------------------------------------------------------------------------------------------------


def test_glpi_1996_an_alert_does_not_repeat_for_ever() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    lane.run_to(7 * 24 * 60)
    assert [fact.type for fact in lane.facts] == ["clock.started", "clock.breached", "alert.opened"]


def test_glpi_7946_nothing_fires_while_the_clock_is_paused() -> None:
    lane = LaneOfTests(RESOLUTION)
    lane.tell(0, *opened(0))
    lane.tell(10, pended())
    lane.run_to(3 * 24 * 60)
    assert lane.of("clock.warned") == lane.of("clock.breached") == []


def test_glpi_5319_every_level_fires_not_only_the_first() -> None:
    policy = a_policy(targets={"first_response": {"default": 3600}}, warn={"shares": [0.25, 0.5, 0.75]})
    lane = LaneOfTests(policy)
    lane.tell(0, *opened(0))
    lane.run_to(120)
    assert [fact.step for fact in lane.of("clock.warned")] == ["share:0.25", "share:0.5", "share:0.75"]
    assert [fact.severity for fact in lane.of("alert.opened")] == ["warning", "breach"]


def test_zammad_4348_deduplication_does_not_swallow_a_second_real_event() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    lane.run_to(60)
    alert = lane.of("alert.opened")[0].alert_id
    lane.tell(61, ack(alert), topic="commands")
    lane.tell(62, *opened(62, ticket="tkt_2"))
    lane.run_to(130)
    assert len(lane.of("clock.breached")) == 2
    assert [(fact.alert_id, fact.again) for fact in lane.of("alert.opened")] == [(alert, False), (alert, True)]


def test_zammad_2157_midnight_is_an_instant_like_any_other() -> None:
    policy = a_policy(calendar=None, targets={"first_response": {"default": 3600}}, warn={})
    lane = LaneOfTests(policy)
    lane.tell(14 * 60, *opened(14 * 60))
    assert lane.of("clock.started")[0].breach_at == minute(15 * 60)
    lane.run_to(15 * 60)
    assert lane.of("clock.breached")[0].fired_at == minute(15 * 60)


# -- recalculation -----------------------------------------------------------------------------------------------------


def test_zammad_534_a_changed_priority_changes_the_due_time_at_once() -> None:
    lane = LaneOfTests(a_policy(warn={}))
    lane.tell(0, *opened(0))
    lane.tell(5, labelled("urgent"))
    resumed = lane.of("clock.resumed")[0]
    assert (resumed.due_at, resumed.retargeted) == (minute(10), True)


def test_zammad_4353_a_tag_that_takes_the_ticket_out_of_every_policy_ends_its_clocks() -> None:
    lane = LaneOfTests(a_policy(match={"tags": ["sla"]}))
    lane.tell(0, *opened(0, tags=("sla",)))
    lane.tell(5, labelled("normal", tags=()))
    assert {fact.reason for fact in lane.of("clock.cancelled")} == {"no_target"}
    lane.run_to(10_000)
    assert lane.of("clock.breached") == []


def test_zammad_4037_a_moved_ticket_gets_the_targets_of_its_new_queue() -> None:
    fast = a_policy(name="fast", match={"queue": ["fast"]}, targets={"first_response": {"default": 1200}}, warn={})
    lane = LaneOfTests(fast, RESPONSE)
    lane.tell(0, *opened(0))
    lane.tell(5, queued("fast", "transferred"))
    lane.run_to(30)
    breach = lane.of("clock.breached")[0]
    assert (breach.policy, breach.queue, breach.breach_at) == ("fast", "fast", minute(20))
