"""What is noted while clocks are kept, and where a waiting ticket stands."""

from typing import Any

from pointsman.contracts.workspace import PresenceChanged
from pointsman_sla.clocks.queue_order import FIFO, orders_of
from pointsman_sla.predict.durations import bin_of
from pointsman_sla.predict.queue_rank import rank_of
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import a_policy, answered, assigned, minute, opened, pended, queued, resolved


class Noting(LaneOfTests):
    """A lane that keeps what it notes."""

    def __init__(self, *policies: Any) -> None:
        self.noted: dict[Any, int] = {}
        self.seen: dict[Any, Any] = {}
        self.present: dict[Any, bool] = {}
        super().__init__(*policies)

    def _keep(self, decision: Any) -> Any:
        notes = self.state.notes
        for key, count in notes.durations.items():
            self.noted[key] = self.noted.get(key, 0) + count
        self.seen |= notes.seen
        self.present |= notes.present
        return super()._keep(decision)


def test_an_answer_is_noted_from_its_assignment_and_a_clock_as_a_whole() -> None:
    lane = Noting()
    lane.tell(0, *opened())
    lane.tell(10, assigned())
    lane.tell(25, answered(25))
    assert lane.noted == {
        ("acme", "general", "gap:normal", bin_of(10 * 60)): 1,
        ("acme", "general", "whole:first_response", bin_of(25 * 60)): 1,
        ("acme", "general", "answer:first_response", bin_of(15 * 60)): 1,
    }


def test_how_long_an_agent_held_it_is_noted_when_it_is_let_go() -> None:
    lane = Noting(a_policy(targets={"resolution": {"default": 28800}}))
    lane.tell(0, *opened())
    lane.tell(10, assigned())
    lane.tell(40, pended())
    assert lane.noted["acme", "general", "hold", bin_of(30 * 60)] == 1


def test_a_gap_is_noted_since_the_line_last_went_on_or_the_ticket_is_in_it() -> None:
    lane = Noting()
    lane.tell(0, *opened())
    lane.tell(5, *opened(5, ticket="tkt_2"))
    lane.tell(20, assigned())
    second = assigned().model_copy(update={"ticket_id": "tkt_2"})
    lane.tell(22, second)
    gaps = {place: count for (_, _, what, place), count in lane.noted.items() if what == "gap:normal"}
    assert gaps == {bin_of(20 * 60): 1, bin_of(2 * 60): 1}


def test_nights_are_noted_neither() -> None:
    """From 16:50 to 09:10 of the next day are twenty minutes of the office."""
    lane = Noting(a_policy(targets={"resolution": {"default": 288000}}))
    lane.tell(7 * 60, *opened(7 * 60))
    lane.tell(7 * 60 + 50, assigned())
    lane.tell(24 * 60 + 10, resolved())
    assert lane.noted["acme", "general", "hold", bin_of(20 * 60)] == 1
    assert lane.noted["acme", "general", "answer:resolution", bin_of(20 * 60)] == 1


def test_who_is_at_work_in_a_queue_is_noted_and_who_comes_and_goes() -> None:
    lane = Noting()
    lane.tell(0, *opened())
    lane.tell(10, assigned("anna"))
    assert lane.seen == {("acme", "anna", "general"): minute(10)}
    assert lane.present == {("acme", "anna"): True}
    lane.tell(20, PresenceChanged(agent="anna", state="away", set_by="agent"))
    assert lane.present == {("acme", "anna"): False}


def test_what_is_taken_back_is_not_noted() -> None:
    lane = Noting()
    lane.tell(0, *opened())
    lane.tell(10, assigned())
    mark = lane.state.journal.mark()
    lane.logic.decide(lane.state, lane.cause(25, answered(25)), minute(25))
    assert lane.state.notes.durations
    lane.state.journal.undo(mark)
    assert not lane.state.notes.durations


def test_a_waiting_ticket_is_ranked_as_its_queue_orders() -> None:
    lane = Noting()
    lane.tell(0, *opened(0, priority="normal"))
    lane.tell(1, *opened(1, ticket="tkt_2", priority="urgent"))
    old, urgent = lane.state.tickets["tkt_1"], lane.state.tickets["tkt_2"]
    lines = orders_of({order: {"order": order} for order in ("fifo", "priority", "strict", "urgency", "accumulating")})
    first = {order: min((old, urgent), key=lambda each: rank_of(each, line) or 0).id for order, line in lines.items()}
    assert first == {
        "fifo": "tkt_1",
        "accumulating": "tkt_1",
        "priority": "tkt_2",
        "strict": "tkt_2",
        "urgency": "tkt_2",
    }


def test_only_a_waiting_ticket_has_a_rank_and_a_requeued_one_keeps_its_place() -> None:
    lane = Noting()
    lane.tell(0, *opened())
    waited = rank_of(lane.state.tickets["tkt_1"], FIFO)
    lane.tell(10, assigned())
    assert rank_of(lane.state.tickets["tkt_1"], FIFO) is None
    lane.tell(20, queued())
    assert rank_of(lane.state.tickets["tkt_1"], FIFO) == waited
