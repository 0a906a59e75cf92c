"""A ticket that is handed on, and one that an agent started."""

from typing import Any

from pointsman.contracts import desk
from pointsman_metrics.fold.desk_rules import fold_ticket, open_ticket
from pointsman_metrics.fold.ticket import Beside
from tests.unit.metrics.desk_facts import ANNA, assigned, at, classified, opened, pended, queued, resolved, told, wrote


def transferred(**to: Any) -> desk.TicketTransferred:
    return desk.TicketTransferred(ticket_id="tkt_1", from_agent="anna", reason="a bug", by=ANNA, **to)


def test_a_transfer_ends_the_handling_and_is_counted() -> None:
    beside = Beside()
    ticket = told(
        [
            (0, classified()),
            (0, queued()),
            (10, assigned()),
            (40, transferred(to_queue="late", requires={"late": 1})),
            (40, queued(queue="late")),
            (50, assigned("boris")),
            (70, resolved(agent="boris")),
        ],
        beside,
    )
    spans = [(row.agent, row.started_at, row.ended_at) for row in beside.handlings.values()]
    assert spans == [("anna", at(10), at(40)), ("boris", at(50), at(70))]
    assert (ticket.transfer_count, ticket.assignment_count, ticket.skills) == (1, 2, ["late"])
    assert (ticket.queued_seconds, ticket.assigned_seconds) == (20, 50)


def test_in_a_renamed_queue_it_is_neither_transferred_nor_assigned_again() -> None:
    moved = desk.TicketMoved(ticket_id="tkt_1", from_queue="general", queue="new", reason="renamed")
    ticket = told([(0, classified()), (0, queued()), (10, assigned()), (40, moved)])
    assert (ticket.queue, ticket.agent, ticket.state) == ("new", "anna", "assigned")
    assert (ticket.transfer_count, ticket.assignment_count) == (0, 1)


def test_what_stays_pending_has_no_agent() -> None:
    ticket = told([(0, assigned()), (10, pended()), (20, transferred(to_queue="late"))])
    assert (ticket.state, ticket.agent, ticket.queue) == ("pending", None, "late")
    assert (
        told([(0, assigned()), (10, pended()), (20, transferred(to_queue="late")), (30, resolved())]).state
        == "resolved"
    )


def test_the_customer_of_a_ticket_that_an_agent_started_is_known_by_their_answer() -> None:
    beside = Beside()
    ticket = open_ticket("acme", opened(started_by="agent"), beside)
    answer = wrote(30, author=wrote(0).author.model_copy(update={"id": "cus_ada"}))
    fold_ticket(ticket, answer, at(30), beside, {"anna": "rome"}.get)
    assert (ticket.customer_id, ticket.asked_at) == ("cus_ada", at(30))
