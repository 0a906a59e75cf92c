"""Facts, tickets and policies with defaults for tests of clocks; times are minutes after Monday 2026-11-23 09:00."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pointsman.contracts import desk
from pointsman.contracts.shapes import Actor, Author, Customer
from pointsman.core.instant import Instant
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.firing import fired
from pointsman_sla.clocks.lifecycle import advance
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.clocks.policy import Book, part_of, read_book
from pointsman_sla.micros import instant, micros

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
OFFICE = {"tz": "UTC", "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
ANNA = Actor(kind="agent", id="anna")
CUSTOMER = Author(kind="customer", id="c1")


def minute(minutes: float) -> Instant:
    return MONDAY + timedelta(minutes=minutes)


def a_policy(**changes: Any) -> dict[str, Any]:
    return {
        "name": "standard",
        "calendar": "office",
        "targets": {
            "first_response": {"default": 3600, "urgent": 600},
            "next_response": {"default": 7200},
            "resolution": {"default": 28800},
        },
        "pause_on": {"resolution": ["customer", "third_party", "snoozed"]},
        "warn": {"shares": [0.5], "lead_seconds": [60]},
        **changes,
    }


def a_document(*policies: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "workspace": "acme",
        "timezone": "UTC",
        "calendars": {"office": OFFICE},
        "sla": {"policies": list(policies) or [a_policy()]},
        **changes,
    }


def a_book(*policies: dict[str, Any]) -> Book:
    return read_book(1, part_of(a_document(*policies)))


def opened(at: float = 0, *, ticket: str = "tkt_1", **changes: Any) -> list[Any]:
    """A ticket's opening record: opened, classified, queued."""
    labels = {
        "language": "en",
        "category": "other",
        "priority": changes.pop("priority", "normal"),
        "queue": changes.pop("queue", "general"),
        "tags": changes.pop("tags", ()),
    }
    tier = changes.pop("tier", None)
    fields = {
        "ticket_id": ticket,
        "channel": "email",
        "connector": "support-mail",
        "thread": "t1",
        "customer": Customer(id="c1", tier=tier),
        "opened_at": minute(at),
        "message_id": "msg_1",
        "config_version": 1,
        **changes,
    }
    return [
        desk.TicketOpened(**fields),
        desk.TicketClassified(ticket_id=ticket, **labels),
        desk.TicketQueued(ticket_id=ticket, queue=labels["queue"], reason="opened", waiting_since=minute(at)),
    ]


def wrote(at: float, **changes: Any) -> Any:
    fields = {"ticket_id": "tkt_1", "message_id": f"msg_{at}", "author": CUSTOMER, **changes}
    return desk.InboundNoted(occurred_at=changes.pop("occurred_at", minute(at)), received_at=minute(at),
                             **{k: v for k, v in fields.items() if k != "occurred_at"})  # fmt: skip


def answered(at: float, *, kind: Any = "agent") -> Any:
    return desk.TicketReplied(
        ticket_id="tkt_1",
        message_id=f"rep_{at}",
        author=Author(kind=kind, id="anna"),
        text="…",
        connector="support-mail",
        channel="email",
        thread="t1",
        customer=Customer(id="c1"),
        occurred_at=minute(at),
    )


def elsewhere(wrote_at: float) -> Any:
    """An answer that an agent wrote in the provider's own app."""
    return wrote(0, message_id=f"own_{wrote_at}", author=Author(kind="agent", id="anna"), occurred_at=minute(wrote_at))


def queued(queue: str = "general", reason: str = "requeued") -> Any:
    return desk.TicketQueued(ticket_id="tkt_1", queue=queue, reason=reason, waiting_since=MONDAY)


def assigned(agent: str = "anna", queue: str = "general") -> Any:
    return desk.TicketAssigned(ticket_id="tkt_1", agent=agent, queue=queue, weight=1, by=ANNA)


def pended(on: Any = "customer") -> Any:
    return desk.TicketPended(ticket_id="tkt_1", agent="anna", waiting_on=on, by=ANNA)


def snoozed() -> Any:
    return desk.TicketSnoozed(ticket_id="tkt_1", agent="anna", until=minute(600), by=ANNA)


def woken() -> Any:
    return desk.TicketWoken(ticket_id="tkt_1", reason="message")


def resolved(outcome: Any = "solved") -> Any:
    return desk.TicketResolved(ticket_id="tkt_1", outcome=outcome, by=ANNA)


def reopened() -> Any:
    return desk.TicketReopened(ticket_id="tkt_1", reason="message", by=ANNA)


def closed(merged_into: str | None = None) -> Any:
    return desk.TicketClosed(ticket_id="tkt_1", merged_into=merged_into)


def merged(unanswered_since: float | None, *, into: str | None = None) -> Any:
    source = None if into else "tkt_2"
    since = None if unanswered_since is None else minute(unanswered_since)
    return desk.TicketMerged(
        ticket_id="tkt_1", into=into, source=source, unanswered_since=since, reason="the same", by=ANNA
    )


def split(unanswered_since: float | None) -> Any:
    since = None if unanswered_since is None else minute(unanswered_since)
    return desk.TicketSplit(
        ticket_id="tkt_1", into="tkt_2", message_ids=("msg_1",), unanswered_since=since, reason="another", by=ANNA
    )


def labelled(priority: Any = "normal", *, tags: tuple[str, ...] = ()) -> Any:
    return desk.TicketLabelled(
        ticket_id="tkt_1", language="en", category="other", priority=priority, tags=tags, by=ANNA
    )


class Story:
    """A ticket's history told fact by fact: `tell(minute, facts…)`. `facts` are all that were emitted."""

    def __init__(self, *policies: dict[str, Any], book: Book | None = None) -> None:
        self.book = book or a_book(*policies)
        self.ticket: Ticket | None = None
        self.facts: list[Any] = []
        self.course: Course | None = None
        self.last: list[Any] = []

    def tell(self, at: float, *bodies: Any) -> "Story":
        self.course = advance(self.ticket, "acme", bodies, minute(at), lambda version: self.book)
        assert self.course is not None
        self.ticket = self.course.finished()
        self.last = self.course.facts
        self.facts += self.course.facts
        return self

    def clock(self, metric: Any) -> Clock:
        assert self.ticket is not None
        return self.ticket.clocks[metric]

    def types(self, metric: str | None = None) -> list[str]:
        """The types of the facts told last, of one metric or all."""
        return [fact.type for fact in self.last if metric is None or fact.metric == metric]

    def fact(self, type: str, metric: str) -> Any:
        """The fact of this type and metric among those told last."""
        return next(fact for fact in self.last if (fact.type, fact.metric) == (type, metric))

    def fire(self, metric: Any, at: float) -> "Story":
        """The clock's next point comes, as the timer engine lets it."""
        assert self.ticket is not None
        clock, fact = fired(self.clock(metric), "tkt_1", None, micros(minute(at)))
        self.ticket.clocks[metric] = clock  # type: ignore[index]
        self.facts.append(fact)
        self.last = [fact]
        return self


def minutes_of(at: int) -> float:
    """Minutes after Monday 09:00."""
    return (instant(at) - MONDAY).total_seconds() / 60
