"""Tickets, clocks and alerts as rows, and back. The parts that nobody queries are in one JSON column each."""

from collections.abc import Mapping
from typing import Any

import orjson

from pointsman.contracts.alerting import SilenceMatch
from pointsman.contracts.shapes import Actor
from pointsman_sla.alerts.model import Alert
from pointsman_sla.alerts.silences import Silence
from pointsman_sla.clocks.model import Clock, Escalation, InAlert, Segment, Ticket
from pointsman_sla.clocks.policy import Labels
from pointsman_sla.micros import instant, micros

CLOCK_COLUMNS = """c.clock_id, c.ticket_id, c.workspace, c.metric, c.cycle, c.state, c.policy, c.calendar,
    c.config_version, c.queue, c.priority, c.target_seconds, c.generation, c.started_at, c.due_at, c.breach_at,
    c.breached_at, c.ended_at, c.retargeted, c.reason, c.life, c.overdue"""


def mirror_of(ticket: Ticket) -> str:
    """The JSON column of a ticket."""
    return orjson.dumps(
        {
            "labels": ticket.labels,
            "opened_at": ticket.opened_at,
            "last_at": ticket.last_at,
            "phases": ticket.phases,
            "customer_since": ticket.customer_since,
            "responded": ticket.responded,
            "answered_at": ticket.answered_at,
            "unanswered": ticket.unanswered,
            "shelved": ticket.shelved,
        }
    ).decode()


def ticket_of(row: Mapping[str, Any], clocks: Mapping[Any, Clock]) -> Ticket:
    """The ticket of a row, with its clocks."""
    mirror = row["mirror"]
    labels = mirror["labels"]
    return Ticket(
        id=row["ticket_id"],
        workspace=row["workspace"],
        config_version=row["config_version"],
        opened_at=mirror["opened_at"],
        last_at=mirror["last_at"],
        labels=Labels(**{**labels, "tags": tuple(labels["tags"])}),
        phases=tuple((at, phase) for at, phase in mirror["phases"]),
        agent=row["agent"],
        customer_since=mirror["customer_since"],
        responded=mirror["responded"],
        answered_at=mirror["answered_at"],
        unanswered=tuple(mirror["unanswered"]),
        shelved=tuple(mirror.get("shelved") or ()),
        clocks=clocks,
    )


def life_of(clock: Clock) -> dict[str, Any]:
    """The JSON column of a clock."""
    return {
        "segments": [(s.start, s.end, s.calendar, s.version, s.why) for s in clock.segments],
        **_points_of(clock),
        "restated": clock.restated,
    }


def firing_of(clock: Clock) -> str:
    """What a firing changes in the JSON column of a clock."""
    return orjson.dumps(_points_of(clock)).decode()


def _points_of(clock: Clock) -> dict[str, Any]:
    on = clock.escalation
    return {
        "plan": clock.plan,
        "warned": clock.warned,
        "alerts": [tuple(each) for each in clock.alerts],
        "escalation": None if on is None else (on.ladder, on.version, on.points, on.done, on.held),
    }


def clock_of(row: Mapping[str, Any]) -> Clock:
    """The clock of a row."""
    life = row["life"]
    return Clock(
        id=row["clock_id"],
        metric=row["metric"],
        cycle=row["cycle"],
        state=row["state"],
        policy=row["policy"],
        calendar=row["calendar"],
        version=row["config_version"],
        queue=row["queue"],
        priority=row["priority"],
        target_seconds=row["target_seconds"],
        generation=row["generation"],
        started_at=micros(row["started_at"]),
        due_at=micros(row["due_at"]),
        breach_at=micros(row["breach_at"]),
        segments=tuple(Segment(*segment) for segment in life["segments"]),
        plan=tuple((at, step) for at, step in life["plan"]),
        warned=tuple((step, at) for step, at in life["warned"]),
        breached_at=None if row["breached_at"] is None else micros(row["breached_at"]),
        retargeted=row["retargeted"],
        ended_at=None if row["ended_at"] is None else micros(row["ended_at"]),
        reason=row["reason"],
        alerts=tuple(InAlert(*each) for each in life["alerts"]),
        escalation=_escalation_of(life.get("escalation")),
        restated=life.get("restated"),
        overdue=row["overdue"],
    )


def _escalation_of(stored: Any) -> Escalation | None:
    if stored is None:
        return None
    ladder, version, points, done, *held = stored
    return Escalation(ladder, version, _points(points), tuple(done), _points(held[0] if held else ()))


def _points(stored: Any) -> tuple[tuple[int, str], ...]:
    return tuple((at, name) for at, name in stored)


def clock_row(ticket_id: str, workspace: str, clock: Clock) -> dict[str, Any]:
    """A clock's row by column, as `writing.KEEP_CLOCKS` takes it."""
    return {
        "clock_id": clock.id,
        "ticket_id": ticket_id,
        "workspace": workspace,
        "metric": clock.metric,
        "cycle": clock.cycle,
        "state": clock.state,
        "policy": clock.policy,
        "calendar": clock.calendar,
        "config_version": clock.version,
        "queue": clock.queue,
        "priority": clock.priority,
        "target_seconds": clock.target_seconds,
        "generation": clock.generation,
        "started_at": instant(clock.started_at),
        "due_at": instant(clock.due_at),
        "breach_at": instant(clock.breach_at),
        "breached_at": None if clock.breached_at is None else instant(clock.breached_at),
        "ended_at": None if clock.ended_at is None else instant(clock.ended_at),
        "retargeted": clock.retargeted,
        "reason": clock.reason,
        "life": life_of(clock),
        "overdue": clock.overdue,
    }


def alert_of(row: Mapping[str, Any]) -> Alert:
    """The alert of a row."""
    return Alert(
        id=row["alert_id"],
        workspace=row["workspace"],
        severity=row["severity"],
        policy=row["policy"],
        queue=row["queue"],
        state=row["state"],
        opened_at=row["opened_at"],
        generation=row["generation"],
        acked_by=row["acked_by"],
        acked_at=row["acked_at"],
        ack_until=row["ack_until"],
        resolved_at=row["resolved_at"],
        covered_at=row["covered_at"],
        silence_id=row["silence_id"],
        told=tuple(row["told"]),
        covered_by=row["covered_by"],
        covered=row["covered"],
        spent=row["spent"],
        released_at=row["released_at"],
    )


def silence_of(row: Mapping[str, Any]) -> Silence:
    """The silence of a row."""
    return Silence(
        id=row["silence_id"],
        workspace=row["workspace"],
        match=SilenceMatch(**row["match"]),
        until=row["until"],
        reason=row["reason"],
        by=Actor(kind=row["by_kind"], id=row["by_id"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )
