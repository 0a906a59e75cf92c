"""What records, commands and timers do to a lane's alerts: clocks join and leave, people acknowledge."""

from dataclasses import replace

from pointsman.contracts.alerting import AlertAck, AlertUnack
from pointsman.contracts.base import Contract
from pointsman.contracts.shapes import SYSTEM, Severity
from pointsman.core.cause import RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission, refuse
from pointsman.core.instant import Instant
from pointsman_sla.alerts.model import ACK_SECONDS_MAX, Alert, Member, shape
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.state import SlaState


def move(state: SlaState, course: Course, before: Ticket | None, now: Instant) -> list[Emission]:
    """Joins and leaves alerts as the course says; its clocks then name the alerts they are in."""
    ticket = course.ticket
    member_of: dict[str, dict[Severity, str]] = {}
    for clock in before.clocks.values() if before is not None else ():
        member_of[clock.id] = dict(clock.alerts)
    emissions: list[Emission] = []
    for severity, clock, joins, reason in course.moves:
        mine = member_of.setdefault(clock.id, {})
        if joins:
            named = replace(clock, alerts=tuple(mine.items()))
            alerts, facts = join(state, ticket.workspace, ticket.id, named, severity, now)
            emissions += facts
            member_of[clock.id] = dict(alerts)
        elif severity in mine:
            left = mine.pop(severity)
            fact = state.alerts.leave(left, member(ticket.id, clock), now, reason)
            if fact is not None:
                emissions.append(told(ticket.workspace, left, fact, now))
    for clock in tuple(course.changed.values()):
        named_alerts = tuple(member_of.get(clock.id, {}).items())
        if clock.alerts != named_alerts:
            course.rename_alerts(clock, named_alerts)
    return emissions


def join(
    state: SlaState, workspace: str, ticket_id: str, clock: Clock, severity: Severity, now: Instant
) -> tuple[tuple[tuple[Severity, str], ...], list[Emission]]:
    """The clock joins the alert of its severity, policy and queue, unless it is in it; it leaves one of another.

    Gives the alerts it is in then.
    """
    key = (workspace, severity, clock.policy, clock.queue or "")
    emissions: list[Emission] = []
    before = next((alert for known, alert in clock.alerts if known == severity), None)
    if before is not None:
        if state.alerts.by_key.get(key) == before:
            return clock.alerts, emissions
        resolved = state.alerts.leave(before, member(ticket_id, clock), now, "moved")
        if resolved is not None:
            emissions.append(told(workspace, before, resolved, now))
    alert_id, opened = state.alerts.join(key, member(ticket_id, clock), now)
    if opened is not None:
        emissions.append(told(workspace, alert_id, opened, now))
    others = (pair for pair in clock.alerts if pair[0] != severity)
    return (*others, (severity, alert_id)), emissions


def acknowledge(state: SlaState, cause: RecordCause, body: AlertAck | AlertUnack, now: Instant) -> Decision:
    alert = state.alerts.open.get(body.alert_id) or state.asked_alerts.get(body.alert_id)
    if alert is None or alert.workspace != cause.workspace:
        return refuse(404, "not-found", f"there is no alert {body.alert_id}")
    if alert.id not in state.alerts.open:
        return refuse(409, "alert-resolved", "the alert is resolved", resolved_at=alert.resolved_at)
    fact: Contract
    if isinstance(body, AlertAck):
        seconds = body.for_seconds
        if seconds is not None and not 0 < seconds <= ACK_SECONDS_MAX:
            return refuse(422, "invalid", f"for_seconds is not between 1 and {ACK_SECONDS_MAX}")
        alert, fact = state.alerts.acknowledge(alert, body.actor, body.comment, seconds, now)
    elif alert.state != "acknowledged":
        return Decision(answer=shown(state, alert))
    else:
        alert, fact = state.alerts.unacknowledge(alert, body.actor, now)
    emission = told(alert.workspace, alert.id, fact, now)
    return Decision(emissions=(emission,), answer=shown(state, alert))


def shown(state: SlaState, alert: Alert) -> dict[str, object]:
    return shape(alert, state.asked_members.get(alert.id, []), state.alerts.counts.get(alert.id, 0))


def end_acknowledgement(state: SlaState, cause: TimerCause, now: Instant) -> Decision:
    alert = state.alerts.open.get(cause.subject)
    if alert is None or alert.generation != cause.generation or alert.ack_until is None:
        return NOTHING
    alert, fact = state.alerts.unacknowledge(alert, SYSTEM, now, comment="the acknowledgement is over")
    return Decision(emissions=(told(alert.workspace, alert.id, fact, now),))


def member(ticket_id: str, clock: Clock) -> Member:
    """The clock as its alerts name it."""
    return Member(clock.id, ticket_id, clock.metric, clock.cycle)


def told(workspace: str, alert_id: str, fact: Contract, now: Instant) -> Emission:
    """A fact of an alert."""
    return Emission(workspace, f"alert:{alert_id}", now, (fact,))
