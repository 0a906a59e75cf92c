"""Queues: how many wait in each and since when, who could take a ticket of it now, and why one holds a ticket."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from pointsman.contracts.commands import QueueDepths
from pointsman.core.decision import Decision, refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import holding
from pointsman_routing.desk.state.model import Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def depths(desk: Desk, command: QueueDepths, now: Instant) -> Decision:
    """The answer to `GET /queues`: depth, oldest, offered, and who could take a ticket of it now."""
    if command.queue is not None and command.queue not in desk.policy.queues:
        return refuse(404, "not-found", f"there is no queue {command.queue}")
    wanted = [command.queue] if command.queue is not None else list(desk.policy.queues)
    offered = Counter(desk.tickets[offer.ticket_id].queue for offer in desk.offers.values())
    available: Counter[str] = Counter()
    for pool in desk.roster.pools.values():
        for queue in pool.ranks:
            available[queue] += max(pool.available.values())
    items = []
    for slug in wanted:
        heads = [group.oldest() for group in desk.waiting.groups.values() if group.queue == slug]
        since_held = [ticket.waiting_since for ticket in desk.held.get(slug, {}).values()]
        oldest = min((since for since in (*heads, *since_held) if since is not None), default=None)
        items.append(
            {
                **holding.queue_shape(desk, slug, now),
                "waiting": holding.waiting_count(desk, slug),
                "oldest_waiting_since": oldest,
                "offered": offered[slug],
                "eligible_now": available[slug],
                "order": desk.policy.queues[slug].order,
            }
        )
    return Decision(answer={"items": items})


def held_because(desk: Desk, ticket: Ticket) -> str:
    """Why a held ticket is not offered, for people."""
    closing = desk.closings.get(ticket.queue)
    if closing is not None and closing.state == "closed":
        ends = f" until {closing.until:%Y-%m-%d %H:%M} UTC" if closing.until else ""
        return f"It is held: the queue {ticket.queue} is closed{ends} ({closing.reason})."
    hours = desk.policy.hours.get(ticket.queue)
    until = hours.at(ticket.at)[1] if hours is not None else None
    return f"It is held: the queue {ticket.queue} is outside its hours{_opens(until)}."


def _opens(until: datetime | None) -> str:
    return f"; it opens on {until:%Y-%m-%d at %H:%M} UTC" if until else ""
