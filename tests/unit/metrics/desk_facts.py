"""Builders: the facts of one ticket, in the order and at the seconds that a test says."""

from typing import Any

from pointsman.contracts import desk
from pointsman.contracts.base import Contract
from pointsman.contracts.shapes import Actor, Author, Customer
from pointsman.core.cause import RecordCause
from pointsman.core.instant import Instant, after, parse_rfc3339
from pointsman_metrics.fold.desk_rules import fold_ticket, open_ticket
from pointsman_metrics.fold.ticket import Beside, Ticket

START = parse_rfc3339("2026-03-02T09:00:00Z")
ANNA = Actor(kind="agent", id="anna")
CUSTOMER = Author(kind="customer", id="cus_1")


def at(seconds: float) -> Instant:
    return after(START, seconds)


def opened(ticket_id: str = "tkt_1", **changes: Any) -> desk.TicketOpened:
    fields: dict[str, Any] = {
        "ticket_id": ticket_id,
        "channel": "email",
        "connector": "mail",
        "thread": "t1",
        "customer": Customer(id="cus_1", tier="vip"),
        "opened_at": START,
        "message_id": "msg_1",
        "config_version": 1,
    }
    return desk.TicketOpened(**{**fields, **changes})


def wrote(seconds: float, author: Author = CUSTOMER, message_id: str = "msg_2", **changes: Any) -> desk.InboundNoted:
    return desk.InboundNoted(
        ticket_id="tkt_1",
        message_id=message_id,
        author=author,
        occurred_at=at(seconds),
        received_at=at(seconds),
        **changes,
    )


def classified(**changes: Any) -> desk.TicketClassified:
    fields: dict[str, Any] = {
        "ticket_id": "tkt_1",
        "language": "it",
        "category": "refund",
        "priority": "high",
        "queue": "billing",
        "requires": {"billing": 3},
    }
    return desk.TicketClassified(**{**fields, **changes})


def queued(since: float = 0, **changes: Any) -> desk.TicketQueued:
    fields: dict[str, Any] = {"ticket_id": "tkt_1", "queue": "billing", "reason": "opened", "waiting_since": at(since)}
    return desk.TicketQueued(**{**fields, **changes})


def offered(agent: str = "anna", offer_id: str = "off_1") -> desk.OfferMade:
    return desk.OfferMade(
        ticket_id="tkt_1", offer_id=offer_id, agent=agent, queue="billing", weight=1, expires_at=at(900), reason="free"
    )


def rejected(agent: str = "anna", offer_id: str = "off_1") -> desk.OfferRejected:
    return desk.OfferRejected(ticket_id="tkt_1", offer_id=offer_id, agent=agent)


def expired(agent: str = "anna", offer_id: str = "off_1") -> desk.OfferExpired:
    return desk.OfferExpired(ticket_id="tkt_1", offer_id=offer_id, agent=agent)


def accepted(agent: str = "anna", offer_id: str = "off_1") -> desk.OfferAccepted:
    return desk.OfferAccepted(ticket_id="tkt_1", offer_id=offer_id, agent=agent)


def assigned(agent: str = "anna", ticket_id: str = "tkt_1") -> desk.TicketAssigned:
    return desk.TicketAssigned(ticket_id=ticket_id, agent=agent, queue="billing", weight=1, by=ANNA)


def replied(seconds: float, author: str = "agent", message_id: str = "msg_r1", **changes: Any) -> desk.TicketReplied:
    fields: dict[str, Any] = {
        "ticket_id": "tkt_1",
        "message_id": message_id,
        "author": Author(kind=author, id="anna"),
        "text": "Done.",
        "connector": "mail",
        "channel": "email",
        "thread": "t1",
        "customer": Customer(id="cus_1"),
        "occurred_at": at(seconds),
    }
    return desk.TicketReplied(**{**fields, **changes})


def pended(waiting_on: str = "customer") -> desk.TicketPended:
    return desk.TicketPended.model_validate(
        {"ticket_id": "tkt_1", "agent": "anna", "waiting_on": waiting_on, "by": ANNA}
    )


def resolved(wrap_up_until: float | None = None, ticket_id: str = "tkt_1", **changes: Any) -> desk.TicketResolved:
    fields: dict[str, Any] = {
        "ticket_id": ticket_id,
        "outcome": "solved",
        "agent": "anna",
        "by": ANNA,
        "wrap_up_until": None if wrap_up_until is None else at(wrap_up_until),
    }
    return desk.TicketResolved(**{**fields, **changes})


def wrapped_up() -> desk.WrapUpFinished:
    return desk.WrapUpFinished(ticket_id="tkt_1", agent="anna", by=ANNA)


def reopened() -> desk.TicketReopened:
    return desk.TicketReopened(ticket_id="tkt_1", reason="message", by=Actor(kind="customer", id="cus_1"))


def record(
    seconds: float, *facts: Contract, id: str = "evt_1", workspace: str = "acme", topic: str = "desk"
) -> RecordCause:
    """The facts as one record, decided at `seconds`."""
    return RecordCause(id=id, topic=topic, workspace=workspace, subject="tkt_1", at=at(seconds), bodies=facts)


Story = list[tuple[float, Contract]]


def told(story: Story, beside: Beside | None = None) -> Ticket:
    """The ticket after its opening and the facts of the story, each at its second."""
    beside = Beside() if beside is None else beside
    ticket = open_ticket("acme", opened(), beside)
    for seconds, fact in story:
        fold_ticket(ticket, fact, at(seconds), beside, {"anna": "rome"}.get)
    return ticket
