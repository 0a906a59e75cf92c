"""Routing's side of the runtime: a lane is the desks of its workspaces (pointsman.runtime.logic)."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pointsman.contracts import commands as asked
from pointsman.contracts.document import Document
from pointsman.contracts.requests import MessageReceived
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import Decision, refuse
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Batch, Database
from pointsman_routing import gathering, gc_tuning, loading, store
from pointsman_routing.classify import Classifier
from pointsman_routing.desk.decide import HAVING_READ, TAKES, decide
from pointsman_routing.desk.rules.bulk import STEP_TICKETS_MAX, done_at_once
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.rules.tokens import revoke_of_installation
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.draft import Classify
from pointsman_routing.desk.state.timers import GATES, JOB
from pointsman_routing.loading import Desks
from pointsman_routing.rule_time import RuleTime

INSTALLATION = "*"
"""The workspace of what concerns all of them: an operator's tokens."""
AUDIT_STEP_SECONDS = 1.0
COUNTED_SECONDS, BUSY_COMMITS_PER_SECOND = 0.5, 10
SMALL_SLICE, BUSY_STEP_SECONDS = 20, 0.1
"""While a worker commits so often its auditors go as far, in ten times as many steps: each holds up every lane."""
HURRIED_STEP_SECONDS, HURRY_SECONDS = 0.02, 60.0
"""Steps of the auditor while somebody waits for it, and how long that may be."""
CLOSING_EVERY = timedelta(seconds=30)


class DeskLane:
    """`LaneLogic` of the desks. Desk timers wait when the broker is out of reach: none fires blind."""

    takes = TAKES | {asked.DeskAudit.type}
    gates: Mapping[str, frozenset[str]] = GATES
    ignores: Mapping[str, frozenset[str]] = {}
    blind_kinds: frozenset[str] = frozenset()
    linger: Mapping[str, float] = {"requests": 0.005, "sla": 0.05}

    def __init__(self, classifier: Callable[[Document], Classify] | None = None) -> None:
        """`told` is set at every commit: for who sends what was told."""
        self._classifier = classifier or self._classifier_of
        self._rule_times: dict[str, RuleTime] = {}
        self.told = asyncio.Event()
        self.refresh_seconds = AUDIT_STEP_SECONDS
        self._hurries_until = 0.0
        self._commits, self._counted_at, self._busy = 0, time.monotonic(), False

    def _classifier_of(self, document: Document) -> Classify:
        """How a workspace's messages are classified; its rules share one time, whatever the version."""
        time_of_rules = self._rule_times.setdefault(document.workspace, RuleTime())
        return Classifier(document, time_of_rules).classify

    async def load(self, db: Database, lane: int, now: Instant) -> Desks:
        state = await loading.load(db, lane, now, self._classifier)
        if any(desk.tickets for desk in state.desks.values()):
            gc_tuning.keep_what_is_there()
        return state

    async def refresh(self, db: Database, state: Desks, now: Instant) -> None:
        """Tickets that close soon become resident; the auditor goes on by a step."""
        if state.closing_read_at is None or now - state.closing_read_at >= CLOSING_EVERY:
            await loading.read_closing(db, state, now)
        busy = self._is_busy()
        await state.auditor.step(db, state, now, rows_max=SMALL_SLICE if busy else None)
        if time.monotonic() >= self._hurries_until:
            self.refresh_seconds = BUSY_STEP_SECONDS if busy else AUDIT_STEP_SECONDS

    def _is_busy(self) -> bool:
        """Whether the worker's lanes, which share a thread, commit many batches just now."""
        now = time.monotonic()
        if now - self._counted_at >= COUNTED_SECONDS:
            self._busy = self._commits > BUSY_COMMITS_PER_SECOND * (now - self._counted_at)
            self._commits, self._counted_at = 0, now
        return self._busy

    async def gather(self, db: Database, state: Desks, causes: Sequence[Cause]) -> None:
        """Resolved and closed tickets that somebody writes to or asks for; ended offers that somebody answers; who
        dealt last with the customers that begin something new; the messages of what is to be split or merged, and those
        that somebody answers or has seen last."""
        tickets: dict[tuple[str, str], None] = {}
        offers: dict[tuple[str, str], None] = {}
        explained: dict[tuple[str, str, str | None], None] = {}
        customers: dict[tuple[str, str], None] = {}
        written: list[tuple[str, str, tuple[str, ...]]] = []
        having_read: list[tuple[Desk, str, str]] = []
        told: dict[tuple[str, str], None] = {}
        for cause in causes:
            state.touched.add(cause.workspace)
            desk = state.desks.get(cause.workspace)
            if desk is None:
                continue
            if isinstance(cause, TimerCause):
                if cause.kind == JOB and cause.subject in desk.jobs:
                    _note_tickets(desk, desk.jobs[cause.subject].next(STEP_TICKETS_MAX), tickets)
                continue
            if cause.topic == "sla":
                continue
            for body in cause.bodies:
                _note_needs(desk, cause, body, tickets, offers, explained)
                if isinstance(body, asked.TicketSplit):
                    written.append((desk.workspace, body.ticket_id, body.message_ids))
                elif isinstance(body, asked.TicketMerge):
                    written += [(desk.workspace, id, ()) for id in (body.ticket_id, body.into)]
                elif isinstance(body, asked.TicketReply) and body.reply_to_message is not None:
                    told[desk.workspace, body.reply_to_message] = None
                elif isinstance(body, HAVING_READ) and body.last_message_id is not None and not body.force:
                    having_read.append((desk, body.ticket_id, body.last_message_id))
                if isinstance(body, MessageReceived) and body.opens and _prefers_known_agents(desk, body.channel):
                    customers[desk.workspace, body.customer.id] = None
        await gathering.read_ended_offers(db, state, list(offers))
        for workspace, offer in offers:
            ticket = state.desks[workspace].ended.get(offer)
            if ticket is not None and ticket not in state.desks[workspace].tickets:
                tickets[workspace, ticket] = None
        await gathering.read_guests(db, state, list(tickets))
        await gathering.read_why(db, state, explained)
        await gathering.read_last_agents(db, state, list(customers))
        await gathering.read_messages_of(db, state, written)
        for desk, id, last in having_read:
            read = desk.tickets.get(id)
            if read is not None and last not in read.recent:
                told |= dict.fromkeys((desk.workspace, message) for message in (last, *read.recent))
        await gathering.read_messages_by_id(db, state, list(told))

    def decide(self, state: Desks, cause: Cause, now: Instant) -> Decision:
        state.touched.add(cause.workspace)
        desk = state.desks.get(cause.workspace)
        if isinstance(cause, RecordCause) and isinstance(cause.bodies[0], asked.DeskAudit):
            return self._audit(state, cause.workspace, cause.bodies[0])
        if desk is None:
            if cause.workspace == INSTALLATION and isinstance(cause, RecordCause):
                command = cause.bodies[0]
                if isinstance(command, asked.TokenRevoke):
                    return revoke_of_installation(cause.workspace, command, now)
            if isinstance(cause, TimerCause) or not cause.is_command:
                raise LookupError(f"there is no workspace {cause.workspace!r}")
            desk = Desk(cause.workspace, state.journal, state.timers, self._classifier, IndexedMatcher())
            if isinstance(cause.bodies[0], asked.ConfigPut):
                state.journal.put(state.desks, cause.workspace, desk)
        return decide(desk, cause, now)

    def _audit(self, state: Desks, workspace: str, question: asked.DeskAudit) -> Decision:
        """The last audit; with `begin` another is begun soon, and its steps follow one another quickly for a while."""
        if workspace not in state.desks:
            return refuse(404, "not-found", f"there is no workspace {workspace}")
        wanted = None
        if question.begin:
            wanted = state.auditor.ask(workspace)
            self.refresh_seconds, self._hurries_until = HURRIED_STEP_SECONDS, time.monotonic() + HURRY_SECONDS
        report = state.auditor.report(workspace)
        number = 0 if report is None else report.number
        return Decision(answer={"wanted": wanted, "number": number, "report": report.plain() if report else None})

    async def write(self, db: Database, state: Desks, batch: Batch) -> None:
        state.now = batch.now
        names = dict.fromkeys(decided.cause.workspace for decided in batch.decided)
        await store.write(db, batch, [state.desks[name] for name in names if name in state.desks])

    def committed(self, state: Desks) -> None:
        loading.leave_behind(state)
        self._commits += 1
        self.told.set()

    def earliest(self, state: Desks) -> Mapping[str, Instant]:
        return state.timers.earliest()

    def due(self, state: Desks, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        return state.timers.due(kind, until, count_max)


def _prefers_known_agents(desk: Desk, channel: str) -> bool:
    return desk.configured and bool(desk.policy.channels[channel].affinity)


def _note_tickets(desk: Desk, ids: Sequence[str], tickets: dict[tuple[str, str], None]) -> None:
    for id in ids:
        if id not in desk.tickets:
            tickets[desk.workspace, id] = None


def _note_needs(
    desk: Desk,
    cause: RecordCause,
    body: Any,
    tickets: dict[tuple[str, str], None],
    offers: dict[tuple[str, str], None],
    explained: dict[tuple[str, str, str | None], None],
) -> None:
    """Which rows the decision about this body asks for."""
    if isinstance(body, (asked.OfferAccept, asked.OfferReject)):
        if body.offer_id not in desk.offers:
            offers[desk.workspace, body.offer_id] = None
        return
    if isinstance(body, asked.TicketsBulk):
        _note_tickets(desk, done_at_once(body) or (), tickets)
        return
    ticket = getattr(body, "ticket_id", None)
    if ticket is None or (isinstance(body, MessageReceived) and body.opens and not cause.again):
        return  # what opens is in no table: to look for it would be to look in vain, for every new ticket
    if ticket not in desk.tickets:
        tickets[desk.workspace, ticket] = None
    if isinstance(body, asked.TicketMerge) and body.into not in desk.tickets:
        tickets[desk.workspace, body.into] = None
    if isinstance(body, asked.TicketExplain):
        explained[desk.workspace, ticket, body.agent] = None
