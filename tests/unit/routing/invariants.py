"""What must hold of a desk after every decision (DESIGN §7, invariants 2, 3 and 4): the checks of the auditor in
production, and the plain scan that its indexes must agree with."""

from collections.abc import Mapping
from itertools import chain

from pointsman_routing.desk.questions import invariants
from pointsman_routing.desk.questions.invariants import OVER_CAPACITY
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.order import micros
from pointsman_routing.desk.state.policy import Policy
from tests.unit.routing.reference import can_take, lost


def assert_sound(desk: Desk) -> None:
    """Raises `AssertionError` with what is broken."""
    of_tickets = (invariants.of_ticket(desk, ticket) for ticket in desk.tickets.values())
    of_agents = (invariants.of_agent(desk, agent) for agent in desk.agents.values())
    found = [each for each in chain(*of_tickets, *of_agents) if each.kind != OVER_CAPACITY]
    assert not found, found
    assert {offer.ticket_id for offer in desk.offers.values()} == {t.id for t in desk.tickets.values() if t.offer}
    _nobody_waits_in_vain(desk)
    assert list(invariants.credits(desk)) == []
    for queue in desk.policy.sharing:
        waiting = [ticket for ticket in desk.tickets.values() if ticket.place is not None and ticket.queue == queue]
        told = desk.waiting.any_overdue(queue, micros(desk.draft.now))
        assert told == any(lost(desk, ticket) for ticket in waiting), f"who is overdue in {queue}"
    for queue, tickets in desk.held.items():
        assert all(desk.tickets[id] is ticket for id, ticket in tickets.items()), f"{queue} holds what is not there"


def assert_within_capacity(desk: Desk, policies: Mapping[int, Policy]) -> None:
    """Whatever is above a limit was put there by a supervisor, or before a version lowered the limit. `policies` are
    all versions so far."""
    for agent in desk.agents.values():
        for excess, charge in invariants.suspects(desk, agent):
            then = policies[charge.config_version].profiles.get(agent.slug)
            assert charge.config_version != desk.policy.version, (agent.slug, excess)
            assert invariants.was_within(agent, excess, then), (agent.slug, excess, charge)


def _nobody_waits_in_vain(desk: Desk) -> None:
    """Invariant 4: no ticket waits for which an eligible agent has room."""
    for ticket in desk.tickets.values():
        if ticket.place is not None:
            able = [agent.slug for agent in desk.agents.values() if can_take(desk, agent, ticket)]
            assert not able, f"{ticket.id} waits while {able} have room"
    reserved = sorted(id for ids in desk.reserved.values() for id in ids)
    assert reserved == sorted(ticket.id for ticket in desk.tickets.values() if ticket.reserved_for)
