"""A ticket's time: every second is in one state, handling is assigned time plus wrap-up (domain/kpis.md)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.base import Contract
from pointsman_metrics.fold.ticket import Beside
from tests.unit.metrics.desk_facts import (
    Story,
    accepted,
    assigned,
    at,
    classified,
    expired,
    offered,
    pended,
    queued,
    rejected,
    reopened,
    replied,
    resolved,
    told,
    wrapped_up,
    wrote,
)

LIFE: Story = [
    (0, classified()),
    (0, queued()),
    (10, offered()),
    (15, accepted()),
    (15, assigned()),
    (45, replied(45)),
    (60, resolved(wrap_up_until=90)),
    (80, wrapped_up()),
]


def test_seconds_are_charged_to_the_state_they_were_spent_in() -> None:
    ticket = told(LIFE)
    assert (ticket.queued_seconds, ticket.offered_seconds, ticket.assigned_seconds) == (10, 5, 45)
    assert ticket.wrap_up_seconds == 20
    assert ticket.state == "resolved"


def test_time_set_aside_is_charged_to_whom_it_waits_for() -> None:
    ticket = told(
        [*LIFE[:5], (20, pended("customer")), (50, assigned()), (55, pended("third_party")), (65, resolved())]
    )
    assert ticket.pending_customer_seconds == 30
    assert ticket.pending_third_party_seconds == 10
    assert ticket.assigned_seconds == 10
    assert ticket.assignment_count == 1, "going on with a ticket is no new assignment"


def test_each_holder_has_a_handling_of_their_own() -> None:
    beside = Beside()
    told(
        [(0, queued()), (1, offered()), (2, assigned()), (9, assigned("boris")), (20, resolved(wrap_up_until=30))],
        beside,
    )
    rows = [(row.agent, row.kind, row.started_at, row.ended_at) for row in beside.handlings.values()]
    assert rows == [
        ("anna", "assigned", at(2), at(9)),
        ("boris", "assigned", at(9), at(20)),
        ("anna", "wrap_up", at(20), None),
    ]


def test_a_reopened_ticket_is_unresolved_again_and_keeps_its_first_resolution() -> None:
    beside = Beside()
    ticket = told([*LIFE, (100, reopened()), (100, assigned()), (130, resolved())], beside)
    assert (ticket.resolved_first_at, ticket.resolved_last_at, ticket.reopen_count) == (at(60), at(130), 1)
    assert [(row.opened_at, row.ended_at) for row in beside.unresolved.values()] == [
        (at(0), at(60)),
        (at(100), at(130)),
    ]


def test_offers_are_counted_by_their_end() -> None:
    ticket = told([(0, queued()), (1, offered()), (2, rejected()), (3, offered()), (9, expired()), (10, offered())])
    assert (ticket.offer_count, ticket.decline_count, ticket.expiry_count) == (3, 1, 1)
    assert ticket.state == "offered"


def test_the_team_is_that_of_the_holder() -> None:
    assert told(LIFE).team == "rome"
    assert told([*LIFE[:5], (20, queued(reason="requeued"))]).team is None


def test_a_late_fact_never_makes_time_negative() -> None:
    ticket = told([(10, queued()), (5, offered()), (4, assigned())])
    assert min(ticket.queued_seconds, ticket.offered_seconds, ticket.assigned_seconds) == 0


STEPS: list[Contract] = [
    queued(),
    offered(),
    rejected(),
    expired(),
    accepted(),
    assigned(),
    assigned("boris"),
    pended(),
    pended("third_party"),
    resolved(wrap_up_until=50),
    wrapped_up(),
    reopened(),
    wrote(1),
    replied(1),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(STEPS)), max_size=25))
def test_the_states_seconds_sum_to_the_time_since_opening(steps: list[tuple[int, Contract]]) -> None:
    clock, story = 0, []
    for wait, fact in steps:
        clock += wait
        story.append((clock, fact))
    beside = Beside()
    ticket = told(story, beside)  # type: ignore[arg-type]
    spent = (
        ticket.queued_seconds
        + ticket.offered_seconds
        + ticket.assigned_seconds
        + ticket.pending_customer_seconds
        + ticket.pending_third_party_seconds
        + ticket.snoozed_seconds
        + ticket.resolved_seconds
    )
    assert ticket.state_since is not None
    assert spent == (ticket.state_since - ticket.opened_at).total_seconds()
    open_rows = [row for row in beside.handlings.values() if row.ended_at is None]
    assert len(open_rows) == (1 if ticket.handling_since else 0)
    assert all(row.ended_at is None or row.ended_at >= row.started_at for row in beside.handlings.values())
