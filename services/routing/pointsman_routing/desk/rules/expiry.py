"""Rule 4, expiry: an offer that nobody answers makes the agent away, and no heartbeat makes them available again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.desk import OfferExpired
from pointsman.core.cause import TimerCause
from pointsman_routing.desk.rules import offers, presence
from pointsman_routing.desk.state.result import Result

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def expire(desk: Desk, cause: TimerCause) -> Result:
    """The offer's deadline passed unanswered. The ticket goes on to others; the agent counts as having declined."""
    offer = desk.offers[cause.subject]
    ticket, agent = desk.tickets[offer.ticket_id], desk.agents[offer.agent]
    desk.edit(ticket)
    offers.end(desk, ticket, offer, "expired", None)
    desk.say(ticket, made(OfferExpired, ticket_id=ticket.id, offer_id=offer.id, agent=offer.agent), offer.agent)
    if desk.policy.away_on_expiry:
        presence.change(desk, agent, "away", "expiry", "offer expired", agent.channels)
    offers.fail(desk, ticket, offer, "expired")
    return None
