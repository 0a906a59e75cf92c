"""Which facts are events: what `GET /events` lists and webhooks send (API.md). The other facts stay inside."""

EVENT_TYPES: tuple[str, ...] = (
    *(f"message.{each}" for each in ("received", "changed", "delivered", "failed")),
    *("ticket.opened", "ticket.classified", "ticket.labelled", "ticket.queued", "ticket.assigned", "ticket.replied"),
    *("ticket.noted", "ticket.pended", "ticket.snoozed", "ticket.woken", "ticket.transferred", "ticket.moved"),
    *(
        "ticket.escalated",
        "ticket.resolved",
        "ticket.wrap_up_finished",
        "ticket.reopened",
        "ticket.closed",
        "ticket.merged",
    ),
    *("ticket.split", "ticket.customer_left"),
    *(f"offer.{each}" for each in ("made", "accepted", "rejected", "expired", "rescinded")),
    "agent.presence_changed",
    "queue.closed",
    "queue.opened",
    "config.applied",
    "token.revoked",
    *("clock.started", "clock.paused", "clock.resumed", "clock.met", "clock.warned", "clock.breached"),
    *("clock.cancelled", "clock.corrected", "clock.restated", "clock.escalated", "clocks.recomputed"),
    *(f"alert.{each}" for each in ("opened", "acknowledged", "silenced", "resolved", "exhausted")),
)

UNTOLD_TYPES = frozenset({"token.issued"})
"""Facts that are no events: who may do what is listed by `GET /tokens` to those who may see it."""

UNTOLD_FIELDS = frozenset({"type", "version", "document"})
"""Of an event's data. `document`: `GET /config` answers it to who may read it."""
