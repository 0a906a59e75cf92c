"""What must hold of a desk after every decision (DESIGN §7, invariants 2, 3 and 4)."""

from collections import Counter

from pointsman_routing.desk.capacity import has_room
from pointsman_routing.desk.desk import Desk
from pointsman_routing.desk.model import OPEN_STATES
from tests.unit.routing.reference import can_take


def assert_sound(desk: Desk) -> None:
    """Raises `AssertionError` with what is broken."""
    _one_owner(desk)
    _charges(desk)
    _nobody_waits_in_vain(desk)
    _held_will_be_released(desk)


def _one_owner(desk: Desk) -> None:
    """Invariant 2: at most one live offer or assignment, and everybody agrees on whose."""
    owners: Counter[str] = Counter()
    for agent in desk.agents.values():
        for id in agent.hand:
            ticket = desk.tickets[id]
            owners[id] += 1
            assert agent.slug in (ticket.agent, ticket.offer and ticket.offer.agent), f"{agent.slug} has {id}"
            assert (id in agent.shown) == (ticket.offer is not None), f"{id} shown to {agent.slug}"
    for ticket in desk.tickets.values():
        owner = ticket.offer.agent if ticket.offer else ticket.agent
        assert owners[ticket.id] == (owner is not None), f"{ticket.id} of {owner} is in {owners[ticket.id]} hands"
        assert (ticket.state == "offered") == (ticket.offer is not None), ticket
        assert ticket.state != "assigned" or (ticket.agent is not None and ticket.charged), ticket
        held = ticket.held is not None
        assert not (held and ticket.place is not None), f"{ticket.id} is held, and stands in the index"
        assert held == (ticket.id in desk.held.get(ticket.queue, {})), f"{ticket.id} is held in another queue"
        waits = (ticket.place is not None) + held + (ticket.reserved_for is not None)
        assert waits == (ticket.state == "queued"), ticket
        assert (ticket.state == "assigned") == (ticket.assigned_at is not None), ticket
        assert (ticket.state in ("pending", "snoozed")) == (ticket.pause is not None), ticket
        assert ticket.state in OPEN_STATES or ticket.agent is None or ticket.in_wrap_up, ticket
        assert ticket.state != "queued" or ticket.waiting_since is not None, ticket
        if ticket.place is not None:
            assert desk.waiting.stands_right(ticket), f"{ticket.id} stands in a wrong place"
    assert {offer.ticket_id for offer in desk.offers.values()} == {t.id for t in desk.tickets.values() if t.offer}


def _charges(desk: Desk) -> None:
    """Invariant 3: load is what is charged, and never above capacity, caps and others' reserves."""
    for agent in desk.agents.values():
        charged = [desk.tickets[id] for id in agent.hand if desk.tickets[id].charged]
        assert agent.load == sum(ticket.labels.weight for ticket in charged), agent.slug
        counts = Counter(ticket.channel for ticket in charged)
        assert counts == Counter({c: n for c, n in agent.counts.items() if n}), agent.slug
    for ticket in desk.tickets.values():
        assert not ticket.charged or ticket.offer or ticket.agent, f"{ticket.id} charges nobody"


def assert_within_capacity(desk: Desk) -> None:
    """The router's own doing never exceeds capacity; holds as long as no configuration lowered it."""
    for agent in desk.agents.values():
        profile = agent.profile
        assert agent.load <= profile.capacity, f"{agent.slug} has {agent.load} of {profile.capacity}"
        for channel, cap in profile.caps.items():
            assert agent.counts.get(channel, 0) <= cap, f"{agent.slug} has more than {cap} {channel}"
        for channel in ("email", "chat", "social"):
            reserved = sum(units for other, units in profile.reserve.items() if other != channel)
            assert agent.units.get(channel, 0) <= max(0, profile.capacity - reserved), f"{agent.slug}: {channel}"


def _nobody_waits_in_vain(desk: Desk) -> None:
    """Invariant 4: no ticket waits for which an eligible agent has room."""
    for ticket in desk.tickets.values():
        if ticket.place is not None:
            able = [agent.slug for agent in desk.agents.values() if can_take(desk, agent, ticket)]
            assert not able, f"{ticket.id} waits while {able} have room"
        if ticket.reserved_for is not None:
            assert ticket.id in desk.reserved[ticket.reserved_for], f"{ticket.id} waits for {ticket.reserved_for}"
            agent = desk.agents[ticket.reserved_for]
            assert not has_room(agent, ticket), f"{ticket.id} waits for {agent.slug}, who has room"
    reserved = sorted(id for ids in desk.reserved.values() for id in ids)
    assert reserved == sorted(ticket.id for ticket in desk.tickets.values() if ticket.reserved_for)


def _held_will_be_released(desk: Desk) -> None:
    """Held tickets are no limbo: their queue is shut, and a timer opens it unless only a supervisor can."""
    armed = {subject for kind, subject, _ in desk.timers.armed(desk.workspace) if kind == "opening"}
    for queue, tickets in desk.held.items():
        assert all(desk.tickets[id] is ticket for id, ticket in tickets.items()), "held, and not there"
        closing, hours = desk.closings.get(queue), desk.policy.hours.get(queue)
        if tickets:
            assert closing is not None or hours is not None, f"{queue} is open and holds tickets"
            assert queue in armed or (closing is not None and closing.until is None) or _never_opens(desk, queue)


def _never_opens(desk: Desk, queue: str) -> bool:
    hours = desk.policy.hours.get(queue)
    return hours is not None and hours.at(desk.draft.now)[1] is None
