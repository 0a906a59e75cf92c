"""A lane's resident state: the tickets touched lately, the near timers, the open alerts, the configuration versions."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.alerts.items import Item
from pointsman_sla.alerts.model import Alert
from pointsman_sla.alerts.silences import SilenceBook
from pointsman_sla.canary import Canary
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.clocks.policy import Book
from pointsman_sla.job import Jobs
from pointsman_sla.near_timers import Near, NearTimer
from pointsman_sla.predict.observations import Notes

RESIDENT_TICKETS_MAX = 10_000
"""How many tickets a lane keeps in memory; the lane is their only writer, so that a kept one is exact."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A clock with whose it is, as its row needs it."""

    ticket_id: str
    workspace: str
    clock: Clock


@dataclass(slots=True)
class SlaState:
    """See the module. What a batch changes is in `changed_*`, `fired_*` and `new_*` until it is committed; a clock that
    is in both of the first two is written as changed. Of alerts whose cover ended, `releasing` are the clocks whose
    turn it is, with when they joined, and `released_to` the place of the last whose turn it was."""

    journal: Journal
    lane: int
    taken_at: Instant
    near: Near
    alerts: AlertBook
    silences: SilenceBook = field(init=False)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    books: dict[tuple[str, int], Book] = field(default_factory=dict)
    changed_tickets: dict[str, Ticket] = field(default_factory=dict)
    changed_clocks: dict[str, Placed] = field(default_factory=dict)
    fired_clocks: dict[str, Clock] = field(default_factory=dict)
    new_configs: dict[tuple[str, int], tuple[dict[str, Any], Instant]] = field(default_factory=dict)
    jobs: Jobs = field(default_factory=Jobs)
    asked_alerts: dict[str, Alert] = field(default_factory=dict)
    asked_members: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    newest_books: dict[str, Book] = field(default_factory=dict)
    releasing: dict[str, list[tuple[Instant, NearTimer]]] = field(default_factory=dict)
    released_to: dict[str, tuple[Instant, str]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    canary: Canary = field(default_factory=Canary)
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        self.silences = SilenceBook(self.journal)
        self.notes = Notes(self.journal)

    def book(self, workspace: str, version: int) -> Book:
        """The book of a version; one that never came promises nothing."""
        return self.books.get((workspace, version)) or Book(version)

    def newest_book(self, workspace: str) -> Book:
        """The newest version that was gathered for the causes of this batch."""
        return self.newest_books.get(workspace) or Book(0)

    def notify(self, item: Item) -> None:
        """Somebody is to be told."""
        self.items.append(item)
        self.journal.note(self.items.pop)

    def keep_ticket(self, ticket: Ticket) -> None:
        """The ticket is as given from now on."""
        self.journal.put(self.tickets, ticket.id, ticket)
        self.journal.put(self.changed_tickets, ticket.id, ticket)

    def keep_clock(self, placed: Placed) -> None:
        """The clock is as given from now on."""
        self.journal.put(self.changed_clocks, placed.clock.id, placed)

    def keep_fired(self, placed: Placed) -> None:
        """A point of the clock fired, and nothing else of it changed: less is to be written."""
        if placed.clock.id in self.changed_clocks:
            self.keep_clock(placed)
        else:
            self.journal.put(self.fired_clocks, placed.clock.id, placed.clock)

    def keep_ticket_clock(self, ticket: Ticket, clock: Clock) -> None:
        """A clock of a resident ticket changed, and nothing else of the ticket's row."""
        newest = ticket.clocks.get(clock.metric)
        if newest is not None and newest.id == clock.id:
            self.journal.put(self.tickets, ticket.id, replace(ticket, clocks={**ticket.clocks, clock.metric: clock}))

    def used(self, tickets: Iterable[str]) -> None:
        """These were needed now: they are the last to be let go."""
        for ticket in tickets:
            found = self.tickets.pop(ticket, None)
            if found is not None:
                self.tickets[ticket] = found

    def committed(self) -> None:
        """What was changed is in the tables."""
        self.changed_tickets.clear()
        self.changed_clocks.clear()
        self.fired_clocks.clear()
        self.new_configs.clear()
        self.asked_alerts.clear()
        self.asked_members.clear()
        self.newest_books.clear()
        self.releasing.clear()
        self.items.clear()
        self.silences.changed.clear()
        self.canary.fired = False
        self.alerts.forget()
        for visitor in self.jobs.visitors:
            self.tickets.pop(visitor, None)
        self.jobs.forget()
        self.notes.committed()
        surplus = len(self.tickets) - RESIDENT_TICKETS_MAX
        if surplus > 0:
            for ticket in list(self.tickets)[:surplus]:
                del self.tickets[ticket]
