"""The lane: facts become changed rows, and what a raise began is taken back."""

import pytest

from pointsman.contracts.shapes import Actor
from pointsman.contracts.workspace import ConfigApplied, PresenceChanged
from pointsman_metrics.worker import MetricsLane, MetricsLogic, UnknownRow
from tests.unit.metrics.desk_facts import START, assigned, at, opened, queued, record, resolved

LOGIC = MetricsLogic()


def presence(state: str, reason: str | None = None) -> PresenceChanged:
    return PresenceChanged.model_validate({"agent": "anna", "state": state, "set_by": "agent", "reason": reason})


def test_a_record_changes_the_row_of_its_ticket() -> None:
    lane = MetricsLane()
    LOGIC.decide(lane, record(0, opened(), queued()), START)
    assert lane.changed_tickets == {"tkt_1"}
    assert lane.tickets["tkt_1"].queue == "billing"


def test_what_a_raise_began_is_taken_back() -> None:
    lane = MetricsLane()
    LOGIC.decide(lane, record(0, opened(), queued()), START)
    before = dict(lane.tickets["tkt_1"].__dict__)
    mark = lane.journal.mark()
    with pytest.raises(UnknownRow, match="tkt_9"):
        LOGIC.decide(lane, record(10, assigned(), resolved(ticket_id="tkt_9")), at(10))
    lane.journal.undo(mark)
    assert lane.tickets["tkt_1"].__dict__ == before
    assert lane.unresolved["tkt_1", 1].ended_at is None


def test_a_fact_of_another_workspaces_ticket_is_refused() -> None:
    lane = MetricsLane()
    LOGIC.decide(lane, record(0, opened(), queued()), START)
    with pytest.raises(UnknownRow):
        LOGIC.decide(lane, record(10, assigned(), workspace="globex"), at(10))


def test_presence_is_a_chain_of_stretches() -> None:
    lane = MetricsLane()
    for seconds, fact in ((0, presence("available")), (60, presence("away", "lunch")), (90, presence("available"))):
        LOGIC.decide(lane, record(seconds, fact), at(seconds))
    stretches = [(s.state, s.reason, s.started_at, s.ended_at) for s in lane.changed_stretches.values()]
    assert stretches == [
        ("available", None, at(0), at(60)),
        ("away", "lunch", at(60), at(90)),
        ("available", None, at(90), None),
    ]


def test_the_team_comes_from_the_newest_document() -> None:
    lane = MetricsLane()
    applied = ConfigApplied(
        config_version=3,
        document={"workspace": "acme", "timezone": "Europe/Rome", "agents": {"anna": {"team": "rome"}}},
        author=Actor(kind="admin", id="root"),
        applied_at=START,
    )
    LOGIC.decide(lane, record(0, applied), START)
    LOGIC.decide(lane, record(0, opened(), queued(), assigned()), START)
    assert lane.tickets["tkt_1"].team == "rome"
    assert lane.new_versions["acme", 3].timezone == "Europe/Rome"
