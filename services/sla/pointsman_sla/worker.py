"""The lane of sla: facts of the desk and the time in, clocks and alerts out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pointsman.contracts.alerting import AlertAck, AlertUnack, SilenceAdd, SilenceEnd
from pointsman.contracts.base import Contract
from pointsman.contracts.codec import all_but
from pointsman.contracts.desk import TicketEscalated
from pointsman.contracts.recomputing import ClocksRecompute
from pointsman.contracts.workspace import ConfigApplied, PresenceChanged
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission
from pointsman.core.instant import Instant, after
from pointsman.core.journal import Journal
from pointsman.runtime.logic import Batch, Database
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.canary import CANARY
from pointsman_sla.clocks.firing import fired, severity_of
from pointsman_sla.clocks.lifecycle import CONCERNING, advance
from pointsman_sla.clocks.policy import part_of, read_book
from pointsman_sla.gathering import gather
from pointsman_sla.micros import instant, micros
from pointsman_sla.near_timers import KINDS, Near, NearTimer, Place, clock_of
from pointsman_sla.notify.writing import write_items
from pointsman_sla.rules import alerting, cover_end, merge, recompute
from pointsman_sla.rules.alerting import ACKNOWLEDGEMENT, SILENCE
from pointsman_sla.rules.apply import conclude
from pointsman_sla.rules.ladder_run import Climb
from pointsman_sla.state import Placed, SlaState
from pointsman_sla.store import loading
from pointsman_sla.store.jobs import read_unfinished
from pointsman_sla.store.observations import write_notes
from pointsman_sla.store.writing import write_changes

NEAR_SECONDS = 6.0
"""How far ahead timers are held in memory."""

NEAR_MAX = 20_000
"""How many timers are held at most; the rest is read when some of them have fired."""

READ_MAX = 1_000
"""How many timers are read in one go: other lanes of the process have their turn in between."""


class SlaLane:
    """LaneLogic of sla. Only what the desk says can stop a clock, so only its topic holds back a warning or breach; an
    acknowledgement, too, holds back a step of a ladder."""

    takes: frozenset[str] = frozenset(
        each.type for each in (AlertAck, AlertUnack, SilenceAdd, SilenceEnd, ClocksRecompute)
    )
    gates: Mapping[str, frozenset[str]] = {
        "warning": frozenset(("desk",)),
        "breach": frozenset(("desk",)),
        "escalation": frozenset(("desk", "commands")),
        ACKNOWLEDGEMENT: frozenset(("commands",)),
        recompute.RECOMPUTE: frozenset(("desk",)),
        SILENCE: frozenset(("commands",)),
        cover_end.RELEASE: frozenset(),  # what ended has been decided
        # Held back by nothing: one that waited for a backlog to be read would hold up its reading.
        CANARY: frozenset(),
    }
    blind_kinds: frozenset[str] = frozenset((*KINDS, CANARY))
    ignores: Mapping[str, frozenset[str]] = {
        "desk": all_but("desk", (*CONCERNING, ConfigApplied, PresenceChanged, TicketEscalated))
    }
    linger: Mapping[str, float] = dict.fromkeys(("desk", "commands"), 0.06)
    refresh_seconds: float = 2.0

    def __init__(self) -> None:
        """`told` is set at commits that left something to tell: for who sends notifications."""
        self.told = asyncio.Event()

    # -- gather --------------------------------------------------------------------------------------------------------

    async def load(self, db: Database, lane: int, now: Instant) -> SlaState:
        """The open alerts, the unfinished recomputes and the timers of the next seconds, the overdue ones first."""
        journal = Journal()
        state = SlaState(journal, lane, now, Near(journal, (0, "")), AlertBook(journal))
        for alert, clocks in await loading.read_open_alerts(db, lane):
            state.alerts.load(alert, clocks)
        state.jobs.open.update((job.id, job) for job in await read_unfinished(db, lane))
        state.silences.load(await loading.read_silences(db, lane))
        state.canary.fires_at = await loading.read_canary(db, lane) or now
        await self.refresh(db, state, now)
        return state

    async def refresh(self, db: Database, state: SlaState, now: Instant) -> None:
        """Reads on: the timers up to a few seconds ahead that are not in memory yet."""
        until = after(now, NEAR_SECONDS)
        horizon = (micros(until), "")
        near = state.near
        if horizon <= near.read_to or len(near.timers) >= NEAR_MAX:
            return
        last: Place | None = near.read_to
        while last is not None and len(near.timers) < NEAR_MAX:
            timers, last = await loading.read_near(db, state.lane, last, until, READ_MAX)
            for timer in timers:
                near.load(timer)
            near.read_to = last or (horizon[0], "\x7f")

    async def gather(self, db: Database, state: SlaState, causes: Sequence[Cause]) -> None:
        """What the causes need and that is not in memory."""
        await gather(db, state, causes)

    # -- decide --------------------------------------------------------------------------------------------------------

    def decide(self, state: SlaState, cause: Cause, now: Instant) -> Decision:
        """What a record, a command or a timer means."""
        if isinstance(cause, TimerCause):
            return self._timer(state, cause, now)
        body = cause.bodies[0]
        if isinstance(body, AlertAck | AlertUnack):
            return alerting.acknowledge(state, cause, body, now)
        if isinstance(body, SilenceAdd):
            return alerting.begin_silence(state, cause, body, now)
        if isinstance(body, SilenceEnd):
            return alerting.end_silence(state, cause, body, now)
        if isinstance(body, ClocksRecompute):
            return recompute.ask(state, cause, body, now)
        for body in cause.bodies:
            if isinstance(body, ConfigApplied):
                self._apply_config(state, cause, body)
                recompute.begin_with(state, cause, body, now)
            elif isinstance(body, PresenceChanged):
                state.notes.hear(cause.workspace, body)
            elif isinstance(body, TicketEscalated) and body.notify is not None:
                alerting.tell_of_ticket(state, cause, body, now)
        if any(type(body) in CONCERNING for body in cause.bodies):
            return self._advance(state, cause, now)
        return NOTHING

    def _timer(self, state: SlaState, cause: TimerCause, now: Instant) -> Decision:
        """What has come by itself."""
        if cause.kind == recompute.RECOMPUTE:
            return recompute.step(state, cause, now)
        if cause.kind == ACKNOWLEDGEMENT:
            return alerting.end_acknowledgement(state, cause, now)
        if cause.kind == SILENCE:
            return alerting.silence_is_over(state, cause, now)
        if cause.kind == cover_end.RELEASE:
            return cover_end.step(state, cause, now)
        if cause.kind == CANARY:
            state.canary.fire(state.journal, now)
            return NOTHING
        timer = state.near.timers.get(clock_of(cause))
        if timer is None or timer.id != cause.id:
            return NOTHING  # a timer of an older generation means nothing
        return self._escalate(state, timer, now) if cause.kind == "escalation" else self._fire(state, timer, cause, now)

    def _apply_config(self, state: SlaState, cause: RecordCause, body: ConfigApplied) -> None:
        key = (cause.workspace, body.config_version)
        part = part_of(body.document)
        state.journal.put(state.books, key, read_book(body.config_version, part))
        state.journal.put(state.new_configs, key, (part, body.applied_at))

    def _advance(self, state: SlaState, cause: RecordCause, now: Instant) -> Decision:
        ticket_id = next(body.ticket_id for body in cause.bodies if type(body) in CONCERNING)
        before = state.tickets.get(ticket_id)
        if before is not None and before.workspace != cause.workspace:
            raise ValueError(f"{ticket_id} is a ticket of another workspace")
        course = advance(
            before, cause.workspace, cause.bodies, cause.at, lambda version: state.book(cause.workspace, version)
        )
        if course is None:
            return NOTHING
        state.notes.note(before, course, cause.bodies, cause.at)
        elsewhere = merge.go_on(state, cause, before, course, now)
        return Decision(emissions=(*elsewhere, *conclude(state, course, before, cause.at, now)))

    def _fire(self, state: SlaState, timer: NearTimer, cause: TimerCause, now: Instant) -> Decision:
        """The next point of a clock has come."""
        clock, point = timer.clock, timer.clock.plan[0]
        alerts, emissions = alerting.join(state, timer.workspace, timer.ticket_id, clock, severity_of(point[1]), now)
        overdue = cause.late or cause.due < state.taken_at
        clock, fact = fired(
            clock, timer.ticket_id, timer.agent, micros(now), late=overdue, blind=cause.blind, alerts=alerts
        )
        timer = replace(timer, clock=clock)
        facts: list[Contract] = [fact]
        if clock.escalation is not None:
            climb = Climb(state, timer, now)
            climb.begin((point,))
            timer, facts, emissions = climb.timer, facts + climb.facts, emissions + climb.emissions
        return self._fired(state, timer, facts, emissions, now)

    def _escalate(self, state: SlaState, timer: NearTimer, now: Instant) -> Decision:
        """The next step of a clock's ladder has come."""
        climb = Climb(state, timer, now)
        climb.go_on()
        return self._fired(state, climb.timer, climb.facts, climb.emissions, now)

    def _fired(
        self, state: SlaState, timer: NearTimer, facts: list[Contract], emissions: list[Emission], now: Instant
    ) -> Decision:
        state.keep_fired(Placed(timer.ticket_id, timer.workspace, timer.clock))
        state.near.arm(timer)
        ticket = state.tickets.get(timer.ticket_id)
        if ticket is not None:
            state.keep_ticket_clock(ticket, timer.clock)
        agents = (timer.agent,) if timer.agent else ()
        if facts:
            emissions = [Emission(timer.workspace, timer.ticket_id, now, tuple(facts), agents), *emissions]
        return Decision(emissions=tuple(emissions))

    # -- apply ---------------------------------------------------------------------------------------------------------

    async def write(self, db: Database, state: SlaState, batch: Batch) -> None:
        """The changed rows."""
        await write_changes(db, state)
        await write_notes(db, state.notes, state.lane, batch.now)
        if state.items:
            await write_items(db, state.lane, state.items, batch.now)

    def committed(self, state: SlaState) -> None:
        """Forgets what was dirty."""
        if state.items:
            self.told.set()
        state.committed()

    # -- timers --------------------------------------------------------------------------------------------------------

    def earliest(self, state: SlaState) -> Mapping[str, Instant]:
        """The next warning, breach, end of an acknowledgement, and step of a recompute."""
        found = {kind: instant(order[0][0]) for kind, order in state.near.order.items() if order}
        ends = [alert.ack_until for alert in state.alerts.open.values() if alert.ack_until is not None]
        if ends:
            found[ACKNOWLEDGEMENT] = min(ends)
        if state.silences.active:
            found[SILENCE] = min(silence.until for silence in state.silences.active.values())
        found[CANARY] = state.canary.fires_at
        return found | cover_end.earliest(state) | recompute.earliest(state)

    def due(self, state: SlaState, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        """The timers of a kind that are due, earliest first."""
        if kind == recompute.RECOMPUTE:
            return recompute.due(state, until, count_max)
        if kind == cover_end.RELEASE:
            return cover_end.due(state, until, count_max)
        if kind == ACKNOWLEDGEMENT:
            return self._due_acks(state, until)[:count_max]
        if kind == SILENCE:
            return self._due_silences(state, until)[:count_max]
        if kind == CANARY:
            return [state.canary.cause(state.lane)] if state.canary.fires_at <= until else []
        causes: list[TimerCause] = []
        limit = micros(until)
        for at, clock_id in state.near.order[kind]:
            if at > limit or len(causes) >= count_max:
                break
            timer = state.near.timers[clock_id]
            clock = timer.clock
            causes.append(
                TimerCause(
                    id=timer.id,
                    kind=kind,
                    workspace=timer.workspace,
                    subject=timer.ticket_id,
                    due=instant(at),
                    generation=clock.generation,
                )
            )
        return causes

    def _due_acks(self, state: SlaState, until: Instant) -> list[TimerCause]:
        ends = [
            TimerCause(f"{a.id}:{a.generation}", ACKNOWLEDGEMENT, a.workspace, a.id, a.ack_until, a.generation)
            for a in state.alerts.open.values()
            if a.ack_until is not None and a.ack_until <= until
        ]
        return sorted(ends, key=lambda cause: (cause.due, cause.id))

    def _due_silences(self, state: SlaState, until: Instant) -> list[TimerCause]:
        ends = [
            TimerCause(silence.id, SILENCE, silence.workspace, silence.id, silence.until)
            for silence in state.silences.active.values()
            if silence.until <= until
        ]
        return sorted(ends, key=lambda cause: (cause.due, cause.id))
