"""What a batch's decisions need that is not in memory, read before the first of them."""

from collections.abc import Sequence
from typing import Any

from pointsman.contracts.alerting import AlertAck, AlertUnack, SilenceAdd, SilenceEnd
from pointsman.contracts.desk import TicketEscalated, TicketMerged, TicketOpened
from pointsman.contracts.recomputing import ClocksRecompute
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import Cause, TimerCause
from pointsman.runtime.logic import Database
from pointsman_sla.clocks.lifecycle import CONCERNING
from pointsman_sla.clocks.model import Clock
from pointsman_sla.job import STEP_TICKETS_MAX, Job
from pointsman_sla.near_timers import clock_of
from pointsman_sla.rules.alerting import ACKNOWLEDGEMENT, SILENCE
from pointsman_sla.rules.cover_end import RELEASE, STEP_CLOCKS_MAX, place_of
from pointsman_sla.rules.recompute import RECOMPUTE
from pointsman_sla.state import SlaState
from pointsman_sla.store import loading
from pointsman_sla.store.jobs import read_newest, read_next_open


async def gather(db: Database, state: SlaState, causes: Sequence[Cause]) -> None:
    """The tickets, versions and alerts that the causes need and that are not in memory."""
    tickets: set[str] = set()
    versions: set[tuple[str, int]] = set()
    alerts: set[str] = set()
    newest: set[str] = set()
    for cause in causes:
        if isinstance(cause, TimerCause):
            if cause.kind in (ACKNOWLEDGEMENT, SILENCE):
                newest.add(cause.workspace)
            elif timer := state.near.timers.get(clock_of(cause)):
                versions |= _versions_of_ladder(timer.workspace, timer.clock)
            continue
        for body in cause.bodies:
            if type(body) in CONCERNING:
                tickets.add(body.ticket_id)
                if isinstance(body, TicketMerged) and body.into is not None:
                    tickets.add(body.into)
                if isinstance(body, TicketOpened):
                    versions.add((cause.workspace, body.config_version))
                if isinstance(body, TicketEscalated) and body.notify is not None:
                    newest.add(cause.workspace)
            elif isinstance(body, AlertAck | AlertUnack):
                alerts.add(body.alert_id)
                newest.add(cause.workspace)
            elif isinstance(body, SilenceAdd | SilenceEnd):
                newest.add(cause.workspace)
    state.used(tickets)
    if unknown := [ticket for ticket in tickets if ticket not in state.tickets]:
        for ticket in await loading.read_tickets(db, unknown):
            state.tickets[ticket.id] = ticket
            versions |= loading.versions_of(ticket)
    if missing := [key for key in versions if key not in state.books]:
        state.books.update(await loading.read_books(db, missing))
    if newest:
        state.newest_books = await loading.read_newest_books(db, newest)
    if alerts:
        state.asked_alerts = {alert.id: alert for alert in await loading.read_alerts(db, alerts)}
        state.asked_members = await loading.read_members(db, alerts)
    await _gather_cover_ends(db, state, causes)
    await _gather_recomputes(db, state, causes)


def _versions_of_ladder(workspace: str, clock: Clock) -> set[tuple[str, int]]:
    return set() if clock.escalation is None else {(workspace, clock.escalation.version)}


async def _gather_cover_ends(db: Database, state: SlaState, causes: Sequence[Cause]) -> None:
    """The next clocks of the alerts whose steps are due, with the versions of their ladders."""
    for cause in causes:
        if isinstance(cause, TimerCause) and cause.kind == RELEASE:
            found = await loading.read_joined(db, cause.subject, *place_of(state, cause.subject), STEP_CLOCKS_MAX)
            state.releasing[cause.subject] = found
            wanted = {
                (timer.workspace, timer.clock.escalation.version)
                for _, timer in found
                if timer.clock.escalation is not None
            }
            if missing := [key for key in wanted if key not in state.books]:
                state.books.update(await loading.read_books(db, missing))


async def _gather_recomputes(db: Database, state: SlaState, causes: Sequence[Cause]) -> None:
    """What beginning recomputes and steps need: how many tickets are open; the step's tickets, with their versions."""
    for cause in causes:
        if isinstance(cause, TimerCause):
            if cause.kind == RECOMPUTE and (job := state.jobs.open.get(cause.subject)) is not None:
                await _gather_step(db, state, job)
        elif cause.workspace not in state.jobs.newest and any(map(_begins, cause.bodies)):
            state.jobs.newest[cause.workspace] = await read_newest(db, cause.workspace)


async def _gather_step(db: Database, state: SlaState, job: Job) -> None:
    ids = await read_next_open(db, job.workspace, job.place, STEP_TICKETS_MAX)
    state.jobs.tickets[job.id] = ids
    versions = {(job.workspace, job.version)}
    if unknown := [id for id in ids if id not in state.tickets]:
        state.jobs.visitors.update(unknown)
        state.tickets.update((ticket.id, ticket) for ticket in await loading.read_tickets(db, unknown))
    for id in ids:
        versions |= loading.versions_of(state.tickets[id])
    if missing := [key for key in versions if key not in state.books]:
        state.books.update(await loading.read_books(db, missing))


def _begins(body: Any) -> bool:
    return isinstance(body, ClocksRecompute) or (isinstance(body, ConfigApplied) and body.open_clocks == "recompute")
