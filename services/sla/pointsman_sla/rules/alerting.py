"""What records, commands and timers do to a lane's alerts: clocks join and leave, people acknowledge and silence."""

from collections.abc import Iterator
from dataclasses import replace

from pointsman.contracts.alerting import AlertAck, AlertUnack, SilenceAdd, SilenceEnd, SilenceMatch
from pointsman.contracts.base import Contract
from pointsman.contracts.desk import TicketEscalated
from pointsman.contracts.document.workspace import FIRST_QUEUE
from pointsman.contracts.shapes import SYSTEM, Actor, Severity
from pointsman.core.cause import RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision, Emission, refuse
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant, seconds_between
from pointsman_sla.alerts.items import Item
from pointsman_sla.alerts.model import ACK_SECONDS_MAX, Alert, Member, shape
from pointsman_sla.alerts.silences import SILENCE_SECONDS_MAX, SILENCES_MAX, Silence, silence_shape
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.deferring import given_back, has_ended
from pointsman_sla.clocks.firing import past
from pointsman_sla.clocks.ladder import Ladder
from pointsman_sla.clocks.model import Clock, InAlert, Ticket
from pointsman_sla.micros import instant, micros
from pointsman_sla.state import SlaState

ACKNOWLEDGEMENT, SILENCE = "acknowledgement", "silence"
"""The kinds of timer that end an acknowledgement given for a time, and a silence."""


def move(state: SlaState, course: Course, before: Ticket | None, now: Instant) -> list[Emission]:
    """Joins and leaves alerts as the course says, so that a clock that runs past a point is in the alert of that
    severity, of its policy and of its queue, and no other is: whatever started it again, or gave it another policy or
    queue, in this decision. Its clocks then name the alerts that they are in."""
    ticket = course.ticket
    mine: dict[str, dict[Severity, InAlert]] = {}
    for clock in before.clocks.values() if before is not None else ():
        mine[clock.id] = {each.severity: each for each in clock.alerts}
    emissions: list[Emission] = []
    for severity, clock, joins, reason in course.moves:
        places = mine.setdefault(clock.id, {})
        if joins:
            emissions += _into(state, course, clock, places, severity, now)
        elif severity in places:
            emissions += leave(state, ticket.workspace, ticket.id, clock, places.pop(severity), now, reason)
    for clock in tuple(course.changed.values()):
        places, severities = mine.setdefault(clock.id, {}), past(clock)
        for severity in tuple(places):
            if severity not in severities:
                emissions += leave(
                    state, ticket.workspace, ticket.id, clock, places.pop(severity), now, clock.reason or clock.state
                )
        for severity in severities:
            emissions += _into(state, course, clock, places, severity, now)
        there = tuple(places.values())
        amended = clock if clock.alerts == there else replace(clock, alerts=there)
        since = {each.alert: each.since for each in clock.alerts}
        for each in there if clock.id not in course.carried else ():
            if since.get(each.alert) != each.since and not state.alerts.open[each.alert].covers(instant(each.since)):
                amended = given_back(amended, each.severity, ladder_of(state, ticket.workspace, amended), micros(now))
        if amended is not clock:
            course.amend(amended)
    return emissions


def ladder_of(state: SlaState, workspace: str, clock: Clock) -> Ladder | None:
    """The ladder that the clock is on, as it stood when the clock came onto it."""
    on = clock.escalation
    return None if on is None else state.book(workspace, on.version).ladders.get(on.ladder)


def _into(
    state: SlaState, course: Course, clock: Clock, places: dict[Severity, InAlert], severity: Severity, now: Instant
) -> list[Emission]:
    ticket, origin = course.ticket, course.carried.get(clock.id)
    clock = replace(clock, alerts=tuple(places.values()))
    alerts, facts = join(state, ticket.workspace, ticket.id, clock, severity, now, origin)
    places.clear()
    places.update((each.severity, each) for each in alerts)
    return facts


def join(
    state: SlaState,
    workspace: str,
    ticket_id: str,
    clock: Clock,
    severity: Severity,
    now: Instant,
    origin: Clock | None = None,
) -> tuple[tuple[InAlert, ...], list[Emission]]:
    """The clock joins the alert of its severity, policy and queue, unless it is in it; it leaves one of another.
    `origin` goes on in it: who takes care of that takes care of it.

    Gives the alerts it is in then.
    """
    key = (workspace, severity, clock.policy, clock.queue or "")
    emissions: list[Emission] = []
    before = next((each for each in clock.alerts if each.severity == severity), None)
    if before is not None:
        if state.alerts.by_key.get(key) == before.alert:
            return clock.alerts, emissions
        emissions += leave(state, workspace, ticket_id, clock, before, now, "moved")
    like = None if origin is None else _taken_care_of(state, origin, severity)
    spent = origin is not None and has_ended(clock, severity)
    alert_id, opened = state.alerts.join(key, member(ticket_id, clock), now, like, spent)
    if opened is not None:
        emissions.append(told(workspace, alert_id, opened, now))
        silence = state.silences.covering(key)
        if silence is not None:
            fact = state.alerts.silence(state.alerts.open[alert_id], silence, now)
            emissions.append(told(workspace, alert_id, fact, now))
    others = (each for each in clock.alerts if each.severity != severity)
    return (*others, InAlert(severity, alert_id, micros(state.alerts.joined_at(alert_id, clock.id)))), emissions


def _taken_care_of(state: SlaState, clock: Clock, severity: Severity) -> Alert | None:
    """The alert of this severity in which somebody takes care of the clock."""
    place = next((each for each in clock.alerts if each.severity == severity), None)
    alert = None if place is None else state.alerts.open.get(place.alert)
    return alert if alert is not None and place is not None and alert.covers(instant(place.since)) else None


def leave(
    state: SlaState, workspace: str, ticket_id: str, clock: Clock, place: InAlert, now: Instant, reason: str
) -> list[Emission]:
    """The clock leaves the alert, which is resolved with its last one."""
    fact = state.alerts.leave(
        place.alert,
        member(ticket_id, clock),
        now,
        reason,
        since=instant(place.since),
        spent=has_ended(clock, place.severity),
    )
    return [] if fact is None else [told(workspace, place.alert, fact, now)]


# -- acknowledgements --------------------------------------------------------------------------------------------------


def acknowledge(state: SlaState, cause: RecordCause, body: AlertAck | AlertUnack, now: Instant) -> Decision:
    """Somebody takes care of an alert, or does no more."""
    alert = state.alerts.open.get(body.alert_id) or state.asked_alerts.get(body.alert_id)
    if alert is None or alert.workspace != cause.workspace:
        return refuse(404, "not-found", f"there is no alert {body.alert_id}")
    if alert.id not in state.alerts.open:
        return refuse(409, "alert-resolved", "the alert is resolved", resolved_at=alert.resolved_at)
    if isinstance(body, AlertAck):
        seconds = body.for_seconds
        if seconds is not None and not 0 < seconds <= ACK_SECONDS_MAX:
            return refuse(422, "invalid", f"for_seconds is not between 1 and {ACK_SECONDS_MAX}")
        alert, fact = state.alerts.acknowledge(alert, body.actor, body.comment, seconds, now)
        return Decision(emissions=(told(alert.workspace, alert.id, fact, now),), answer=shown(state, alert))
    emissions = _let_go(state, alert, body.actor, now, f"{body.actor.id} took the acknowledgement back")
    return Decision(emissions=tuple(emissions), answer=shown(state, state.alerts.open[alert.id]))


def shown(state: SlaState, alert: Alert) -> dict[str, object]:
    """The alert as the API shows it."""
    return shape(alert, state.asked_members.get(alert.id, []), state.alerts.counts.get(alert.id, 0))


def end_acknowledgement(state: SlaState, cause: TimerCause, now: Instant) -> Decision:
    """The time for which somebody took care is over."""
    alert = state.alerts.open.get(cause.subject)
    if alert is None or alert.generation != cause.generation or alert.ack_until is None:
        return NOTHING
    return Decision(emissions=tuple(_let_go(state, alert, SYSTEM, now, "the acknowledgement is over")))


def _let_go(state: SlaState, alert: Alert, by: Actor, now: Instant, reason: str) -> list[Emission]:
    """It fires again, and who had been told is told again; unless it is silenced."""
    alert, fact = state.alerts.unacknowledge(alert, by, now, comment=reason if by == SYSTEM else None)
    if fact is None:
        return []
    emissions = [told(alert.workspace, alert.id, fact, now)]
    silence = state.silences.covering(alert.key)
    if silence is not None:
        emissions.append(told(alert.workspace, alert.id, state.alerts.silence(alert, silence, now), now))
    else:
        _tell_again(state, alert, now, reason)
    return emissions


def _tell_again(state: SlaState, alert: Alert, now: Instant, reason: str) -> None:
    book = state.newest_book(alert.workspace)
    for name in alert.told:
        target = book.grouping(name)
        state.notify(
            Item(
                id=derived_id("itm", now, alert.id, "again", alert.generation, name),
                workspace=alert.workspace,
                target=name,
                kind="again",
                group_by=target.group_by,
                within_seconds=target.within_seconds,
                at=now,
                not_before=now,
                reason=reason,
                queue=alert.queue,
                policy=alert.policy,
                severity=alert.severity,
                alert_id=alert.id,
            )
        )


def tell_of_ticket(state: SlaState, cause: RecordCause, body: TicketEscalated, now: Instant) -> None:
    """Nobody took a ticket: the target that its queue names is told (`offer.then.notify`)."""
    assert body.notify is not None
    target = state.newest_book(cause.workspace).grouping(body.notify)
    ticket = state.tickets.get(body.ticket_id)
    state.notify(
        Item(
            id=derived_id("itm", cause.at, cause.id, body.ticket_id, body.notify),
            workspace=cause.workspace,
            target=body.notify,
            kind="escalation",
            group_by=target.group_by,
            within_seconds=target.within_seconds,
            at=now,
            not_before=now,
            reason=f"nobody took the ticket: {body.reason}",
            queue=ticket.labels.queue if ticket is not None else None,
            ticket_id=body.ticket_id,
            priority=ticket.labels.priority if ticket is not None else None,
        )
    )


# -- silences ----------------------------------------------------------------------------------------------------------


def begin_silence(state: SlaState, cause: RecordCause, body: SilenceAdd, now: Instant) -> Decision:
    """Alerts that match notify nobody until then, those that are open now and those that open meanwhile."""
    if body.until <= now:
        return refuse(422, "invalid-request", "the silence would be over already", errors=_at_until("is in the past"))
    if seconds_between(now, body.until) > SILENCE_SECONDS_MAX:
        errors = _at_until(f"is more than {SILENCE_SECONDS_MAX} s ahead")
        return refuse(422, "invalid-request", "a silence has an end", errors=errors)
    if wrong := [*_unknown(state, cause.workspace, body.match)]:
        return refuse(422, "invalid-request", "the newest configuration has not what is named", errors=wrong)
    if sum(1 for _ in state.silences.of(cause.workspace)) >= SILENCES_MAX:
        return refuse(409, "too-many-silences", f"{SILENCES_MAX} silences of this workspace are not over")
    identity = derived_id("sil", now, cause.workspace, cause.id)
    silence = Silence(identity, cause.workspace, body.match, body.until, body.reason, body.actor, now)
    state.silences.add(silence)
    emissions = []
    for alert in tuple(state.alerts.open.values()):
        if silence.covers(alert.key) and state.silences.covering(alert.key) == silence:
            emissions.append(told(alert.workspace, alert.id, state.alerts.silence(alert, silence, now), now))
    return Decision(emissions=tuple(emissions), answer=silence_shape(silence), status=201)


def end_silence(state: SlaState, cause: RecordCause, body: SilenceEnd, now: Instant) -> Decision:
    """Somebody ends a silence before its time."""
    silence = state.silences.active.get(body.silence_id)
    if silence is None or silence.workspace != cause.workspace:
        return refuse(404, "not-found", f"there is no silence {body.silence_id} that is not over")
    emissions = _unsilence(state, silence, body.actor, now)
    return Decision(emissions=tuple(emissions), answer=silence_shape(state.silences.changed[silence.id]))


def silence_is_over(state: SlaState, cause: TimerCause, now: Instant) -> Decision:
    """The time of a silence has come to its end."""
    silence = state.silences.active.get(cause.subject)
    return NOTHING if silence is None else Decision(emissions=tuple(_unsilence(state, silence, SYSTEM, now)))


def _unsilence(state: SlaState, silence: Silence, by: Actor, now: Instant) -> list[Emission]:
    """What it covered fires again, unless another silence covers it; who would have been told is told."""
    state.silences.end(silence, by.id, now)
    emissions = []
    for alert in tuple(state.alerts.open.values()):
        if alert.silence_id != silence.id:
            continue
        other = state.silences.covering(alert.key)
        if other is not None:
            emissions.append(told(alert.workspace, alert.id, state.alerts.silence(alert, other, now), now))
            continue
        alert, fact = state.alerts.unsilence(alert, by, now)
        if fact is not None:
            emissions.append(told(alert.workspace, alert.id, fact, now))
            _tell_again(state, alert, now, "the silence is over")
    return emissions


def _unknown(state: SlaState, workspace: str, match: SilenceMatch) -> Iterator[dict[str, str]]:
    """The policies and queues that neither the newest version nor an open alert has, each with its place."""
    book = state.newest_book(workspace)
    open_keys = [alert.key for alert in state.alerts.open.values() if alert.workspace == workspace]
    policies = {policy.name for policy in book.policies} | {policy for _, _, policy, _ in open_keys}
    queues = {*(book.orders or (FIRST_QUEUE,))} | {queue for _, _, _, queue in open_keys}
    for kind, named, known in (("policy", match.policy, policies), ("queue", match.queue, queues)):
        for place, name in enumerate(named):
            if name not in known:
                pointer = f"/match/{kind}" if len(named) == 1 else f"/match/{kind}/{place}"
                yield {"pointer": pointer, "detail": f"there is no {kind} {name}"}


def _at_until(detail: str) -> list[dict[str, str]]:
    return [{"pointer": "/until", "detail": detail}]


def member(ticket_id: str, clock: Clock) -> Member:
    """The clock as its alerts name it."""
    return Member(clock.id, ticket_id, clock.metric, clock.cycle)


def told(workspace: str, alert_id: str, fact: Contract, now: Instant) -> Emission:
    """A fact of an alert."""
    return Emission(workspace, f"alert:{alert_id}", now, (fact,))
