"""A lane's desks from their rows: what is resident, and what is read when somebody asks for it.

Resident are all tickets that are not resolved, those in wrap-up, and those that close soon. A resolved ticket comes
back as a guest when a message or command is about it (`gather`), and leaves again if it stays resolved.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pointsman.contracts.document import Document
from pointsman.core.instant import Instant, parse_rfc3339
from pointsman.core.journal import Journal
from pointsman.runtime.logic import Database
from pointsman_routing import jobs
from pointsman_routing.audit import Auditor
from pointsman_routing.desk.rules import holding, queueing
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.draft import Classify
from pointsman_routing.desk.state.model import (
    Agent,
    Closing,
    Move,
    Offer,
    Ticket,
    Token,
)
from pointsman_routing.desk.state.order import order_key, since_us
from pointsman_routing.desk.state.policy import compile_policy
from pointsman_routing.desk.state.roster import Roster
from pointsman_routing.desk.state.timers import Timers
from pointsman_routing.desk.state.waiting import Waiting
from pointsman_routing.ticket_columns import TICKET_COLUMNS, ticket_of

CLOSING_HORIZON = timedelta(seconds=120)
"""Resolved tickets that close within this time are resident, so that their timers are."""

WORKSPACES = """
    SELECT workspace, config_version, change, round_robin, late_credits, closings, moves, version.document
    FROM workspace JOIN config_version AS version USING (workspace)
    WHERE lane = $1 AND version.version = workspace.config_version
    ORDER BY workspace
"""
OPEN_TICKETS = f"""
    SELECT {TICKET_COLUMNS} FROM ticket
    WHERE workspace = ANY($1::text[]) AND (state NOT IN ('resolved', 'closed') OR wrap_up_until IS NOT NULL)
"""
CLOSING_TICKETS = f"""
    SELECT {TICKET_COLUMNS} FROM ticket
    WHERE workspace = ANY($1::text[]) AND state = 'resolved' AND closes_at <= $2
"""
PENDING_OFFERS = """
    SELECT workspace, id, ticket_id, agent, weight, reason, offered_at, expires_at FROM offer
    WHERE workspace = ANY($1::text[]) AND state = 'pending'
"""
AGENTS = """
    SELECT workspace, agent, change, state, set_by, reason, channels, resume, held, held_until, state_since, idle_since,
           gone_at, handle_seconds
    FROM agent WHERE workspace = ANY($1::text[]) AND active
"""
SESSIONS = "SELECT workspace, agent, session, lease_until FROM session WHERE workspace = ANY($1::text[])"
TOKENS = """
    SELECT workspace, id, role, sub, issued_at, issued_by, expires_at, revoked_at FROM token
    WHERE workspace = ANY($1::text[]) AND expires_at > $2
"""


@dataclass(slots=True)
class Desks:
    """A lane's resident state: its desks, their one journal and their timers. `guests` are resolved tickets that were
    read for this batch, `touched` the workspaces that it asked or decided something of."""

    lane: int
    journal: Journal
    timers: Timers
    now: Instant
    desks: dict[str, Desk] = field(default_factory=dict)
    guests: set[tuple[str, str]] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    auditor: Auditor = field(default_factory=Auditor)
    closing_read_at: Instant | None = None


async def load(db: Database, lane: int, now: Instant, classifier: Callable[[Document], Classify]) -> Desks:
    """The lane's desks as they were committed."""
    journal = Journal()
    state = Desks(lane, journal, Timers(journal), now)
    for row in await db.fetch(WORKSPACES, lane):
        state.desks[row["workspace"]] = _desk(state, row, classifier, now)
    names = list(state.desks)
    if not names:
        return state
    for row in await db.fetch(AGENTS, names):
        _take_agent(state.desks[row["workspace"]], row)
    for row in await db.fetch(SESSIONS, names):
        agent = state.desks[row["workspace"]].agents.get(row["agent"])
        if agent is not None:
            agent.sessions[row["session"]] = row["lease_until"]
    for row in await db.fetch(TOKENS, names, now):
        token = _token(row)
        state.desks[row["workspace"]].tokens[token.id] = token
    for row in await db.fetch(jobs.UNFINISHED, names):
        job = jobs.job_of(row)
        state.desks[row["workspace"]].jobs[job.id] = job
    offers = {(row["workspace"], row["ticket_id"]): _offer(row) for row in await db.fetch(PENDING_OFFERS, names)}
    for row in await db.fetch(OPEN_TICKETS, names):
        _take_ticket(state.desks[row["workspace"]], row, offers.get((row["workspace"], row["id"])))
    for desk in state.desks.values():
        _place_agents(desk)
        _settle_in(desk, now)
    await read_closing(db, state, now)
    journal.forget()
    for desk in state.desks.values():
        desk.committed()
    return state


async def read_closing(db: Database, state: Desks, now: Instant) -> None:
    """Makes the tickets resident that close soon."""
    state.now = state.closing_read_at = now
    for row in await db.fetch(CLOSING_TICKETS, list(state.desks), now + CLOSING_HORIZON):
        desk = state.desks[row["workspace"]]
        if row["id"] not in desk.tickets:
            desk.tickets[row["id"]] = ticket_of(desk, row, None)
        state.guests.discard((desk.workspace, row["id"]))
        desk.arm(kinds.CLOSE, row["id"], row["closes_at"])


def leave_behind(state: Desks) -> None:
    """Lets resolved and closed tickets go that nobody needs soon, and what the batch had read. Only while nothing can
    be undone but this. A lane may have a thousand desks: only those are looked at that the batch touched."""
    horizon = state.now + CLOSING_HORIZON
    for workspace, id in state.guests:
        _leave(state.desks[workspace], id, horizon)
    state.guests.clear()
    for name in state.touched:
        desk = state.desks.get(name)
        if desk is None:
            continue
        for id, ticket in desk.changes.tickets.items():
            if ticket.state == "resolved":
                _leave(desk, id, horizon)
        desk.committed()
    state.touched.clear()


def _leave(desk: Desk, id: str, horizon: Instant) -> None:
    ticket = desk.tickets.get(id)
    if ticket is None or ticket.state not in ("resolved", "closed") or ticket.in_wrap_up:
        return
    if ticket.closes_at is None or ticket.closes_at > horizon:
        del desk.tickets[id]
        desk.arm(kinds.CLOSE, id, None)


def _desk(state: Desks, row: Any, classifier: Callable[[Document], Classify], now: Instant) -> Desk:
    desk = Desk(row["workspace"], state.journal, state.timers, classifier, IndexedMatcher())
    policy = compile_policy(Document.model_validate(row["document"]), row["config_version"])
    desk.adopt(policy, Roster(policy, state.journal), Waiting(policy, state.journal), classifier(policy.document))
    desk.change = row["change"]
    desk.round_robin = row["round_robin"]
    desk.late_credits = row["late_credits"]
    desk.closings = {queue: _closing(said) for queue, said in row["closings"].items()}
    desk.moves = tuple(Move._make(said) for said in row["moves"])
    for profile in policy.profiles.values():
        desk.agents[profile.slug] = Agent(profile.slug, profile, since=now, idle_since=now)
    return desk


def _take_agent(desk: Desk, row: Any) -> None:
    agent = desk.agents.get(row["agent"])
    if agent is None:
        return
    agent.state, agent.set_by, agent.reason = row["state"], row["set_by"], row["reason"]
    agent.channels = None if row["channels"] is None else frozenset(row["channels"])
    agent.resume = None if row["resume"] is None else tuple(row["resume"])
    agent.held, agent.held_until = row["held"], row["held_until"]
    agent.since, agent.idle_since, agent.gone_at = row["state_since"], row["idle_since"], row["gone_at"]
    agent.handle_seconds = row["handle_seconds"]
    agent.change = row["change"]


def _take_ticket(desk: Desk, row: Any, offer: Offer | None) -> None:
    ticket = ticket_of(desk, row, offer)
    desk.tickets[ticket.id] = ticket
    if offer is not None:
        desk.offers[offer.id] = offer


def _closing(said: dict[str, Any]) -> Closing:
    until = said["until"]
    instants = {"until": None if until is None else parse_rfc3339(until), "at": parse_rfc3339(said["at"])}
    return Closing(**{**said, **instants})


def _offer(row: Any) -> Offer:
    return Offer(
        row["id"],
        row["ticket_id"],
        row["agent"],
        row["weight"],
        row["reason"],
        row["offered_at"],
        row["expires_at"],
    )


def _token(row: Any) -> Token:
    return Token(
        row["id"],
        row["role"],
        row["sub"],
        row["expires_at"],
        row["issued_at"],
        row["issued_by"],
        row["revoked_at"],
    )


def _place_agents(desk: Desk) -> None:
    for agent in desk.agents.values():
        if agent.profile.takes_tickets:
            desk.roster.join(agent)
    for ticket in desk.tickets.values():
        slug = ticket.offer.agent if ticket.offer else ticket.agent
        if slug is None or slug not in desk.agents:
            continue
        agent = desk.agents[slug]
        agent.hand[ticket.id] = None
        if ticket.offer is not None:
            agent.shown[ticket.id] = None
        if ticket.charged:
            _count(agent, ticket)
    for agent in desk.agents.values():
        desk.roster.place(agent)


def _count(agent: Agent, ticket: Ticket) -> None:
    channel, weight = ticket.channel, ticket.labels.weight
    agent.load += weight
    agent.counts[channel] = agent.counts.get(channel, 0) + 1
    agent.units[channel] = agent.units.get(channel, 0) + weight


def _settle_in(desk: Desk, now: Instant) -> None:
    """The waiting index and the timers, from what the rows say."""
    for ticket in desk.tickets.values():
        if ticket.held is not None:
            desk.held.setdefault(ticket.queue, {})[ticket.id] = ticket
        elif ticket.reserved_for is not None:
            desk.reserve(ticket)
        elif ticket.state == "queued":
            group = desk.waiting.enter(ticket, order_key(ticket, desk.queue_of(ticket)))
            if group.ripens_us is not None:
                queueing.ripens(desk, ticket.queue, since_us(ticket) + group.ripens_us)
        for kind, subject, due in kinds.timers_of(ticket):
            desk.arm(kind, subject, due)
        if ticket.closes_at is not None:
            desk.arm(kinds.CLOSE, ticket.id, ticket.closes_at)
    for job in desk.jobs.values():
        desk.arm(kinds.JOB, job.id, job.moved_at or job.begun_at)
    for agent in desk.agents.values():
        if agent.sessions:
            desk.arm(kinds.LEASE, agent.slug, max(agent.sessions.values()))
        if agent.held_until is not None:
            desk.arm(kinds.HOLD, agent.slug, agent.held_until)
    holding.arm_openings(desk, now)
