"""A merge counts and pages one miss once: breach, membership and acknowledgement go over to the ticket that goes on."""

from typing import Any

from pointsman.contracts import desk
from pointsman.contracts.alerting import AlertUnack
from pointsman_metrics.fold.clock import Clock, fold_clock, start_clock
from pointsman_sla.micros import micros
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import ANNA, a_policy, answered, minute, opened, reopened, resolved, wrote
from tests.unit.sla.test_cover import a_lane, ack, alert, pages
from tests.unit.sla.test_ladders import SUE, alert_of


def merge(lane: LaneOfTests, at: float, since: float | None, *, source: str = "tkt_2", into: str = "tkt_1") -> None:
    """As the desk tells of it: the ticket that ends first."""
    asked = None if since is None else minute(since)
    said: dict[str, Any] = {"unanswered_since": asked, "reason": "the same", "by": ANNA}
    ends = desk.TicketMerged(ticket_id=source, into=into, **said)
    lane.tell(at, ends, desk.TicketClosed(ticket_id=source, reason="merged", merged_into=into))
    lane.tell(at, desk.TicketMerged(ticket_id=into, source=source, **said))


def overdue(lane: LaneOfTests, **target: Any) -> None:
    """tkt_2 breached after an hour; tkt_1 was opened half an hour after it."""
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.tell(30, *opened(30, **target))
    lane.run_to(62)


def rows(lane: LaneOfTests) -> dict[str, Clock]:
    """The clocks as metrics folds them."""
    found: dict[str, Clock] = {}
    for fact in lane.facts:
        if fact.type == "clock.started":
            found[fact.clock_id] = start_clock("acme", fact)
        elif fact.type.startswith("clock.") and fact.clock_id in found:
            fold_clock(found[fact.clock_id], fact, minute(0))
    return found


def test_one_miss_is_announced_and_counted_once() -> None:
    lane = a_lane()
    overdue(lane)
    merge(lane, 65, 0)
    lane.tell(120, answered(120))
    lane.run_to(300)
    assert len(lane.of("clock.breached")) == 1
    assert [row.ticket_id for row in rows(lane).values() if row.breached] == ["tkt_1"]
    assert [fact.breached_before for fact in lane.of("clock.met") if fact.ticket_id == "tkt_1"] == [True]


def test_it_pages_on_and_repeats_nothing() -> None:
    lane = a_lane()
    overdue(lane)
    merge(lane, 65, 0)
    lane.run_to(101)
    assert pages(lane) == [("supervisors", 60.0), ("pager", 70.0), ("pager", 85.0), ("pager", 100.0)]
    assert {item.ticket_id for item in lane.items if item.target == "pager"} == {"tkt_1"}


def test_the_alert_stays_open_and_names_the_ticket_that_goes_on() -> None:
    lane = a_lane()
    overdue(lane)
    before = alert_of(lane)
    merge(lane, 65, 0)
    assert alert_of(lane) == before
    assert lane.state.alerts.counts[before] == 1
    assert (lane.clock("first_response").alerts[0].alert, lane.of("alert.resolved")) == (before, [])
    assert len(lane.of("alert.opened")) == 1


def test_who_had_acknowledged_takes_care_of_it_still() -> None:
    lane = a_lane()
    overdue(lane)
    ack(lane, 65, 3600)
    merge(lane, 70, 0)
    assert (alert(lane).state, alert(lane).acked_by, alert(lane).ack_until) == ("acknowledged", "sue", minute(125))
    lane.run_to(126)
    assert pages(lane, 61) == [("supervisors", 125.0), ("pager", 125.0)], "and then the ladder goes on"


def test_an_acknowledgement_goes_over_into_the_alert_of_another_queue() -> None:
    lane = a_lane()
    overdue(lane, queue="billing")
    ack(lane, 65, 3600)
    merge(lane, 70, 0)
    (moved,) = lane.state.alerts.open.values()
    assert (moved.queue, moved.state, moved.acked_by, moved.ack_until) == (
        "billing",
        "acknowledged",
        "sue",
        minute(125),
    )
    assert len(lane.of("alert.opened")) == 1, "nobody is told of a new one"
    lane.ask(80, AlertUnack(actor=SUE, alert_id=moved.id))
    assert [fact.again for fact in lane.of("alert.opened")] == [False, True]


def test_a_ladder_that_had_ended_does_not_end_again() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.run_to(116)
    assert alert(lane).state == "exhausted"
    lane.tell(117, *opened(117))
    merge(lane, 118, 0)
    lane.run_to(500)
    assert (alert(lane).state, alert(lane).spent, len(lane.of("alert.exhausted"))) == ("exhausted", 1, 1)
    assert [target for target, at in pages(lane, 118)] == []


def test_a_miss_that_only_the_merge_makes_is_no_lateness() -> None:
    vip = a_policy(
        name="vip", match={"queue": ["fast"]}, calendar="always", targets={"first_response": {"default": 600}}, warn={}
    )
    lane = a_lane(policies=[vip])
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.tell(30, *opened(30, queue="fast"))
    merge(lane, 35, 0)
    lane.run_to(36)
    (breached,) = lane.of("clock.breached")
    assert (breached.ticket_id, breached.late, breached.lateness_seconds) == ("tkt_1", False, 0.0)
    assert breached.due_at == minute(10), "what was promised"


def test_a_warning_that_was_given_is_not_given_again() -> None:
    lane = a_lane(warn={"shares": [0.5]})
    lane.tell(0, *opened(0, ticket="tkt_2"))
    lane.tell(20, *opened(20))
    lane.run_to(31)
    merge(lane, 35, 0)
    lane.run_to(59)
    assert [fact.ticket_id for fact in lane.of("clock.warned")] == ["tkt_2"]
    assert lane.state.alerts.counts[alert(lane, "warning").id] == 1
    lane.run_to(61)
    assert [fact.ticket_id for fact in lane.of("clock.breached")] == ["tkt_1"]


def test_a_breach_of_the_ticket_that_goes_on_is_not_doubled_by_an_older_question() -> None:
    lane = a_lane(targets={"first_response": {"default": 3600, "urgent": 60_000}})
    lane.tell(0, *opened(0, ticket="tkt_2", priority="urgent"))
    lane.tell(10, *opened(10))
    lane.run_to(71)
    merge(lane, 75, 0)
    lane.run_to(300)
    assert [fact.ticket_id for fact in lane.of("clock.breached")] == ["tkt_1"]
    assert [(row.cycle, row.breached) for row in rows(lane).values() if row.ticket_id == "tkt_1"][-1] == (2, True)
    assert sum(row.breached for row in rows(lane).values()) == 1


def test_what_was_answered_or_is_younger_leaves_the_other_ticket_alone() -> None:
    lane = a_lane()
    lane.tell(0, *opened(0))
    lane.tell(30, *opened(30, ticket="tkt_2"))
    merge(lane, 40, 30)
    lane.run_to(62)
    assert [(fact.ticket_id, fact.cycle) for fact in lane.of("clock.breached")] == [("tkt_1", 1)]


def test_a_question_of_before_a_reopening_goes_over_too() -> None:
    target = {"default": 3600}
    lane = a_lane(targets={"first_response": target, "next_response": target}, reopen="continue")
    for at, fact in ((0, None), (10, answered(10)), (20, wrote(20)), (30, resolved()), (40, reopened())):
        facts = opened(0, ticket="tkt_2") if fact is None else [fact.model_copy(update={"ticket_id": "tkt_2"})]
        lane.tell(at, *facts)
    lane.tell(45, *opened(45))
    merge(lane, 50, None)
    assert lane.clock("first_response").segments[0].start == micros(minute(20))


def test_a_merge_of_what_the_lane_does_not_know_counts_from_the_question_all_the_same() -> None:
    lane = a_lane()
    lane.tell(30, *opened(30))
    said: dict[str, Any] = {"unanswered_since": minute(0), "reason": "the same", "by": ANNA}
    lane.tell(65, desk.TicketMerged(ticket_id="tkt_1", source="tkt_9", **said))
    lane.run_to(66)
    (breached,) = lane.of("clock.breached")
    assert (breached.cycle, breached.late, breached.lateness_seconds) == (2, False, 0.0)


def test_undoing_a_merge_leaves_no_trace() -> None:
    lane = a_lane()
    overdue(lane)
    said: dict[str, Any] = {"unanswered_since": minute(0), "reason": "the same", "by": ANNA}
    ends = desk.TicketMerged(ticket_id="tkt_2", into="tkt_1", **said)
    cause = lane.cause(65, ends, desk.TicketClosed(ticket_id="tkt_2", reason="merged", merged_into="tkt_1"))
    state = lane.state

    def all_of_it() -> Any:
        return dict(state.near.timers), dict(state.alerts.open), dict(state.tickets), dict(state.alerts.counts)

    before = all_of_it()
    lane.logic.decide(state, cause, minute(65))
    assert all_of_it() != before
    state.journal.undo()
    assert all_of_it() == before
