"""The lane of metrics: facts of desk and sla in, rows out. It emits nothing and has no timers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.contracts import desk
from pointsman.contracts.codec import all_but
from pointsman.contracts.sla import ClockStarted
from pointsman.contracts.workspace import ConfigApplied, PresenceChanged
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman.runtime.logic import Batch, Database
from pointsman_metrics import store
from pointsman_metrics.fold.agent import Stretch, change_presence
from pointsman_metrics.fold.clock import RULES as CLOCK_RULES
from pointsman_metrics.fold.clock import Clock, fold_clock, start_clock
from pointsman_metrics.fold.desk_rules import RULES as TICKET_RULES
from pointsman_metrics.fold.desk_rules import fold_ticket, open_ticket
from pointsman_metrics.fold.ticket import Beside, Handling, Ticket, Unresolved
from pointsman_metrics.fold.workspace import WorkspaceVersion, keep_version

RESIDENT_ROWS_MAX = 20_000
"""How many tickets and clocks a lane keeps in memory; the lane is their only writer, so that a kept row is exact."""


class UnknownRow(ValueError):
    """A fact about a ticket or clock whose beginning was never seen. The record becomes a dead letter."""


@dataclass(slots=True)
class MetricsLane:
    """Rows that were read or written lately, and which of them the batch changed."""

    journal: Journal = field(default_factory=Journal)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    stretches: dict[tuple[str, str], Stretch] = field(default_factory=dict)
    versions: dict[str, WorkspaceVersion] = field(default_factory=dict)
    workspaces_read: set[str] = field(default_factory=set)
    changed_tickets: set[str] = field(default_factory=set)
    changed_clocks: set[str] = field(default_factory=set)
    handlings: dict[tuple[str, int], Handling] = field(default_factory=dict)
    unresolved: dict[tuple[str, int], Unresolved] = field(default_factory=dict)
    changed_stretches: dict[tuple[str, str, int], Stretch] = field(default_factory=dict)
    new_versions: dict[tuple[str, int], WorkspaceVersion] = field(default_factory=dict)

    def team_of(self, workspace: str, agent: str) -> str | None:
        version = self.versions.get(workspace)
        return None if version is None else version.teams.get(agent)


class MetricsLogic:
    """LaneLogic of metrics. The same records in the same order write the same rows, however they are batched."""

    gates: Mapping[str, frozenset[str]] = {}
    blind_kinds: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    ignores: Mapping[str, frozenset[str]] = {
        "desk": all_but("desk", (*TICKET_RULES, desk.TicketOpened, PresenceChanged, ConfigApplied)),
        "sla": all_but("sla", (*CLOCK_RULES, ClockStarted)),
    }
    linger: Mapping[str, float] = dict.fromkeys(("desk", "sla", "commands"), 0.25)
    refresh_seconds: float = 60.0

    async def load(self, db: Database, lane: int, now: Instant) -> MetricsLane:
        """Empty: rows are read when a batch names them."""
        return MetricsLane()

    async def refresh(self, db: Database, state: MetricsLane, now: Instant) -> None:
        """Nothing: metrics has no timers."""

    async def gather(self, db: Database, state: MetricsLane, causes: Sequence[Cause]) -> None:
        records = [cause for cause in causes if isinstance(cause, RecordCause)]
        await self._gather_workspaces(db, state, {record.workspace for record in records})
        tickets: set[str] = set()
        clocks: set[str] = set()
        for record in records:
            for body in record.bodies:
                if type(body) in TICKET_RULES:
                    tickets.add(body.ticket_id)
                elif type(body) in CLOCK_RULES:
                    clocks.add(body.clock_id)
        missing_tickets = [id for id in tickets if id not in state.tickets]
        missing_clocks = [id for id in clocks if id not in state.clocks]
        if missing_tickets:
            state.tickets.update((row.ticket_id, row) for row in await store.read_tickets(db, missing_tickets))
        if missing_clocks:
            state.clocks.update((row.clock_id, row) for row in await store.read_clocks(db, missing_clocks))

    async def _gather_workspaces(self, db: Database, state: MetricsLane, workspaces: set[str]) -> None:
        missing = sorted(workspaces - state.workspaces_read)
        if not missing:
            return
        for version in await store.read_newest_versions(db, missing):
            state.versions[version.workspace] = version
        for stretch in await store.read_stretches(db, missing):
            state.stretches[stretch.workspace, stretch.agent] = stretch
        state.workspaces_read.update(missing)

    def decide(self, state: MetricsLane, cause: Cause, now: Instant) -> Decision:
        if isinstance(cause, TimerCause):
            raise ValueError(f"metrics has no timer of kind {cause.kind!r}")
        ticket: Ticket | None = None
        beside = Beside()
        for body in cause.bodies:
            kind = type(body)
            if kind in TICKET_RULES or kind is desk.TicketOpened:
                if kind is desk.TicketOpened:
                    ticket = open_ticket(cause.workspace, body, beside)
                    state.journal.put(state.tickets, body.ticket_id, ticket)
                    state.journal.add(state.changed_tickets, body.ticket_id)
                    continue
                if ticket is None or ticket.ticket_id != body.ticket_id:
                    ticket = self._ticket_to_change(state, cause, body.ticket_id)
                fold_ticket(ticket, body, cause.at, beside, lambda agent: state.team_of(cause.workspace, agent))
            elif kind in CLOCK_RULES or kind is ClockStarted:
                self._fold_clock(state, cause, body)
            elif kind is PresenceChanged:
                self._fold_presence(state, cause, body)
            elif kind is ConfigApplied:
                version = keep_version(cause.workspace, body)
                state.journal.put(state.versions, cause.workspace, version)
                state.journal.put(state.new_versions, (cause.workspace, version.version), version)
        for handling_key, handling in beside.handlings.items():
            state.journal.put(state.handlings, handling_key, handling)
        for unresolved_key, unresolved in beside.unresolved.items():
            state.journal.put(state.unresolved, unresolved_key, unresolved)
        return NOTHING

    def _ticket_to_change(self, state: MetricsLane, cause: RecordCause, ticket_id: str) -> Ticket:
        known = state.tickets.get(ticket_id)
        if known is None or known.workspace != cause.workspace:
            raise UnknownRow(f"ticket {ticket_id} was never opened here")
        ticket = known.copy()
        state.journal.put(state.tickets, ticket_id, ticket)
        state.journal.add(state.changed_tickets, ticket_id)
        return ticket

    def _fold_clock(self, state: MetricsLane, cause: RecordCause, body: Any) -> None:
        if type(body) is ClockStarted:
            clock = start_clock(cause.workspace, body)
        else:
            known = state.clocks.get(body.clock_id)
            if known is None or known.workspace != cause.workspace:
                raise UnknownRow(f"clock {body.clock_id} was never started here")
            clock = known.copy()
            fold_clock(clock, body, cause.at)
        state.journal.put(state.clocks, clock.clock_id, clock)
        state.journal.add(state.changed_clocks, clock.clock_id)

    def _fold_presence(self, state: MetricsLane, cause: RecordCause, body: PresenceChanged) -> None:
        current = state.stretches.get((cause.workspace, body.agent))
        ended, begun = change_presence(cause.workspace, current, body, cause.at)
        for stretch in (ended, begun):
            if stretch is not None:
                key = (stretch.workspace, stretch.agent, stretch.number)
                state.journal.put(state.changed_stretches, key, stretch)
        state.journal.put(state.stretches, (cause.workspace, body.agent), begun)

    async def write(self, db: Database, state: MetricsLane, batch: Batch) -> None:
        for version in state.new_versions.values():
            await store.write_version(db, version)
        await store.write_tickets(db, (state.tickets[id] for id in state.changed_tickets))
        await store.write_handlings(db, state.handlings.values())
        await store.write_unresolved(db, state.unresolved.values())
        await store.write_clocks(db, (state.clocks[id] for id in state.changed_clocks))
        await store.write_stretches(db, state.changed_stretches.values())
        workspaces = {decided.cause.workspace for decided in batch.decided}
        await store.announce(db, workspaces)

    def committed(self, state: MetricsLane) -> None:
        for changed in (state.changed_tickets, state.changed_clocks):
            changed.clear()
        for rows in (state.handlings, state.unresolved, state.changed_stretches, state.new_versions):
            rows.clear()
        state.journal.forget()
        _let_go(state.tickets)
        _let_go(state.clocks)

    def earliest(self, state: MetricsLane) -> Mapping[str, Instant]:
        return {}

    def due(self, state: MetricsLane, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        return ()


def _let_go(rows: dict[str, Any]) -> None:
    """Forgets the rows kept longest, down to half, when there are too many."""
    if len(rows) > RESIDENT_ROWS_MAX:
        for key in list(rows)[: len(rows) - RESIDENT_ROWS_MAX // 2]:
            del rows[key]
