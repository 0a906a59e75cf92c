"""The lane of sla without its tables: records and timers decided as the runtime decides them."""

from typing import Any

from pointsman.contracts.recomputing import ClocksRecompute
from pointsman.contracts.shapes import Actor
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import Decision
from pointsman.core.instant import EPOCH, Instant
from pointsman.core.journal import Journal
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.alerts.items import Item
from pointsman_sla.clocks.model import Clock
from pointsman_sla.job import STEP_TICKETS_MAX
from pointsman_sla.micros import instant, micros
from pointsman_sla.near_timers import Near
from pointsman_sla.rules import cover_end
from pointsman_sla.rules.apply import near_timer
from pointsman_sla.rules.cover_end import RELEASE
from pointsman_sla.state import SlaState
from pointsman_sla.worker import SlaLane
from tests.unit.sla.builders import ANNA, a_document, minute

A_YEAR = 525_600
ADMIN = Actor(kind="admin", id="ada")


class LaneOfTests:
    """Every timer of a year is near, nothing is ever read or written. `facts` are all that were emitted, `items` all
    that somebody was told, `rows` all clocks as their rows would be."""

    def __init__(self, *policies: dict[str, Any], document: dict[str, Any] | None = None) -> None:
        self.logic = SlaLane()
        journal = Journal()
        near = Near(journal, (micros(minute(A_YEAR)), "\x7f"))
        self.state = SlaState(journal, 0, minute(-1), near, AlertBook(journal))
        self.facts: list[Any] = []
        self.rows: dict[str, Clock] = {}
        self.items: list[Item] = []
        self.number = 0
        applied = ConfigApplied(
            config_version=1, document=document or a_document(*policies), author=ANNA, applied_at=minute(-1)
        )
        self.tell(-1, applied)

    def _keep(self, decision: Decision) -> Decision:
        self.facts += [fact for emission in decision.emissions for fact in emission.facts]
        for placed in self.state.changed_clocks.values():
            self.rows[placed.clock.id] = placed.clock
        self.rows.update(self.state.fired_clocks)
        self.items += self.state.items
        self.logic.committed(self.state)
        self.state.journal.forget()
        return decision

    def cause(self, at: float, *bodies: Any, topic: str = "desk", workspace: str = "acme") -> RecordCause:
        self.number += 1
        subject = getattr(bodies[0], "ticket_id", "config")
        return RecordCause(f"evt_{self.number}", topic, workspace, subject, minute(at), tuple(bodies))

    def decide(self, cause: Cause, at: Instant) -> Decision:
        """Decides at an instant, whatever is due by then."""
        self.state.newest_books = {"acme": self.state.book("acme", 1)}
        return self._keep(self.logic.decide(self.state, cause, at))

    def tell(self, at: float, *bodies: Any, topic: str = "desk", workspace: str = "acme") -> Decision:
        """One record (or command), after the timers that are due before it."""
        self.run_to(at)
        return self.decide(self.cause(at, *bodies, topic=topic, workspace=workspace), minute(at))

    def ask(self, at: float, command: Any) -> Decision:
        """One command."""
        return self.tell(at, command, topic="commands")

    def run_to(self, at: float) -> None:
        """Lets the time pass: fires what comes due, in order."""
        while True:
            earliest = self.logic.earliest(self.state)
            kind = min(earliest, key=lambda name: earliest[name], default=None)
            if kind is None or earliest[kind] > minute(at):
                return
            for cause in self.logic.due(self.state, kind, earliest[kind], 1):
                self._gather_step(cause)
                self.decide(cause, earliest[kind])

    def _gather_step(self, cause: TimerCause) -> None:
        """What a recompute's step would read: the open tickets after its place."""
        if cause.kind == RELEASE:
            self._gather_release(cause.subject)
        job = self.state.jobs.open.get(cause.subject)
        if job is not None:
            mine = (ticket for ticket in self.state.tickets.values() if ticket.workspace == job.workspace)
            ids = sorted(ticket.id for ticket in mine if ticket.open and ticket.id > job.place)
            self.state.jobs.tickets[job.id] = ids[:STEP_TICKETS_MAX]

    def _gather_release(self, alert_id: str) -> None:
        """What the step of an ended cover would read: the clocks in the alert after its place."""
        place = self.state.released_to.get(alert_id, (EPOCH, ""))
        joined = sorted(
            (instant(each.since), id)
            for id, clock in self.rows.items()
            for each in clock.alerts
            if each.alert == alert_id and (instant(each.since), id) > place
        )
        tickets = {clock.id: ticket for ticket in self.state.tickets.values() for clock in ticket.clocks.values()}
        self.state.releasing[alert_id] = [
            (since, near_timer(tickets[id], self.rows[id])) for since, id in joined[: cover_end.STEP_CLOCKS_MAX]
        ]

    def configure(self, at: float, version: int, *policies: dict[str, Any], **changes: Any) -> None:
        """Applies another version of the document; `open_clocks` goes with it, the rest is the document's."""
        fact = ConfigApplied(
            config_version=version,
            document=a_document(*policies, **{k: v for k, v in changes.items() if k != "open_clocks"}),
            author=ANNA,
            applied_at=minute(at),
            open_clocks=changes.get("open_clocks"),
        )
        self.tell(at, fact)

    def recompute(self, at: float, **restricted: Any) -> Decision:
        """Asks for a recompute under the newest version."""
        newest = max(version for workspace, version in self.state.books if workspace == "acme")
        self.run_to(at)
        self.state.jobs.newest["acme"] = (newest, sum(ticket.open for ticket in self.state.tickets.values()))
        return self.tell(at, ClocksRecompute(actor=ADMIN, **restricted), topic="commands")

    def clock(self, metric: Any, ticket: str = "tkt_1") -> Clock:
        """A ticket's newest clock of a metric."""
        return self.state.tickets[ticket].clocks[metric]

    def of(self, type: str) -> list[Any]:
        """The facts of a type."""
        return [fact for fact in self.facts if fact.type == type]
