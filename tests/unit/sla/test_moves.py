"""A ticket that is handed on: its clocks go on, the policy of its new queue holds, its holder is nobody's any more."""

from typing import Any

from pointsman.contracts import desk
from tests.unit.sla.builders import ANNA, Story, a_policy, assigned, minutes_of, opened, pended, queued, resolved, woken


def transferred(**to: Any) -> Any:
    return desk.TicketTransferred(ticket_id="tkt_1", from_agent="anna", reason="a bug", by=ANNA, **to)


def test_in_another_queue_the_first_response_runs_on() -> None:
    story = Story().tell(0, *opened(0)).tell(10, assigned()).tell(20, transferred(to_queue="late"), queued("late"))
    assert story.clock("first_response").state == "running"
    assert minutes_of(story.clock("first_response").started_at) == 0
    assert story.ticket is not None
    assert (story.ticket.agent, story.ticket.phase, story.ticket.labels.queue) == (None, "queued", "late")


def test_the_holders_work_stands_still_until_somebody_has_it_again() -> None:
    story = Story(a_policy(targets={"agent_work": {"default": 36_000}}))
    story.tell(0, *opened(0)).tell(10, assigned()).tell(20, transferred(to_queue="late"), queued("late"))
    assert (story.clock("agent_work").state, story.clock("agent_work").reason) == ("paused", "waiting for an agent")
    story.tell(30, assigned("boris", "late"))
    assert story.clock("agent_work").state == "running"


def test_in_a_renamed_queue_its_holder_works_on_and_the_policy_of_its_name_holds() -> None:
    fast = a_policy(name="fast", match={"queue": ["new"]}, targets={"first_response": {"default": 60}})
    story = Story(fast, a_policy(name="other")).tell(0, *opened(0, queue="old")).tell(10, assigned(queue="old"))
    story.tell(20, desk.TicketMoved(ticket_id="tkt_1", from_queue="old", queue="new", reason="renamed"))
    assert story.ticket is not None
    assert (story.ticket.agent, story.ticket.phase, story.ticket.labels.queue) == ("anna", "assigned", "new")
    assert story.clock("first_response").policy == "fast"


def test_moved_while_resolved_nothing_starts() -> None:
    story = Story().tell(0, *opened(0, queue="old")).tell(10, assigned(queue="old")).tell(20, resolved())
    story.tell(30, desk.TicketMoved(ticket_id="tkt_1", from_queue="old", queue="new", reason="renamed"))
    assert story.last == []


def test_what_stays_pending_has_no_holder_to_warn() -> None:
    story = Story().tell(0, *opened(0)).tell(10, assigned()).tell(20, pended()).tell(30, transferred(to_queue="late"))
    assert story.ticket is not None
    assert (story.ticket.agent, story.ticket.phase) == (None, "customer")


def test_given_to_another_while_pending_it_goes_on() -> None:
    story = Story().tell(0, *opened(0)).tell(10, assigned()).tell(20, pended())
    story.tell(30, woken(), transferred(to_agent="boris"), assigned("boris"))
    assert story.ticket is not None
    assert (story.ticket.agent, story.clock("resolution").state) == ("boris", "running")


def test_a_ticket_that_an_agent_started_has_no_response_clock() -> None:
    story = Story().tell(0, *opened(0, started_by="agent"), assigned())
    assert story.ticket is not None
    assert {metric for metric, clock in story.ticket.clocks.items() if clock.active} & {
        "first_response",
        "next_response",
    } == set()
