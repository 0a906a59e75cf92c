"""The end of a cover: the clocks of an alert are given back what was deferred, a bounded number a decision.

An acknowledgement that ends, and a silence, leave the alert marked; steps of the lane then go through its clocks in the
order in which they joined. The mark is taken off with the last, so that whoever owns the lane next begins anew: what a
clock has, it is not given twice. Between two steps whatever is due fires.
"""

from dataclasses import replace

from pointsman.core.cause import TimerCause
from pointsman.core.decision import NOTHING, Decision
from pointsman.core.instant import EPOCH, Instant
from pointsman_sla.alerts.model import Alert
from pointsman_sla.clocks.deferring import given_back, has_ended, told_again
from pointsman_sla.clocks.model import Clock, InAlert
from pointsman_sla.micros import instant, micros
from pointsman_sla.near_timers import NearTimer
from pointsman_sla.rules.alerting import ladder_of
from pointsman_sla.state import Placed, SlaState

RELEASE = "release"
"""The kind of timer that gives clocks back what was deferred."""

STEP_CLOCKS_MAX = 200


def place_of(state: SlaState, alert_id: str) -> tuple[Instant, str]:
    """The clock after which the alert's next step begins."""
    return state.released_to.get(alert_id, (EPOCH, ""))


# -- timers ------------------------------------------------------------------------------------------------------------


def earliest(state: SlaState) -> dict[str, Instant]:
    """When the next step is due; empty when nothing is to be given back."""
    since = [alert.released_at for alert in state.alerts.open.values() if alert.released_at is not None]
    return {RELEASE: min(since)} if since else {}


def due(state: SlaState, until: Instant, count_max: int) -> list[TimerCause]:
    """The next step of each alert that is marked, the longest marked first."""
    marked = [
        TimerCause(
            f"{alert.id}:{RELEASE}:{alert.generation}:{place_of(state, alert.id)[1]}",
            RELEASE,
            alert.workspace,
            alert.id,
            alert.released_at,
            alert.generation,
        )
        for alert in state.alerts.open.values()
        if alert.released_at is not None and alert.released_at <= until
    ]
    return sorted(marked, key=lambda cause: (cause.due, cause.id))[:count_max]


# -- decide ------------------------------------------------------------------------------------------------------------


def step(state: SlaState, cause: TimerCause, now: Instant) -> Decision:
    """The alert's next clocks are given back what was deferred."""
    alert = state.alerts.open.get(cause.subject)
    found = state.releasing.get(cause.subject)
    if alert is None or alert.released_at is None or alert.generation != cause.generation or found is None:
        return NOTHING
    for _, timer in found:
        _release(state, alert.id, _newest(state, timer), now)
    if len(found) < STEP_CLOCKS_MAX:
        state.alerts.released(state.alerts.open[alert.id], None)
        state.journal.pop(state.released_to, alert.id)
    else:
        joined_at, last = found[-1]
        state.alerts.released(state.alerts.open[alert.id], max(now, cause.due))
        state.journal.put(state.released_to, alert.id, (joined_at, last.clock.id))
    return NOTHING


def _release(state: SlaState, alert_id: str, timer: NearTimer, now: Instant) -> None:
    alert, clock = state.alerts.open[alert_id], timer.clock
    place = _membership(clock, alert)
    if place is None or alert.covers(instant(place.since)):
        return
    after = given_back(clock, alert.severity, ladder_of(state, timer.workspace, clock), micros(now))
    if clock.state == "paused":
        after = told_again(after, alert.severity, micros(now))
    if after is clock:
        return
    if has_ended(clock, alert.severity) and not has_ended(after, alert.severity):
        state.alerts.climbs_again(alert)
    after = replace(after, generation=clock.generation + 1)
    state.keep_clock(Placed(timer.ticket_id, timer.workspace, after))
    state.near.arm(replace(timer, clock=after))
    ticket = state.tickets.get(timer.ticket_id)
    if ticket is not None:
        state.keep_ticket_clock(ticket, after)


def _membership(clock: Clock, alert: Alert) -> InAlert | None:
    return next((each for each in clock.alerts if each.alert == alert.id), None)


def _newest(state: SlaState, timer: NearTimer) -> NearTimer:
    """The clock as this batch has left it so far."""
    id, ticket = timer.clock.id, state.tickets.get(timer.ticket_id)
    timer = timer if ticket is None else replace(timer, agent=ticket.agent)
    placed = state.changed_clocks.get(id)
    if placed is not None:
        return replace(timer, clock=placed.clock)
    fired = state.fired_clocks.get(id)
    if fired is not None:
        return replace(timer, clock=fired)
    return timer
