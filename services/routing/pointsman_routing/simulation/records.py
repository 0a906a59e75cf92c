"""Records as intake and sla write them, of what happens to simulated customers. The values are the simulation's own, so
nothing is validated."""

from pointsman.contracts.base import made
from pointsman.contracts.requests import CustomerLeft, CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author
from pointsman.contracts.sla import ClockStarted
from pointsman.core.cause import RecordCause
from pointsman.core.instant import Instant
from pointsman_routing.simulation.plan import Kind


def message(workspace: str, kind: Kind, ticket: str, customer: str, now: Instant) -> RecordCause:
    """A customer's first message."""
    received = made(
        MessageReceived,
        message_id=ticket,
        ticket_id=ticket,
        thread_number=1,
        opens=True,
        connector=kind.slug,
        channel=kind.channel,
        external_id=ticket,
        thread=ticket,
        author=made(Author, kind="customer", id=customer),
        customer=made(CustomerSeen, id=customer),
        occurred_at=now,
        received_at=now,
    )
    return RecordCause(ticket, "requests", workspace, ticket, now, (received,))


def left(workspace: str, connector: str, ticket: str, now: Instant) -> RecordCause:
    """The customer is gone."""
    fact = made(CustomerLeft, ticket_id=ticket, connector=connector, thread=ticket, occurred_at=now)
    return RecordCause(f"left-{ticket}", "requests", workspace, ticket, now, (fact,))


def first_response_clock(workspace: str, ticket: str, now: Instant, late_at: Instant) -> RecordCause:
    """The clock of the first response runs."""
    clock = made(
        ClockStarted,
        clock_id=ticket,
        ticket_id=ticket,
        metric="first_response",
        cycle=1,
        policy="promise",
        calendar="always",
        config_version=1,
        target_seconds=int((late_at - now).total_seconds()),
        started_at=now,
        due_at=late_at,
        breach_at=late_at,
    )
    return RecordCause(f"clock-{ticket}", "sla", workspace, ticket, now, (clock,))
