"""The reference: agents and tickets find one another by looking at all of them, in the words of rules 6, 8 and 9."""

from typing import Any

from pointsman_routing.desk.capacity import has_room
from pointsman_routing.desk.choice import Choice
from pointsman_routing.desk.desk import Desk
from pointsman_routing.desk.model import Agent, Ticket
from pointsman_routing.desk.order import order_key, slack_us


def can_take(desk: Desk, agent: Agent, ticket: Ticket) -> bool:
    """Whether the agent is eligible for the ticket and has room."""
    profile = agent.profile
    return (
        profile.takes_tickets
        and ticket.queue in profile.ranks
        and all(profile.skills.get(skill, 0) >= level for skill, level in ticket.labels.requires)
        and agent.slug not in (ticket.declined or {})
        and has_room(agent, ticket)
    )


class ScanMatcher:
    """A `Matcher` of cost O(tickets × agents)."""

    def agent_for(self, desk: Desk, ticket: Ticket) -> Choice | None:
        able = [agent for agent in desk.agents.values() if can_take(desk, agent, ticket)]
        if not able:
            return None
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
        return Choice(best, standing(best), ())

    def ticket_for(self, desk: Desk, agent: Agent) -> Ticket | None:
        heads: dict[str, Ticket] = {}
        for ticket in desk.tickets.values():
            if ticket.place is None or not can_take(desk, agent, ticket):
                continue
            queue = desk.policy.queues[ticket.queue]
            head = heads.get(ticket.queue)
            if head is None or (order_key(ticket, queue), ticket.id) < (order_key(head, queue), head.id):
                heads[ticket.queue] = ticket
        ranks = agent.profile.ranks
        return min(
            heads.values(),
            key=lambda ticket: (ranks[ticket.queue], slack_us(ticket, desk.policy.queues[ticket.queue]), ticket.id),
            default=None,
        )
