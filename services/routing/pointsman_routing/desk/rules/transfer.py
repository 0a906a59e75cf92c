"""Rule 14, transfer: to a queue, to an agent, or to whoever has certain skills.

To a queue or to skills the ticket waits again (`requeue`). To an agent it is assigned at once when they are available
with room, whatever their queues and skills: a person decided. An absent or full agent is refused (`no-room`), unless
the ticket may wait for them a stated time (`reserved`). Where a supervisor names the agent, it comes back to them after
a pause or a resolution too (rule 17).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketTransfer
from pointsman.contracts.desk import TicketTransferred
from pointsman.contracts.document.inactive import escaped
from pointsman.core.decision import Decision, refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import offers, requeue
from pointsman_routing.desk.state.capacity import has_room, lack_of_room, takes_offers
from pointsman_routing.desk.state.model import OPEN_STATES, SUPERVISING, Agent, Ticket
from pointsman_routing.desk.state.policy import NOTHING_NEEDED, Needs, needs, plain
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

WAIT_SECONDS_MAX = 604_800
LEVEL_MAX = 10


def transfer(desk: Desk, ticket: Ticket, command: TicketTransfer) -> Result:
    """Hands an open ticket on; `reason` is for whoever gets it."""
    if ticket.state not in OPEN_STATES:
        return wrong_state(ticket, "only an open ticket can be transferred")
    if [command.to_queue, command.to_agent, command.to_skills].count(None) != 2:
        return invalid("to names one of queue, agent and skills", "/to")
    if command.wait_seconds is not None and not 0 < command.wait_seconds <= WAIT_SECONDS_MAX:
        return invalid(f"wait_seconds must be from 1 to {WAIT_SECONDS_MAX}", "/wait_seconds")
    if command.to_queue is not None:
        refusal = _to_queue(desk, ticket, command, command.to_queue)
    elif command.to_skills is not None:
        refusal = _to_skills(desk, ticket, command, command.to_skills)
    else:
        refusal = _to_agent(desk, ticket, command, command.to_agent or "")
    return refusal or Answer(lambda: ticket_shape(ticket))


def _why_no_room(agent: Agent, ticket: Ticket) -> str:
    """What keeps an agent who has no room from the ticket, in words."""
    if agent.state != "available":
        return f"{agent.profile.name} is {agent.state}"
    if not takes_offers(agent, ticket.channel):
        return f"{agent.profile.name} takes no {ticket.channel} tickets now"
    return lack_of_room(agent, ticket)


def _to_queue(desk: Desk, ticket: Ticket, command: TicketTransfer, queue: str) -> Decision | None:
    if queue not in desk.policy.queues:
        return invalid(f"there is no queue {queue}", "/to/queue")
    before = ticket.labels.requires
    holder = requeue.let_go(desk, ticket, "the ticket is transferred")
    ticket.queue = queue
    _require(desk, ticket, _that_somebody_has(desk, ticket, queue))
    changed = ticket.labels.requires if ticket.labels.requires != before else None
    _say(desk, ticket, command, holder, requires=changed)
    requeue.wait_again(desk, ticket, "transferred", holder)
    return None


def _to_skills(desk: Desk, ticket: Ticket, command: TicketTransfer, skills: dict[str, int]) -> Decision | None:
    known = desk.policy.document.skills
    for skill, level in skills.items():
        if skill not in known:
            return invalid(f"there is no skill {skill}", f"/to/skills/{escaped(skill)}")
        if not 1 <= level <= LEVEL_MAX:
            return invalid(f"a level is from 1 to {LEVEL_MAX}", f"/to/skills/{escaped(skill)}")
    if not skills:
        return invalid("name at least one skill", "/to/skills")
    holder = requeue.let_go(desk, ticket, "the ticket is transferred")
    _require(desk, ticket, needs({**dict(_of_language(desk, ticket)), **skills}))
    _say(desk, ticket, command, holder, requires=ticket.labels.requires)
    requeue.wait_again(desk, ticket, "transferred", holder)
    return None


def _to_agent(desk: Desk, ticket: Ticket, command: TicketTransfer, slug: str) -> Decision | None:
    agent = desk.agents.get(slug)
    if agent is None:
        return invalid(f"there is no agent {slug}", "/to/agent")
    if not agent.profile.takes_tickets:
        return invalid(f"{slug} takes no tickets", "/to/agent")
    if ticket.agent == slug and ticket.state == "assigned":
        return invalid(f"{slug} holds the ticket already", "/to/agent")
    holder = requeue.let_go(desk, ticket, "the ticket is transferred")
    if command.actor.kind in SUPERVISING:
        ticket.entrusted_to = slug
    if has_room(agent, ticket):
        _say(desk, ticket, command, holder)
        offers.assign(desk, ticket, agent, command.actor, command.reason)
        return None
    if command.wait_seconds is None:
        return refuse(409, "no-room", _why_no_room(agent, ticket), agent=slug)
    until = desk.draft.now + timedelta(seconds=command.wait_seconds)
    _say(desk, ticket, command, holder, until=until)
    requeue.wait_again(desk, ticket, "transferred", holder if holder != slug else None, reserve=(slug, until))
    return None


def _that_somebody_has(desk: Desk, ticket: Ticket, queue: str) -> Needs:
    """What the ticket requires, if anybody of the queue has that; else its language's skill alone, else nothing: what a
    category needs in one queue must not strand the ticket in another."""
    serving = [pool for pool in desk.roster.pools.values() if queue in pool.ranks]
    for requires in (ticket.labels.requires, _of_language(desk, ticket)):
        if not serving or any(pool.holds(requires) for pool in serving):
            return requires
    return NOTHING_NEEDED


def _of_language(desk: Desk, ticket: Ticket) -> Needs:
    skill = desk.policy.document.language_skill(ticket.labels.language)
    return frozenset(need for need in ticket.labels.requires if need[0] == skill)


def _require(desk: Desk, ticket: Ticket, requires: Needs) -> None:
    ticket.labels = desk.shared(ticket.labels._replace(requires=requires))


def _say(
    desk: Desk,
    ticket: Ticket,
    command: TicketTransfer,
    holder: str | None,
    *,
    requires: Needs | None = None,
    until: Instant | None = None,
) -> None:
    fact = made(
        TicketTransferred,
        ticket_id=ticket.id,
        from_agent=holder,
        to_queue=command.to_queue,
        to_agent=command.to_agent,
        reserved_until=until,
        requires=None if requires is None else plain(requires),
        reason=command.reason,
        by=command.actor,
    )
    desk.say(ticket, fact, holder)
    if command.to_agent is not None:
        desk.say_to(ticket, command.to_agent)
