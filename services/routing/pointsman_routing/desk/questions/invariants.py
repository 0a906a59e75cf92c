"""What must hold of a desk between any two decisions, said of one ticket or one agent at a time.

Invariants 2 to 4 of ARCHITECTURE.md and what they stand on: one owner whom everybody agrees on, charges that add up, no
more than capacity, nobody who waits in vain, and timers that stand where the ticket says. Each costs what the indexes
cost, never a scan. The auditor asks this of the resident desk of production, the tests after each decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import holding
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.capacity import has_room
from pointsman_routing.desk.state.model import OPEN_STATES, Agent, Charge, Ticket
from pointsman_routing.desk.state.policy import WHOLE_SHARE, Profile

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

DOUBLE_OWNER, OVER_CAPACITY, WRONG_CHARGE, LIMBO, TIMER, ROW, STATE, QUEUE_GONE, UNTOLD = KINDS = (
    "double-owner",
    "over-capacity",
    "wrong-charge",
    "limbo",
    "timer",
    "row-differs",
    "state",
    "queue-gone",
    "untold",
)


class Violation(NamedTuple):
    """Something that must not be: `kind`, whom it is about, and in words. `since`: how long at least, if known."""

    kind: str
    ticket: str | None
    agent: str | None
    detail: str
    since: Instant | None = None


def owner_of(ticket: Ticket) -> str | None:
    """The agent whom it is offered to, or who holds it."""
    return ticket.offer.agent if ticket.offer is not None else ticket.agent


def of_ticket(desk: Desk, ticket: Ticket) -> Iterator[Violation]:
    """What is wrong with a ticket. The desk's draft names the instant (`Desk.begin`, or the auditor's own)."""
    if ticket.queue not in desk.policy.queues and ticket.state in OPEN_STATES:
        yield Violation(
            QUEUE_GONE, ticket.id, owner_of(ticket), f"it is {ticket.state} in {ticket.queue}, which is no more"
        )
        return
    yield from _owner(desk, ticket)
    yield from _state(desk, ticket)
    for kind, subject, due in kinds.timers_of(ticket):
        armed = desk.timers.armed_for(kind, (desk.workspace, subject))
        if armed != due:
            yield Violation(TIMER, ticket.id, None, f"the timer {kind} of {due} is armed for {armed}")
    if ticket.place is not None:
        choice = desk.matcher.agent_for(desk, ticket)
        if choice is not None:
            yield _in_vain(ticket, choice.agent)
    if ticket.held is not None and not holding.will_open(desk, ticket.queue):
        yield Violation(LIMBO, ticket.id, None, f"it is held, and nothing opens the queue {ticket.queue}", ticket.at)
    if ticket.reserved_for is not None:
        agent = desk.agents.get(ticket.reserved_for)
        if agent is None or ticket.id not in desk.reserved.get(ticket.reserved_for, ()):
            yield Violation(STATE, ticket.id, ticket.reserved_for, "it is reserved, and its agent does not know")
        elif has_room(agent, ticket):
            yield _in_vain(ticket, agent)


def of_agent(desk: Desk, agent: Agent) -> Iterator[Violation]:
    """What is wrong with an agent's hand, charges and room."""
    slug = agent.slug
    charged: list[Ticket] = []
    for id in agent.hand:
        ticket = desk.tickets.get(id)
        if ticket is None or owner_of(ticket) != slug:
            owner = None if ticket is None else owner_of(ticket)
            yield Violation(DOUBLE_OWNER, id, slug, f"in the hand of {slug}, while it is {owner or 'nobody'}'s")
            continue
        if (id in agent.shown) != (ticket.offer is not None):
            yield Violation(STATE, id, slug, f"{slug} is {'' if id in agent.shown else 'not '}shown it as offered")
        if ticket.charged:
            charged.append(ticket)
    load = sum(ticket.labels.weight for ticket in charged)
    counts = Counter(str(ticket.channel) for ticket in charged)
    if agent.load != load or counts != Counter({channel: count for channel, count in agent.counts.items() if count}):
        said = f"load {agent.load} and {agent.counts}, while what is charged adds up to {load} and {dict(counts)}"
        yield Violation(WRONG_CHARGE, None, slug, said)
    for excess in excesses(agent, agent.profile):
        yield Violation(OVER_CAPACITY, None, slug, excess.says)
    due = max(agent.sessions.values()) if agent.sessions else None
    armed = desk.timers.armed_for(kinds.LEASE, (desk.workspace, slug))
    if armed != due:
        yield Violation(TIMER, None, slug, f"the lease of {due} is armed for {armed}")
    waiting = desk.matcher.ticket_for(desk, agent)
    if waiting is not None:
        yield _in_vain(waiting, agent)


def overdue(desk: Desk, now: Instant, patience: timedelta, count_max: int) -> Iterator[Violation]:
    """Timers of this workspace that should have fired long ago; of the lane's earliest `count_max` a kind."""
    for kind in kinds.KINDS:
        for timer in desk.timers.due(kind, now - patience, count_max):
            if timer.workspace == desk.workspace:
                ticket = timer.subject if timer.subject in desk.tickets else None
                agent = timer.subject if timer.subject in desk.agents else None
                said = f"the timer {kind} of {timer.subject} is due since {timer.due}"
                yield Violation(TIMER, ticket, agent, said, timer.due)


def unexplained(desk: Desk) -> Iterator[Violation]:
    """Tickets whose version changed in a decision that said nothing of them, since the desk is resident."""
    for id, version, at in desk.unexplained:
        yield Violation(UNTOLD, id, None, f"its version {version} came without a fact", at)


def credits(desk: Desk) -> Iterator[Violation]:
    """What the overdue of a queue have of its next offer is less than an offer, and only where they have a share."""
    for queue, credit in desk.late_credits.items():
        if queue not in desk.policy.sharing or not 0 <= credit < WHOLE_SHARE:
            yield Violation(STATE, None, None, f"the overdue of the queue {queue} have a credit of {credit}")


class Excess(NamedTuple):
    """More than a profile allows: by which limit, of which channel's tickets (None: of all), and in words."""

    limit: Literal["capacity", "caps", "reserve"]
    channel: str | None
    says: str


def excesses(agent: Agent, profile: Profile) -> Iterator[Excess]:
    """How the agent has more than this profile allows: capacity, caps, or what others' reserves leave."""
    if agent.load > profile.capacity:
        yield Excess("capacity", None, f"has {agent.load} of {profile.capacity} units")
    for channel, count in agent.counts.items():
        cap = profile.caps.get(channel)
        if cap is not None and count > cap:
            yield Excess("caps", channel, f"has {count} tickets of {channel}, at most {cap} are allowed")
    for channel, units in agent.units.items():
        reserved = sum(kept for other, kept in profile.reserve.items() if other != channel)
        if reserved and units and units > max(0, profile.capacity - reserved):
            said = f"has {units} units of {channel}, while {reserved} of {profile.capacity} are kept for others"
            yield Excess("reserve", channel, said)


def suspects(desk: Desk, agent: Agent) -> Iterator[tuple[Excess, Charge]]:
    """What exceeds the agent's limits, with the newest charge of it, unless a person made that one by name. If the
    version of that charge allowed all of it (`was_within`), the limit was lowered since; else the router did wrong.
    Charges that were made before they were dated say nothing."""
    for excess in excesses(agent, agent.profile):
        tickets = (desk.tickets[id] for id in agent.hand if id in desk.tickets)
        of_it = [each.charge for each in tickets if each.charge and excess.channel in (None, each.channel)]
        newest = max(of_it, default=None)
        if newest is not None and not newest.override:
            yield excess, newest


def was_within(agent: Agent, excess: Excess, profile: Profile | None) -> bool:
    """Whether a former profile allowed what exceeds the present one."""
    return profile is not None and all(then[:2] != excess[:2] for then in excesses(agent, profile))


def _in_vain(ticket: Ticket, agent: Agent) -> Violation:
    return Violation(LIMBO, ticket.id, agent.slug, f"waits while {agent.slug} has room for it", ticket.at)


def _owner(desk: Desk, ticket: Ticket) -> Iterator[Violation]:
    slug = owner_of(ticket)
    if slug is not None:
        agent = desk.agents.get(slug)
        if agent is None or ticket.id not in agent.hand:
            yield Violation(DOUBLE_OWNER, ticket.id, slug, f"it is {slug}'s, but not in the hand of {slug}")
    elif ticket.charged:
        yield Violation(WRONG_CHARGE, ticket.id, None, "it is charged to nobody")
    if ticket.offer is not None and desk.offers.get(ticket.offer.id) is not ticket.offer:
        yield Violation(STATE, ticket.id, slug, f"its offer {ticket.offer.id} is none of the pending ones")


def _state(desk: Desk, ticket: Ticket) -> Iterator[Violation]:
    """What its state says of the rest of it."""
    state = ticket.state
    waits = [
        said
        for said, does in (
            ("a place in the queue", ticket.place is not None),
            ("a reason to be held back", ticket.held is not None),
            ("an agent whom it is reserved for", ticket.reserved_for is not None),
        )
        if does
    ]
    wrong = None
    if (state == "offered") != (ticket.offer is not None):
        wrong = "an offer"
    elif state == "assigned" and (ticket.agent is None or not ticket.charged):
        wrong = f"the holder {ticket.agent}, {'' if ticket.charged else 'not '}charged"
    elif len(waits) != (state == "queued"):
        wrong = " and ".join(waits) or "no place in the queue"
    elif (state == "assigned") != (ticket.assigned_at is not None):
        wrong = f"been assigned at {ticket.assigned_at}"
    elif (ticket.held is not None) != (ticket.id in desk.held.get(ticket.queue, {})):
        wrong = f"{'a' if ticket.held else 'no'} reason to be held back, other than its queue knows"
    elif (state in ("pending", "snoozed")) != (ticket.pause is not None):
        wrong = f"{'a' if ticket.pause else 'no'} pause"
    elif state not in OPEN_STATES and ticket.agent is not None and not ticket.in_wrap_up:
        wrong = f"the holder {ticket.agent}"
    elif state == "queued" and ticket.waiting_since is None:
        wrong = "no instant since which it waits"
    if wrong is not None:
        yield Violation(STATE, ticket.id, owner_of(ticket), f"it is {state} and has {wrong}")
    if ticket.place is not None and not desk.waiting.stands_right(ticket):
        yield Violation(STATE, ticket.id, None, "it stands in a wrong place in its queue")
