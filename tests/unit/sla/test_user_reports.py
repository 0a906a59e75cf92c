"""What users of other helpdesks report of their SLAs, shown not to happen here. Named after the reports."""

from datetime import timedelta

from pointsman.contracts.alerting import AlertAck
from pointsman.contracts.shapes import Actor
from pointsman_sla.calendar import compile_calendar
from pointsman_sla.micros import MICROS, micros
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import (
    OFFICE,
    a_document,
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
PAUSES = {"resolution": ["customer", "third_party", "snoozed"]}
RESPONSE = a_policy(targets={"first_response": {"default": 3600}}, warn={})


def ack(alert: str, number: int = 1) -> AlertAck:
    return AlertAck(actor=Actor(kind="supervisor", id="sue"), alert_id=alert)


# -- wrong sums --------------------------------------------------------------------------------------------------------


def test_zammad_5177_a_shorter_update_target_does_not_overrule_the_first_response() -> None:
    lane = LaneOfTests(a_policy(targets={"first_response": {"default": 7200}, "update": {"default": 600}}, warn={}))
    lane.tell(0, *opened(0))
    lane.run_to(110)
    assert [clock.metric for clock in lane.of("clock.started")] == ["first_response"], "nobody has updated yet"
    lane.tell(111, answered(111))
    assert lane.of("clock.breached") == []


def test_zammad_3140_an_agents_answer_ends_what_the_customer_waits_for() -> None:
    lane = LaneOfTests(a_policy(targets={"next_response": {"default": 3600}}, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(10, answered(10))
    lane.tell(20, wrote(20))
    lane.tell(30, answered(30))
    lane.run_to(5 * 24 * 60)
    assert lane.of("clock.breached") == [], "the customer who does not answer breaks no promise of ours"


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


def test_glpi_10594_a_weekend_spent_pending_is_not_added_twice() -> None:
    friday = 4 * 24 * 60
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 8 * 3600}}, pause_on=PAUSES, warn={}))
    lane.tell(friday, *opened(friday))
    lane.tell(friday + 6 * 60, pended())
    lane.tell(friday + 3 * 24 * 60, woken(), assigned())
    assert lane.of("clock.resumed")[0].due_at == minute(friday + 3 * 24 * 60 + 2 * 60)


def test_glpi_6902_time_spent_pending_is_left_out_of_another_target_too() -> None:
    policy = a_policy(targets={"resolution": {"default": 7200, "urgent": 3600}}, pause_on=PAUSES, warn={})
    lane = LaneOfTests(policy)
    lane.tell(0, *opened(0))
    lane.tell(5, pended())
    lane.tell(120, labelled("urgent"))
    lane.run_to(240)
    assert lane.of("clock.breached") == []
    lane.tell(240, woken(), assigned())
    assert lane.clock("resolution").due_at == micros(minute(295)), "55 of the 60 minutes are left"


def test_glpi_22678_a_warning_before_the_end_comes_in_opening_hours_not_at_midnight() -> None:
    policy = a_policy(targets={"first_response": {"default": 4 * 3600}}, warn={"lead_seconds": [3600]})
    lane = LaneOfTests(policy)
    lane.tell(7 * 60, *opened(7 * 60))
    lane.run_to(2 * 24 * 60)
    assert lane.of("clock.warned")[0].warned_at == minute(24 * 60 + 2 * 60)
    assert lane.of("clock.breached")[0].breach_at == minute(24 * 60 + 3 * 60)


def test_chatwoot_10178_resolving_ends_the_next_response_also_when_the_customer_had_the_last_word() -> None:
    lane = LaneOfTests(a_policy(targets={"next_response": {"default": 3600}}, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(10, answered(10))
    lane.tell(20, wrote(20))
    lane.tell(21, resolved())
    lane.run_to(7 * 24 * 60)
    assert [(fact.metric, fact.reason) for fact in lane.of("clock.cancelled")] == [("next_response", "solved")]
    assert lane.of("clock.breached") == []


def test_chatwoot_12058_targets_count_in_business_hours() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(9 * 60, *opened(9 * 60))
    assert lane.of("clock.started")[0].due_at == minute(25 * 60), "an hour into the next morning"


def test_frappe_helpdesk_3776_a_hold_that_ends_by_resolving_counts_as_one() -> None:
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 7200}}, pause_on=PAUSES, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(20, pended())
    lane.tell(30 * 24 * 60, resolved())
    met = lane.of("clock.met")[0]
    assert (met.elapsed_business_seconds, met.elapsed_calendar_seconds) == (20 * 60, 20 * 60)


def test_frappe_helpdesk_3776_a_deadline_is_an_instant_whatever_zone_it_is_read_in() -> None:
    riyadh = {**OFFICE, "tz": "Asia/Riyadh"}
    lane = LaneOfTests(document=a_document(RESPONSE, calendars={"office": riyadh}))
    lane.tell(0, *opened(0))
    due = lane.of("clock.started")[0].due_at
    assert (due, due.utcoffset()) == (minute(60), timedelta(0))


def test_dbt_zendesk_25_hours_of_the_past_are_those_of_their_own_season() -> None:
    rome = compile_calendar({"tz": "Europe/Rome", "week": {day: [["09:00", "17:00"]] for day in ("fri", "mon")}})
    before, after = micros(minute(-242 * 24 * 60)), micros(minute(-230 * 24 * 60))
    spans = list(rome.spans(before, after))
    assert {close - open for open, close in spans} == {8 * 3600 * MICROS}
    assert len({(open // (3600 * MICROS)) % 24 for open, _ in spans}) == 2, "an hour apart in UTC"


def test_osticket_6847_a_lunch_break_is_left_out_of_the_due_time() -> None:
    lunch = {"tz": "UTC", "week": {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue")}}
    lane = LaneOfTests(document=a_document(RESPONSE, calendars={"office": lunch}))
    lane.tell(3 * 60 + 30, *opened(3 * 60 + 30))
    assert lane.of("clock.started")[0].due_at == minute(5 * 60 + 30), "opened at half past twelve, due half past two"


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


def test_zammad_534_a_changed_calendar_changes_the_due_times_of_open_tickets() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    holiday = {**OFFICE, "holidays": ["2026-11-23"]}
    lane.configure(10, 2, RESPONSE, calendars={"office": holiday}, open_clocks="recompute")
    lane.run_to(11)
    assert lane.clock("first_response").due_at == micros(minute(24 * 60 + 60))


def test_zammad_4353_a_policy_that_is_taken_away_also_ends_what_has_breached_and_its_alert() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    lane.run_to(65)
    lane.configure(70, 2, a_policy(match={"channel": ["chat"]}), open_clocks="recompute")
    lane.run_to(71)
    assert lane.of("clock.cancelled")[0].reason == "no_target"
    assert len(lane.of("alert.resolved")) == 1
    lane.run_to(30 * 24 * 60)
    assert len(lane.of("clock.breached")) == len(lane.of("alert.opened")) == 1


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
