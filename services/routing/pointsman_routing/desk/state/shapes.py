"""The shapes of API.md, as answers to commands have them. Instants are `datetime`s; the runtime writes them as JSON."""

from __future__ import annotations

from typing import Any

from pointsman_routing.desk.state.model import Offer, Ticket
from pointsman_routing.desk.state.policy import plain


def ticket_shape(ticket: Ticket) -> dict[str, Any]:
    """API.md: ticket."""
    labels, pause = ticket.labels, ticket.pause
    return {
        "id": ticket.id,
        "version": ticket.version,
        "state": ticket.state,
        "waiting_on": pause.waiting_on if pause else None,
        "outcome": ticket.outcome,
        "channel": ticket.channel,
        "connector": ticket.connector,
        "subject": ticket.subject,
        "customer": {"id": ticket.customer_id, "name": ticket.customer_name, "tier": ticket.customer_tier},
        "category": labels.category,
        "priority": labels.priority,
        "boost": ticket.boost,
        "language": labels.language,
        "tags": list(labels.tags),
        "queue": ticket.queue,
        "requires": plain(labels.requires),
        "prefers": plain(labels.prefers),
        "agent": ticket.agent,
        "opened_at": ticket.opened_at,
        "waiting_since": ticket.waiting_since,
        "escalated_at": ticket.escalated_at,
        "resolved_at": ticket.resolved_at,
        "last_message_id": ticket.last_message_id,
        "follow_up_of": ticket.follow_up_of,
        "merged_into": ticket.merged_into,
        "wrap_up_until": ticket.wrap_up_until,
        "held": ticket.held,
        "config_version": ticket.config_version,
    }


def offer_shape(offer: Offer, state: str, ticket: dict[str, Any]) -> dict[str, Any]:
    """API.md: offer, after it ended."""
    return {
        "id": offer.id,
        "ticket": ticket,
        "agent": offer.agent,
        "state": state,
        "reason": offer.reason,
        "weight": offer.weight,
        "offered_at": offer.offered_at,
        "expires_at": offer.expires_at,
        "expires_in_seconds": 0.0,
    }
