"""Escalation ladders: which step is carried out when, once per clock and cycle, and how a ladder ends."""

from typing import Any

from pointsman.contracts.alerting import AlertAck, AlertUnack
from pointsman.contracts.desk import TicketEscalated
from pointsman.contracts.shapes import Actor
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import OFFICE, a_document, a_policy, answered, labelled, minute, opened, pended, woken

SUE = Actor(kind="supervisor", id="sue")

WARNS = {"on": "warning", "at": 0.8, "do": [{"boost": 1}]}
BREACHES = {"on": "breach", "do": [{"notify": "supervisors"}, {"relax": "all"}, {"overflow": "general"}]}
PAGES = {
    "after_seconds": 600,
    "unless": "acknowledged",
    "do": [{"notify": "pager"}],
    "repeat": {"every_seconds": 900, "times_max": 2},
}


def a_lane(*steps: dict[str, Any], last_resort: str | None = None, **policy: Any) -> LaneOfTests:
    """A lane whose policy promises a first response in an hour and has this ladder."""
    policy = {
        "targets": {"first_response": {"default": 3600}},
        "warn": {"shares": [0.5]},
        "calendar": "always",
        **policy,
    }
    sla: dict[str, Any] = {
        "policies": [a_policy(ladder="up", **policy)],
        "ladders": {"up": list(steps)},
        "notify": {"supervisors": {"group_by": ["queue"], "within_seconds": 30}, "pager": {}, "last": {}},
        "last_resort": last_resort,
    }
    return LaneOfTests(document=a_document(sla=sla, calendars={"office": OFFICE}))


def told(lane: LaneOfTests) -> list[tuple[str, float, str]]:
    """(target, minute, kind) of what somebody was told."""
    return [(item.target, (item.at - minute(0)).total_seconds() / 60, item.kind) for item in lane.items]


def steps(lane: LaneOfTests) -> list[tuple[int, int, float]]:
    """(step, repetition, minute) of what was carried out."""
    return [
        (fact.step, fact.repetition, (fact.escalated_at - minute(0)).total_seconds() / 60)
        for fact in lane.of("clock.escalated")
    ]


def test_a_step_is_carried_out_when_its_point_fires() -> None:
    lane = a_lane(WARNS, BREACHES)
    lane.tell(0, *opened(0))
    lane.run_to(61)
    warned, breached = lane.of("clock.escalated")
    assert (warned.step, warned.severity, warned.boost, warned.notified) == (0, "warning", 1, ())
    assert (breached.step, breached.severity, breached.boost) == (1, "breach", 0)
    assert (breached.relax, breached.overflow, breached.notified) == ("all", ("general",), ("supervisors",))
    assert steps(lane) == [(0, 0, 48.0), (1, 0, 60.0)]


def test_what_is_told_names_the_clock_its_alert_and_how_it_is_bundled() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.run_to(60)
    (item,) = lane.items
    assert (item.target, item.kind, item.group_by, item.within_seconds) == ("supervisors", "step", ("queue",), 30)
    assert (item.ticket_id, item.metric, item.cycle, item.alert_id) == ("tkt_1", "first_response", 1, alert_of(lane))
    assert (item.queue, item.policy, item.priority, item.breach_at) == ("general", "standard", "normal", minute(60))
    assert "step 1 of up" in item.reason


def test_a_share_of_which_nobody_wants_to_be_warned_is_a_point_all_the_same() -> None:
    lane = a_lane({"on": "warning", "at": 0.9, "do": [{"boost": 2}]}, warn={"shares": []})
    lane.tell(0, *opened(0))
    lane.run_to(61)
    assert [fact.step for fact in lane.of("clock.warned")] == ["share:0.9"]
    assert steps(lane) == [(0, 0, 54.0)]


def test_without_a_share_it_is_the_first_warning() -> None:
    lane = a_lane({"on": "warning", "do": [{"boost": 1}]}, warn={"shares": [0.5, 0.8], "lead_seconds": [60]})
    lane.tell(0, *opened(0))
    lane.run_to(61)
    assert steps(lane) == [(0, 0, 30.0)]


def test_a_step_of_other_metrics_does_not_concern_the_clock() -> None:
    lane = a_lane({**BREACHES, "metrics": ["resolution"]}, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(600)
    assert steps(lane) == []


def test_steps_follow_in_calendar_seconds_and_repeat_up_to_their_limit() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(600)
    assert steps(lane) == [(0, 0, 60.0), (1, 0, 70.0), (1, 1, 85.0), (1, 2, 100.0)]
    assert told(lane)[1:] == [("pager", 70.0, "step"), ("pager", 85.0, "step"), ("pager", 100.0, "step")]


def test_what_is_done_on_the_desk_is_not_repeated() -> None:
    lane = a_lane({**BREACHES, "do": [{"boost": 2}, {"notify": "pager"}], "repeat": {"every_seconds": 60}})
    lane.tell(0, *opened(0))
    lane.run_to(600)
    assert [fact.boost for fact in lane.of("clock.escalated")] == [2, 0, 0, 0, 0]


def test_an_answer_ends_the_ladder() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.tell(75, answered(75))
    lane.run_to(600)
    assert steps(lane) == [(0, 0, 60.0), (1, 0, 70.0)]


def test_an_acknowledgement_ends_what_is_unless_acknowledged() -> None:
    lane = a_lane(BREACHES, PAGES, last_resort="last")
    lane.tell(0, *opened(0))
    lane.run_to(65)
    lane.ask(65, AlertAck(actor=SUE, alert_id=alert_of(lane)))
    lane.run_to(600)
    (_, withheld) = lane.of("clock.escalated")
    assert (withheld.step, withheld.notified, withheld.withheld) == (1, (), "acknowledged")
    assert told(lane) == [("supervisors", 60.0, "step")]
    assert lane.of("alert.exhausted") == []


def test_an_acknowledgement_between_two_repetitions_ends_them() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(72)
    lane.ask(72, AlertAck(actor=SUE, alert_id=alert_of(lane)))
    lane.run_to(600)
    assert [target for target, _, _ in told(lane)] == ["supervisors", "pager"]


def test_a_later_clock_fires_again_and_climbs_by_itself_while_the_first_stays_covered() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.tell(5, *opened(5, ticket="tkt_2"))
    lane.run_to(62)
    lane.ask(62, AlertAck(actor=SUE, alert_id=alert_of(lane)))
    lane.run_to(1000)
    assert [fact.again for fact in lane.of("alert.opened") if fact.severity == "breach"] == [False, True]
    pages = [
        (item.ticket_id, at) for item, (target, at, _) in zip(lane.items, told(lane), strict=True) if target == "pager"
    ]
    assert pages == [("tkt_2", 75.0), ("tkt_2", 90.0), ("tkt_2", 105.0)]


def test_when_an_acknowledgement_is_over_who_was_told_is_told_again() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(65)
    lane.ask(65, AlertAck(actor=SUE, alert_id=alert_of(lane), for_seconds=3600))
    lane.run_to(200)
    assert told(lane)[:2] == [("supervisors", 60.0, "step"), ("supervisors", 125.0, "again")]
    assert told(lane)[2:] == [("pager", at, "step") for at in (125.0, 140.0, 155.0)], "the ladder is given back"


def test_taking_an_acknowledgement_back_tells_again_at_once() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.run_to(61)
    lane.ask(61, AlertAck(actor=SUE, alert_id=alert_of(lane)))
    lane.ask(62, AlertUnack(actor=SUE, alert_id=alert_of(lane)))
    assert told(lane) == [("supervisors", 60.0, "step"), ("supervisors", 62.0, "again")]


def test_a_ladder_that_ended_without_an_acknowledgement_goes_to_the_last_resort() -> None:
    lane = a_lane(BREACHES, PAGES, last_resort="last")
    lane.tell(0, *opened(0))
    lane.run_to(600)
    (exhausted,) = lane.of("alert.exhausted")
    assert (exhausted.ladder, exhausted.last_resort, exhausted.clock.ticket) == ("up", "last", "tkt_1")
    assert told(lane)[-1] == ("last", 115.0, "exhausted"), "as long after the last repetition as another would be"
    assert lane.state.alerts.open[alert_of(lane)].state == "exhausted"
    lane.ask(601, AlertAck(actor=SUE, alert_id=alert_of(lane)))
    assert lane.state.alerts.open[alert_of(lane)].state == "acknowledged"


def test_a_ladder_that_tells_nobody_does_not_end_in_the_last_resort() -> None:
    lane = a_lane(WARNS, {"on": "breach", "do": [{"relax": "all"}]}, last_resort="last")
    lane.tell(0, *opened(0))
    lane.run_to(6000)
    assert told(lane) == []
    assert lane.of("alert.exhausted") == []


def test_a_later_clock_fires_an_exhausted_alert_again() -> None:
    lane = a_lane(BREACHES, last_resort="last")
    lane.tell(0, *opened(0))
    lane.tell(30, *opened(30, ticket="tkt_2"))
    lane.run_to(66)
    assert lane.state.alerts.open[alert_of(lane)].state == "exhausted"
    lane.run_to(90)
    assert lane.state.alerts.open[alert_of(lane)].state == "firing"


def test_during_hours_the_one_and_otherwise_the_other() -> None:
    night = {"on": "breach", "do": [{"notify": "supervisors", "during": "office", "otherwise": "pager"}]}
    by_day, by_night = a_lane(night), a_lane(night)
    by_day.tell(0, *opened(0))
    by_day.run_to(61)
    by_night.tell(600, *opened(600))
    by_night.run_to(661)
    assert [target for target, _, _ in told(by_day)] == ["supervisors"]
    assert [target for target, _, _ in told(by_night)] == ["pager"]


def test_without_an_otherwise_they_are_told_when_their_hours_begin() -> None:
    lane = a_lane({"on": "breach", "do": [{"notify": "supervisors", "during": "office"}]})
    lane.tell(600, *opened(600))
    lane.run_to(661)
    assert [(item.at, item.not_before) for item in lane.items] == [(minute(660), minute(24 * 60))]


def test_nothing_is_carried_out_while_the_clock_stands_still() -> None:
    lane = a_lane(
        {**BREACHES, "metrics": ["resolution"]}, PAGES,
        targets={"resolution": {"default": 3600}}, pause_on={"resolution": ["customer"]},
    )  # fmt: skip
    lane.tell(0, *opened(0))
    lane.run_to(65)
    lane.tell(65, pended())
    lane.run_to(200)
    assert steps(lane) == [(0, 0, 60.0)]
    lane.tell(200, woken())
    lane.run_to(200)
    assert steps(lane) == [(0, 0, 60.0), (1, 0, 200.0)], "what came due meanwhile comes when it goes on"


def test_a_step_is_carried_out_once_per_clock_and_cycle() -> None:
    lane = a_lane(WARNS, BREACHES, targets={"first_response": {"default": 3600, "urgent": 7200}})
    lane.tell(0, *opened(0))
    lane.tell(50, labelled(priority="urgent"))
    lane.run_to(500)
    assert [step for step, _, _ in steps(lane)].count(1) == 1
    lane.tell(510, labelled(priority="normal"))
    lane.run_to(600)
    assert [step for step, _, _ in steps(lane)].count(1) == 1


def test_points_that_the_lane_came_to_late_begin_their_steps() -> None:
    lane = a_lane(BREACHES, PAGES, targets={"first_response": {"default": 3600, "urgent": 7200}})
    lane.tell(0, *opened(0))
    lane.decide(lane.cause(65, labelled(priority="urgent")), minute(65))
    assert steps(lane) == [(0, 0, 65.0)]
    lane.run_to(71)
    assert steps(lane) == [(0, 0, 65.0), (1, 0, 70.0)], "what follows counts from the breach"


def test_a_withdrawn_breach_takes_its_steps_along() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(61)
    lane.decide(lane.cause(59, answered(59)), minute(61))
    lane.run_to(600)
    assert steps(lane) == [(0, 0, 60.0)]
    assert lane.of("clock.corrected")


def test_a_ticket_that_nobody_took_is_told_to_the_target_of_its_queue() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.tell(1, TicketEscalated(ticket_id="tkt_1", reason="3 offers without success", offers=3, notify="supervisors"))
    (item,) = lane.items
    assert (item.kind, item.target, item.ticket_id, item.queue) == ("escalation", "supervisors", "tkt_1", "general")
    assert item.alert_id is None


def test_undoing_a_step_leaves_no_trace() -> None:
    lane = a_lane(BREACHES, PAGES)
    lane.tell(0, *opened(0))
    lane.run_to(59)
    (cause,) = lane.logic.due(lane.state, "breach", minute(60), 5)
    before = (dict(lane.state.near.timers), dict(lane.state.alerts.open), dict(lane.state.tickets))
    lane.logic.decide(lane.state, cause, minute(60))
    lane.state.journal.undo()
    assert (dict(lane.state.near.timers), dict(lane.state.alerts.open), dict(lane.state.tickets)) == before
    assert lane.state.items == []
    assert lane.state.alerts.events == []


def alert_of(lane: LaneOfTests) -> str:
    """The open alert of breaches."""
    return next(alert.id for alert in lane.state.alerts.open.values() if alert.severity == "breach")


# -- what users of other helpdesks report ------------------------------------------------------------------------------


def test_glpi_1996_reminders_do_not_repeat_for_ever() -> None:
    lane = a_lane({**BREACHES, "repeat": {"every_seconds": 600, "times_max": 3}})
    lane.tell(0, *opened(0))
    lane.run_to(30 * 1440)
    assert [at for _, _, at in steps(lane)] == [60.0, 70.0, 80.0, 90.0]


def test_glpi_7946_no_level_fires_while_the_ticket_is_pending() -> None:
    policy: Any = {"targets": {"resolution": {"default": 3600}}, "pause_on": {"resolution": ["customer"]}}
    lane = a_lane(WARNS, BREACHES, PAGES, **policy)
    lane.tell(0, *opened(0))
    lane.tell(40, pended())
    lane.run_to(1000)
    assert steps(lane) == []
    lane.tell(1000, woken())
    lane.run_to(1040)
    assert steps(lane) == [(0, 0, 1008.0), (1, 0, 1020.0), (2, 0, 1030.0)]


def test_glpi_5319_every_level_fires_not_only_the_first() -> None:
    lane = a_lane(*({"on": "warning", "at": share, "do": [{"boost": 1}]} for share in (0.25, 0.5, 0.75)), BREACHES)
    lane.tell(0, *opened(0))
    lane.run_to(100)
    assert steps(lane) == [(0, 0, 15.0), (1, 0, 30.0), (2, 0, 45.0), (3, 0, 60.0)]


def test_zammad_4348_a_second_ticket_that_breaches_is_told_too() -> None:
    lane = a_lane(BREACHES)
    lane.tell(0, *opened(0))
    lane.tell(1, *opened(1, ticket="tkt_2"))
    lane.run_to(62)
    assert [item.ticket_id for item in lane.items] == ["tkt_1", "tkt_2"]
    assert len({item.id for item in lane.items}) == 2
    assert len([fact for fact in lane.of("alert.opened") if fact.severity == "breach"]) == 1
