"""The reference: agents and tickets find one another by looking at all of them, in the words of rules 4, 6 and 8 to
11. It reads the workspace document, not what the desk compiled from it."""

from datetime import timedelta
from typing import Any

from pointsman.contracts.document.queues import LateShare
from pointsman.core.instant import Instant
from pointsman_routing.desk.state.capacity import has_room
from pointsman_routing.desk.state.desk import Choice, Desk
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import micros, order_key, since_us, slack_us, slope_of


def waited_seconds(desk: Desk, ticket: Ticket) -> float:
    """How long the ticket had waited when it last took its place: waiting changes what it needs by a cause of its
    own, the timer, which may be decided a moment after others of the same instant."""
    since = ticket.waiting_since or ticket.queued_at or ticket.opened_at
    waited = (desk.draft.now - since).total_seconds()
    if ticket.place is None:
        return waited
    stages = desk.policy.queues[ticket.queue].stages
    waited = max(waited, stages[ticket.stage].after_us / 1e6)
    return min(waited, stages[ticket.stage + 1].after_us / 1e6 - 1e-6) if ticket.stage + 1 < len(stages) else waited


def still_required(desk: Desk, ticket: Ticket) -> dict[str, int]:
    """What is left of the requirements after the relaxations that are due and those of ladders."""
    document = desk.policy.document
    required, waited = dict(ticket.labels.requires), waited_seconds(desk, ticket)
    if ticket.relaxed == "all":
        return {}
    if ticket.relaxed == "language":
        required.pop(document.language_skill(ticket.labels.language) or "", None)
    for step in document.queues[ticket.queue].relax:
        if step.after_seconds <= waited:
            if step.drop_language:
                required.pop(document.language_skill(ticket.labels.language) or "", None)
            for skill in step.drop:
                required.pop(skill, None)
            for skill, level in step.lower.items():
                if skill in required:
                    required[skill] = min(level, required[skill])
    return required


def rank_for(desk: Desk, agent: Agent, ticket: Ticket) -> int | None:
    """The lowest rank at which the agent serves the ticket: in its queue, one that it overflows to, or one that its
    escalations widened it to, as far as the rank has opened."""
    document, waited = desk.policy.document, waited_seconds(desk, ticket)
    if agent.slug not in document.agents:
        return None
    queue = document.queues[ticket.queue]
    lines = {ticket.queue, *ticket.wide, *(step.to for step in queue.overflow if step.after_seconds <= waited)}
    places = document.places_of(agent.slug)
    ranks = [places[line].rank for line in lines if line in places and places[line].after_seconds <= waited]
    return min(ranks, default=None)


def can_take(desk: Desk, agent: Agent, ticket: Ticket) -> bool:
    """Whether the agent is eligible for the ticket and has room."""
    profile = agent.profile
    return (
        profile.takes_tickets
        and rank_for(desk, agent, ticket) is not None
        and all(profile.skills.get(skill, 0) >= level for skill, level in still_required(desk, ticket).items())
        and agent.slug not in (ticket.declined or {})
        and has_room(agent, ticket)
    )


def preferred_by_affinity(desk: Desk, able: list[Agent], ticket: Ticket) -> Agent | None:
    """The ticket's last agent, the customer's owner or last agent, for a while after queueing."""
    assert ticket.queued_at is not None
    if desk.draft.now >= ticket.queued_at + desk.policy.channels[ticket.channel].affinity:
        return None
    for slug in (ticket.last_agent, *ticket.affine):
        for agent in able:
            if agent.slug == slug:
                return agent
    return None


def share_of_the_lost(desk: Desk, queue: str) -> float | None:
    """Which part of the queue's offers goes to those whose response has run out, if it sets them apart."""
    line = desk.policy.document.queues[queue]
    return line.late.share if line.order == "urgency" and isinstance(line.late, LateShare) else None


def lost_at(desk: Desk, ticket: Ticket) -> Instant:
    """When its earliest response runs out, else when it has waited as long as is meant."""
    running = [at for at in (ticket.first_breach_at, ticket.next_breach_at) if at is not None]
    since = ticket.waiting_since or ticket.queued_at or ticket.opened_at
    target = timedelta(seconds=desk.policy.document.queues[ticket.queue].wait_target_seconds)
    return min(running, default=since + target)


def lost(desk: Desk, ticket: Ticket) -> bool:
    """Whether the ticket can be saved no more, in a queue that sets such tickets apart."""
    return share_of_the_lost(desk, ticket.queue) is not None and lost_at(desk, ticket) < desk.draft.now


def turn_of_the_lost(desk: Desk, queue: str) -> bool:
    """Whether the share of the next offer makes their credit a whole offer."""
    share = share_of_the_lost(desk, queue)
    return share is not None and desk.late_credits.get(queue, 0) + round(share * 10_000) >= 10_000


class ScanMatcher:
    """A `Matcher` of cost O(tickets × agents)."""

    def agent_for(self, desk: Desk, ticket: Ticket) -> Choice | None:
        able = [agent for agent in desk.agents.values() if can_take(desk, agent, ticket)]
        if not able:
            return None
        near = preferred_by_affinity(desk, able, ticket)
        if near is not None:
            return Choice(near, by="affinity")
        mode = desk.policy.queues[ticket.queue].choice
        last = desk.round_robin.get(ticket.queue, "")

        def preferred(agent: Agent) -> int:
            return sum(agent.profile.skills.get(skill, 0) >= level for skill, level in ticket.labels.prefers)

        def share(agent: Agent) -> float:
            return agent.load / max(1, agent.profile.capacity)

        def standing(agent: Agent) -> tuple[int, ...]:
            if mode is None:
                return (-preferred(agent), len(agent.profile.skills))
            if mode == "best_skilled":
                return (-preferred(agent), -sum(agent.profile.skills.values()))
            return ()

        def turn(agent: Agent) -> tuple[Any, ...]:
            if mode in (None, "least_loaded"):
                return (share(agent), agent.idle_since, agent.slug)
            if mode == "round_robin":
                return (agent.slug <= last, agent.slug)
            return (agent.idle_since, agent.slug)

        best = min(able, key=lambda agent: (standing(agent), turn(agent)))
        return Choice(best, standing(best), (), "choice")

    def ticket_for(self, desk: Desk, agent: Agent) -> Ticket | None:
        heads: dict[tuple[str, int], Ticket] = {}
        for ticket in desk.tickets.values():
            if ticket.place is None or not can_take(desk, agent, ticket):
                continue
            rank = rank_for(desk, agent, ticket)
            assert rank is not None
            head = heads.get((ticket.queue, rank))
            if head is None or self._before(desk, ticket, head):
                heads[ticket.queue, rank] = ticket
        queues = desk.policy.queues
        best = min(
            heads.items(),
            key=lambda item: (
                item[0][1],
                lost(desk, item[1]) and not turn_of_the_lost(desk, item[1].queue),
                slack_us(item[1], queues[item[1].queue]),
                item[1].arrival,
            ),
            default=None,
        )
        return None if best is None else best[1]

    def sides_for(self, desk: Desk, agent: Agent, ticket: Ticket) -> tuple[frozenset[str], frozenset[str]]:
        own = rank_for(desk, agent, ticket)
        beside = [
            other
            for other in desk.tickets.values()
            if other.place is not None and can_take(desk, agent, other) and rank_for(desk, agent, other) == own
        ]
        in_time = frozenset(other.queue for other in beside if not lost(desk, other))
        return in_time, frozenset(other.queue for other in beside if lost(desk, other))

    def _before(self, desk: Desk, one: Ticket, other: Ticket) -> bool:
        """Whether one ticket goes before another of its queue."""
        queue = desk.policy.queues[one.queue]
        if lost(desk, one) != lost(desk, other):
            return lost(desk, one) == turn_of_the_lost(desk, one.queue)
        if lost(desk, one):
            return (lost_at(desk, one), one.arrival) < (lost_at(desk, other), other.arrival)
        if queue.order == "accumulating":
            now = micros(desk.draft.now)
            keys = [(-slope_of(each, queue) * (now - since_us(each)), each.arrival) for each in (one, other)]
        else:
            keys = [(order_key(each, queue), each.arrival) for each in (one, other)]
        return keys[0] < keys[1]
