"""Signals: the customer left, came back, is typing; the provider ended the conversation."""

from collections.abc import Sequence

from pointsman.contracts.requests import ConversationEnded, CustomerLeft, CustomerReturned, CustomerTyping
from pointsman.core.decision import Emission
from pointsman.runtime.logic import Database
from pointsman_intake.model import Signal, SignalKind

_TICKETS = """
SELECT t.workspace, t.connector, t.thread, t.ticket_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, thread)
JOIN thread t USING (workspace, connector, thread)
WHERE NOT t.closed
"""

_FACTS: dict[
    SignalKind, type[CustomerLeft] | type[CustomerReturned] | type[CustomerTyping] | type[ConversationEnded]
] = {
    "left": CustomerLeft,
    "returned": CustomerReturned,
    "typing": CustomerTyping,
    "ended": ConversationEnded,
}


async def take_signals(db: Database, signals: Sequence[Signal]) -> tuple[list[str | None], list[Emission]]:
    """The ticket of each signal (None: no open conversation, nothing is said) and the facts."""
    if not signals:
        return [], []
    keys = sorted({(signal.workspace, signal.connector, signal.thread) for signal in signals})
    rows = await db.fetch(_TICKETS, *map(list, zip(*keys, strict=True)))
    tickets = {(row[0], row[1], row[2]): row[3] for row in rows}
    found, emissions = [], []
    for signal in signals:
        ticket = tickets.get((signal.workspace, signal.connector, signal.thread))
        found.append(ticket)
        if ticket is not None:
            fact = _FACTS[signal.kind](
                ticket_id=ticket, connector=signal.connector, thread=signal.thread, occurred_at=signal.occurred_at
            )
            emissions.append(Emission(signal.workspace, ticket, signal.occurred_at, (fact,)))
    return found, emissions
