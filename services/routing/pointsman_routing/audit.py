"""The auditor: compares a lane's resident desks with their rows and with themselves, slowly, while it works.

A cycle looks at every open ticket and every agent of a workspace, once in `CYCLE` or when somebody asks. It goes in
steps between the lane's batches, when everything that was decided is committed: a step reads at most `SLICE` rows
(fewer while the worker is busy) in one snapshot and asks `desk.questions.invariants` about what they are rows of, so
that it takes some milliseconds however large the desk is. What is found raises an alarm, once as long as it stands.

A lane that was lost may not know it yet. Its desk is then behind the rows: a workspace whose count of changes is ahead
in its row is left alone.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import orjson
from prometheus_client import Counter, Histogram

from pointsman.contracts.document import Document
from pointsman.core.instant import Instant
from pointsman.runtime import telemetry
from pointsman.runtime.logic import Database
from pointsman_routing.desk.questions import invariants
from pointsman_routing.desk.questions.invariants import DOUBLE_OWNER, OVER_CAPACITY, ROW, Violation
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.draft import Draft
from pointsman_routing.desk.state.model import OPEN_STATES, Agent, Ticket
from pointsman_routing.desk.state.policy import compile_policy
from pointsman_routing.rows import AGENT, Table, agent_row, as_json
from pointsman_routing.ticket_columns import TICKET, ticket_row


class Audited(Protocol):
    """A lane's resident state, as far as it is audited."""

    @property
    def desks(self) -> Mapping[str, Desk]: ...


CYCLE = timedelta(seconds=60)
SLICE = 200
OVERDUE = timedelta(seconds=60)
OVERDUE_MAX = 20
FINDINGS_MAX = 1_000
"""Of one cycle; what is broken beyond that is broken for one reason."""

FOUND = Counter("pointsman_audit_findings_total", "What the auditor found that must not be, by kind.", ["kind"])
STEP_SECONDS = Histogram(
    "pointsman_audit_step_seconds",
    "How long a step of the auditor held up its lane.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)

CHANGE = "SELECT change FROM workspace WHERE workspace = $1"
TICKETS_AFTER = f"""
    SELECT {", ".join(name for name, _ in TICKET.columns)} FROM ticket
    WHERE workspace = $1 AND (state NOT IN ('resolved', 'closed') OR wrap_up_until IS NOT NULL) AND id > $2
    ORDER BY id LIMIT $3
"""
AGENT_ROWS = f"""
    SELECT {", ".join(name for name, _ in AGENT.columns)} FROM agent WHERE workspace = $1 AND agent = ANY($2::text[])
"""
OFFER_ROWS = """
    SELECT id, ticket_id, agent, weight, expires_at FROM offer
    WHERE workspace = $1 AND agent = ANY($2::text[]) AND state = 'pending'
"""
SESSION_ROWS = "SELECT agent, session, lease_until FROM session WHERE workspace = $1 AND agent = ANY($2::text[])"
VERSION = "SELECT document FROM config_version WHERE workspace = $1 AND version = $2"


@dataclass(slots=True)
class Report:
    """One cycle of a workspace: what was looked at and found. `number` counts its cycles."""

    number: int
    started_at: Instant
    finished_at: Instant | None = None
    tickets: int = 0
    agents: int = 0
    findings: list[Violation] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return {
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "tickets": self.tickets,
            "agents": self.agents,
            "findings": [finding._asdict() for finding in self.findings],
        }


class _Cycle:
    """A cycle under way: which tickets and agents there were, and how far it went."""

    def __init__(self, desk: Desk, number: int, now: Instant) -> None:
        self.workspace = desk.workspace
        self.report = Report(number, now)
        self.tickets = sorted(desk.tickets)
        self.agents = sorted(desk.agents)
        self.after: str | None = ""
        """The last ticket looked at; None when all were."""
        self.next_agent = 0


class Auditor:
    """The audits of one lane. Lives and dies with its resident state, so that nothing of it is kept."""

    def __init__(self) -> None:
        self._cycle: _Cycle | None = None
        self._begun: dict[str, int] = {}
        self._last: dict[str, Report] = {}
        self._asked: dict[str, None] = {}
        self._alarmed: dict[str, set[tuple[str, str | None, str | None]]] = {}

    def ask(self, workspace: str) -> int:
        """Wants a cycle that begins from now on; its number."""
        self._asked[workspace] = None
        return self._begun.get(workspace, 0) + 1

    def report(self, workspace: str) -> Report | None:
        """The last cycle that came to its end."""
        return self._last.get(workspace)

    async def step(self, db: Database, state: Audited, now: Instant, rows_max: int | None = None) -> None:
        """One step over at most `rows_max` tickets or agents (else `SLICE`); nothing when no cycle is due. Called
        between batches."""
        if self._cycle is None and not self._begin(state, now):
            return
        cycle = self._cycle
        assert cycle is not None
        desk = state.desks.get(cycle.workspace)
        started = time.perf_counter()
        if desk is None or not await self._look(db, desk, cycle, now, rows_max or SLICE):
            self._cycle = None
        STEP_SECONDS.observe(time.perf_counter() - started)

    def _begin(self, state: Audited, now: Instant) -> bool:
        for name in [*self._asked, *state.desks]:
            desk, last = state.desks.get(name), self._last.get(name)
            if desk is None or not desk.configured:
                self._asked.pop(name, None)
                continue
            if name in self._asked or last is None or last.finished_at is None or now - last.started_at >= CYCLE:
                self._asked.pop(name, None)
                number = self._begun[name] = self._begun.get(name, 0) + 1
                self._cycle = _Cycle(desk, number, now)
                return True
        return False

    async def _look(self, db: Database, desk: Desk, cycle: _Cycle, now: Instant, rows_max: int) -> bool:
        """Looks at the next slice; false when the cycle is over."""
        first = cycle.after == ""
        async with db.transaction(isolation="repeatable_read", readonly=True):
            change = await db.fetchval(CHANGE, desk.workspace)
            if change is not None and change > desk.change:
                return False
            found = [finding async for finding in _slice(db, desk, cycle, now, rows_max)]
        if first and change != desk.change:
            found.append(Violation(ROW, None, None, f"the row counts {change} changes, the desk {desk.change}"))
        report = cycle.report
        report.findings += found[: max(0, FINDINGS_MAX - len(report.findings))]
        if cycle.after is not None or cycle.next_agent < len(cycle.agents):
            return True
        report.findings += invariants.overdue(desk, now, OVERDUE, OVERDUE_MAX)
        report.findings += invariants.unexplained(desk)
        report.findings += invariants.credits(desk)
        report.findings = list(dict.fromkeys(report.findings))
        report.finished_at = now
        self._last[desk.workspace] = report
        self._raise_alarms(desk.workspace, report.findings)
        return False

    def _raise_alarms(self, workspace: str, findings: Sequence[Violation]) -> None:
        """For what was not found the last time."""
        before = self._alarmed.get(workspace, set())
        standing = set()
        for finding in findings:
            key = (finding.kind, finding.ticket, finding.agent)
            if key not in before and key not in standing:
                FOUND.labels(finding.kind).inc()
                telemetry.alarm("routing", "audit", workspace=workspace, **finding._asdict())
            standing.add(key)
        self._alarmed[workspace] = standing


async def _slice(db: Database, desk: Desk, cycle: _Cycle, now: Instant, rows_max: int) -> AsyncIterator[Violation]:
    """What is wrong with the next tickets, or when there is none left with the next agents."""
    if cycle.after is not None:
        rows = await db.fetch(TICKETS_AFTER, desk.workspace, cycle.after, rows_max)
        for finding in _of_tickets(desk, cycle, rows, now, rows_max):
            yield finding
        return
    slugs = cycle.agents[cycle.next_agent : cycle.next_agent + rows_max]
    cycle.next_agent += rows_max
    cycle.report.agents += len(slugs)
    agents = [agent for slug in slugs if (agent := desk.agents.get(slug)) is not None]
    for finding in await _rows_of_agents(db, desk, agents):
        yield finding
    with _at(desk, now):
        found = [finding for agent in agents for finding in invariants.of_agent(desk, agent)]
    for finding in found:
        if finding.kind != OVER_CAPACITY:
            yield finding
    for slug in dict.fromkeys(str(finding.agent) for finding in found if finding.kind == OVER_CAPACITY):
        for finding in await _over_capacity(db, desk, desk.agents[slug]):
            yield finding


def _of_tickets(desk: Desk, cycle: _Cycle, rows: Sequence[Any], now: Instant, rows_max: int) -> list[Violation]:
    """A slice of open tickets: those that the table has, and those that should be among them."""
    by_id = {row["id"]: row for row in rows}
    before, last = str(cycle.after), rows[-1]["id"] if len(rows) == rows_max else None
    start = bisect_right(cycle.tickets, before)
    end = len(cycle.tickets) if last is None else bisect_right(cycle.tickets, last)
    found: list[Violation] = []
    seen = 0
    with _at(desk, now):
        for id in dict.fromkeys((*by_id, *cycle.tickets[start:end])):
            row, ticket = by_id.get(id), desk.tickets.get(id)
            if ticket is None or not _is_open(ticket):
                if row is not None:
                    here = "has no such ticket" if ticket is None else f"has it as {ticket.state}"
                    said = f"its row is {row['state']}, while the desk {here}"
                    found.append(Violation(ROW, id, row["agent"], said))
                continue
            seen += 1
            if row is None:
                found.append(Violation(ROW, id, ticket.agent, f"it is {ticket.state}, and no row says so"))
            else:
                for said in _differences(TICKET, ticket_row(desk.workspace, ticket), row):
                    found.append(Violation(ROW, id, invariants.owner_of(ticket), said))
            found += invariants.of_ticket(desk, ticket)
    cycle.report.tickets += seen
    cycle.after = last
    return found


async def _rows_of_agents(db: Database, desk: Desk, agents: Sequence[Agent]) -> list[Violation]:
    slugs = [agent.slug for agent in agents]
    found: list[Violation] = []
    rows = {row["agent"]: row for row in await db.fetch(AGENT_ROWS, desk.workspace, slugs)}
    sessions: dict[str, dict[str, Instant]] = {}
    for row in await db.fetch(SESSION_ROWS, desk.workspace, slugs):
        sessions.setdefault(row["agent"], {})[row["session"]] = row["lease_until"]
    for agent in agents:
        row = rows.get(agent.slug)
        if row is None:
            found.append(Violation(ROW, None, agent.slug, "there is no row of the agent"))
            continue
        for said in _differences(AGENT, agent_row(desk.workspace, agent), row):
            found.append(Violation(ROW, None, agent.slug, said))
        if sessions.get(agent.slug, {}) != agent.sessions:
            found.append(Violation(ROW, None, agent.slug, "the leases of the sessions are others than the rows'"))
    pending = set()
    for row in await db.fetch(OFFER_ROWS, desk.workspace, slugs):
        pending.add(row["id"])
        offer, ticket = desk.offers.get(row["id"]), desk.tickets.get(row["ticket_id"])
        if offer is not None and (offer.ticket_id, offer.agent) == (row["ticket_id"], row["agent"]):
            if (offer.weight, offer.expires_at) != (row["weight"], row["expires_at"]):
                found.append(Violation(ROW, offer.ticket_id, offer.agent, f"the offer {offer.id} differs from its row"))
            continue
        owner = None if ticket is None else invariants.owner_of(ticket)
        kind = ROW if owner is None else DOUBLE_OWNER
        said = f"a row says that it is offered to {row['agent']}, while it is {owner or 'nobody'}'s"
        found.append(Violation(kind, row["ticket_id"], row["agent"], said))
    for agent in agents:
        for id in agent.shown:
            ticket = desk.tickets.get(id)
            if ticket is not None and ticket.offer is not None and ticket.offer.id not in pending:
                found.append(Violation(ROW, id, agent.slug, f"no row says that {ticket.offer.id} is pending"))
    return found


async def _over_capacity(db: Database, desk: Desk, agent: Agent) -> list[Violation]:
    """What the agent has above a limit though nobody put it there: a person by name, or a version that lowered the
    limit after the last charge."""
    found = []
    for excess, charge in invariants.suspects(desk, agent):
        if charge.config_version != desk.policy.version:
            document = await db.fetchval(VERSION, desk.workspace, charge.config_version)
            policy = compile_policy(Document.model_validate(document), charge.config_version)
            if invariants.was_within(agent, excess, policy.profiles.get(agent.slug)):
                continue
        found.append(Violation(OVER_CAPACITY, None, agent.slug, excess.says, charge.at))
    return found


def _differences(table: Table, resident: Sequence[Any], row: Mapping[str, Any]) -> Iterator[str]:
    """Where a row says something else than the row that the resident thing would be written as."""
    for (name, kind), mine in zip(table.columns, resident, strict=True):
        theirs = row[name]
        if kind == "jsonb":
            mine = None if mine is None else orjson.loads(as_json(mine) or "")
        elif kind == "text[]":
            mine = None if mine is None else list(mine)
        if mine != theirs:
            yield f"its {name} is {_short(mine)}, in its row {_short(theirs)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _is_open(ticket: Ticket) -> bool:
    return ticket.state in OPEN_STATES or ticket.in_wrap_up


@contextmanager
def _at(desk: Desk, now: Instant) -> Iterator[None]:
    """Within it the desk is asked as of an instant, and nothing is decided."""
    draft = getattr(desk, "draft", None)
    desk.draft = Draft("audit", "audit", now, now)
    try:
        yield
    finally:
        if draft is None:
            del desk.draft
        else:
            desk.draft = draft
