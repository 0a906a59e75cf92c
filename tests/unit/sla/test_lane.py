"""The lane: near timers and alerts follow every change, and a batch that is taken back leaves no trace."""

import copy
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.alerting import AlertAck, AlertUnack
from pointsman.contracts.shapes import Actor
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import (
    a_policy,
    answered,
    assigned,
    labelled,
    minute,
    opened,
    pended,
    reopened,
    resolved,
    snoozed,
    woken,
    wrote,
)

SUE = Actor(kind="supervisor", id="sue")
RESPONSE = a_policy(targets={"first_response": {"default": 3600}}, warn={})


def test_a_breach_names_the_agent_who_holds_the_ticket_now() -> None:
    lane = LaneOfTests(a_policy(targets={"resolution": {"default": 3600}}, warn={}))
    lane.tell(0, *opened(0))
    lane.tell(5, assigned("anna"))
    lane.tell(6, assigned("boris"))
    lane.run_to(60)
    assert lane.of("clock.breached")[0].agent == "boris"


def test_a_met_clock_leaves_its_alerts_and_they_resolve() -> None:
    lane = LaneOfTests(a_policy(targets={"first_response": {"default": 3600}}, warn={"shares": [0.5]}))
    lane.tell(0, *opened(0))
    lane.run_to(61)
    assert {alert.severity for alert in lane.state.alerts.open.values()} == {"warning", "breach"}
    lane.tell(70, answered(70))
    assert len(lane.of("alert.resolved")) == 2
    assert not lane.state.alerts.open


def test_a_breach_found_late_opens_its_alert_and_resolves_it_in_one_record() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    cause = lane.cause(75, answered(75))
    decision = lane.logic.decide(lane.state, cause, minute(75))
    types = [fact.type for emission in decision.emissions for fact in emission.facts]
    assert types == ["clock.breached", "clock.met", "alert.opened", "alert.resolved"]


def test_a_timer_that_was_decided_already_is_nothing() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    cause = lane.logic.due(lane.state, "breach", minute(60), 10)[0]
    assert lane.logic.decide(lane.state, cause, minute(60)).emissions
    assert not lane.logic.decide(lane.state, cause, minute(60)).emissions


def test_an_unknown_or_foreign_alert_is_refused() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    lane.run_to(60)
    alert = lane.of("alert.opened")[0].alert_id
    refusal = lane.tell(61, AlertAck(actor=SUE, alert_id="alr_none"), topic="commands").refusal
    assert refusal is not None
    assert refusal.status == 404
    refusal = lane.tell(61, AlertAck(actor=SUE, alert_id=alert), topic="commands", workspace="globex").refusal
    assert refusal is not None
    assert refusal.status == 404


def test_an_acknowledgement_given_for_a_time_ends_by_a_timer() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    lane.run_to(60)
    alert = lane.of("alert.opened")[0].alert_id
    answer = lane.tell(61, AlertAck(actor=SUE, alert_id=alert, for_seconds=600), topic="commands").answer
    assert answer is not None
    assert (answer["state"], answer["ack_until"]) == ("acknowledged", minute(71))
    lane.run_to(70.9)
    assert lane.state.alerts.open[alert].state == "acknowledged"
    lane.run_to(71)
    assert lane.state.alerts.open[alert].state == "firing"
    assert lane.tell(72, AlertUnack(actor=SUE, alert_id=alert), topic="commands").emissions == ()


def test_a_ticket_of_another_workspace_cannot_be_moved() -> None:
    lane = LaneOfTests(RESPONSE)
    lane.tell(0, *opened(0))
    with pytest.raises(ValueError, match="another workspace"):
        lane.tell(1, answered(1), workspace="globex")


STEPS: dict[str, Any] = {
    "assigned": lambda at: [assigned()],
    "pended": lambda at: [pended()],
    "snoozed": lambda at: [snoozed()],
    "woken": lambda at: [woken(), assigned()],
    "answered": lambda at: [answered(at)],
    "wrote": lambda at: [wrote(at)],
    "urgent": lambda at: [labelled("urgent")],
    "normal": lambda at: [labelled("normal")],
    "resolved": lambda at: [resolved()],
    "reopened": lambda at: [reopened(), assigned()],
}


def contents(lane: LaneOfTests) -> Any:
    state = lane.state
    near = {kind: list(order) for kind, order in state.near.order.items()}
    alerts = (dict(state.alerts.open), dict(state.alerts.by_key), dict(state.alerts.counts))
    changed = (dict(state.changed_tickets), dict(state.changed_clocks), list(state.alerts.events))
    return copy.copy((dict(state.tickets), dict(state.near.timers), near, alerts, changed))


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 60), st.booleans()), max_size=12))
@settings(max_examples=120, deadline=None)
def test_what_is_taken_back_leaves_no_trace_and_alerts_count_their_clocks(
    steps: list[tuple[str, int, bool]],
) -> None:
    lane = LaneOfTests()
    lane.tell(0, *opened(0))
    at = 0.0
    for name, minutes, taken_back in steps:
        at += minutes
        bodies = STEPS[name](at)
        if taken_back:
            before = contents(lane)
            lane.logic.decide(lane.state, lane.cause(at, *bodies), minute(at))
            for kind in ("warning", "breach"):
                for cause in lane.logic.due(lane.state, kind, minute(at), 10):
                    lane.logic.decide(lane.state, cause, minute(at))
            lane.state.journal.undo()
            assert contents(lane) == before
        lane.tell(at, *bodies)
        ticket = lane.state.tickets["tkt_1"]
        clocks = list(ticket.clocks.values())
        armed = {clock.id for clock in clocks if clock.next_point}
        assert set(lane.state.near.timers) == armed
        members = [alert for clock in clocks for _, alert, _ in clock.alerts]
        assert {alert: members.count(alert) for alert in set(members)} == {
            alert: lane.state.alerts.counts[alert] for alert in lane.state.alerts.open
        }
    standing = Counter(fact.clock_id for fact in lane.of("clock.breached"))
    standing.subtract(fact.clock_id for fact in lane.of("clock.corrected") if fact.withdraws == "breach")
    assert set(standing.values()) <= {0, 1}, "a breach that was withdrawn may come again, one that stands may not"
