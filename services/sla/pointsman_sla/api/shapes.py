"""What the API shows of clocks and alerts."""

from collections.abc import Mapping
from datetime import date as Day
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from pointsman.contracts.shapes import Metric, Severity
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.instants import GivenInstant
from pointsman_sla.alerts.model import AlertState, EventKind
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.points import NEVER, Calendars, elapsed
from pointsman_sla.ledger import Interval, Names, ledger
from pointsman_sla.micros import MICROS, instant
from pointsman_sla.predict.predicting import Prediction

ClockState = Literal["running", "paused", "met", "breached", "cancelled"]


class ClockShown(BaseModel):
    """A clock. `state` is `breached` from the breach on, also after a late answer (`ended_at`). `due_at` is shown to
    people, `breach_at` is when it fires; both are null while the clock is paused. `reason` says in words why it is
    paused or was cancelled. `restated`: a recompute laid it anew under another configuration version, or found that its
    announced breach would not have come yet under it."""

    clock_id: str
    metric: Metric
    cycle: int
    state: ClockState
    reason: str | None
    policy: str
    calendar: str
    config_version: int
    queue: str | None
    priority: str
    target_seconds: int
    elapsed_business_seconds: float
    elapsed_calendar_seconds: float
    started_at: datetime
    due_at: datetime | None
    breach_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    retargeted: bool
    restated: bool


class IntervalShown(BaseModel):
    """An interval of a clock's life. `reason` says why it counts or not: `counted`; `outside hours`, `holiday` or
    `special day` (with its date and, of a public holiday, its name), which add calendar seconds only; or in words why
    the clock stood still, which adds none. `earlier` sums up what lies before the newest 5,000 intervals. The
    `_sum_seconds` are the running sums at `end`."""

    start: datetime
    end: datetime
    counted: bool
    reason: str
    date: Day | None
    name: str | None
    calendar: str
    config_version: int
    business_seconds: float
    calendar_seconds: float
    business_sum_seconds: float
    calendar_sum_seconds: float


class LedgerShown(ClockShown):
    """A clock with the proof of its elapsed seconds: all intervals since its start, without a gap; the last running
    sums are `elapsed_business_seconds` and `elapsed_calendar_seconds`, to the microsecond."""

    ticket_id: str
    intervals: list[IntervalShown]


class Because(BaseModel):
    """What a probability of breach rests on. `standing`: `waiting` for an agent, `assigned`, or `set_aside` while the
    clock runs. `position` is the ticket's place in its queue, 1 for the next; null when it does not wait;
    `position_of_priority` the same among those of its priority. `agents` are those at work who take tickets of the
    queue, `idle` who of them hold nothing, `in_hand` its tickets that agents hold. `typical_handle_seconds` is how long
    an agent holds one, and `left_seconds` what is left until the breach, both in seconds of the clock's calendar.
    `cold`: too little was seen yet, and it rests on the documented prior."""

    standing: Literal["waiting", "assigned", "set_aside"]
    position: int | None
    position_of_priority: int | None
    agents: int
    idle: int
    in_hand: int
    typical_handle_seconds: float
    left_seconds: float
    cold: bool


class Due(BaseModel):
    """A running clock that has not breached, with the probability that it will. `overdue`: its time was up before its
    ticket was reopened, so that it is due at once."""

    ticket_id: str
    clock_id: str
    metric: Metric
    cycle: int
    policy: str
    queue: str | None
    agent: str | None
    priority: str
    target_seconds: int
    due_at: datetime
    breach_at: datetime
    overdue: bool
    breach_probability: float = Field(ge=0, le=1)
    because: Because


class AlertClockShown(BaseModel):
    """A clock in an alert."""

    ticket: str
    metric: Metric
    cycle: int
    joined_at: datetime


class AlertShown(BaseModel):
    """An alert: one open per severity, policy and queue. `clocks` are those in it now, at most 200 of `clock_count`.
    `silence_id` is the silence that covers it."""

    id: str
    state: AlertState
    severity: Severity
    policy: str
    queue: str
    clocks: list[AlertClockShown]
    clock_count: int
    opened_at: datetime
    acked_by: str | None
    acked_at: datetime | None
    ack_until: datetime | None
    silence_id: str | None
    resolved_at: datetime | None


class TimelineEvent(BaseModel):
    """One line of an alert's timeline. `notified` and `notification_failed` say in the comment whom, and the id of the
    notification."""

    at: datetime
    kind: EventKind
    ticket: str | None
    metric: Metric | None
    cycle: int | None
    by: str | None
    comment: str | None


class Acknowledge(Body):
    """Who acknowledges takes care: for good, or for some seconds."""

    comment: str | None = Field(default=None, max_length=2000)
    for_seconds: int | None = Field(default=None, ge=1, le=30 * 86_400)


class Nothing(Body):
    """An empty body."""


class Evaluate(Body):
    """A question to a calendar: one of the workspace's by its name, or a definition as in the workspace document.

    `due`: when `seconds` of business time from `start` have elapsed. `elapsed`: business seconds from `start` to `end`.
    `subtract`: the instant `seconds` of business time before `start` (or `end`). `pauses` do not count.
    """

    calendar: str | dict[str, Any]
    op: Literal["due", "elapsed", "subtract"]
    start: GivenInstant | None = None
    end: GivenInstant | None = None
    seconds: float | None = Field(default=None, ge=0, le=1e10)
    pauses: list[tuple[GivenInstant, GivenInstant]] = Field(default=[], max_length=1000)


class Evaluated(BaseModel):
    """The answer: `due_at` and `breach_at`, or the elapsed seconds, or `at`. `config_version` is the calendar's."""

    op: Literal["due", "elapsed", "subtract"]
    config_version: int | None = None
    due_at: datetime | None = None
    breach_at: datetime | None = None
    elapsed_business_seconds: float | None = None
    elapsed_calendar_seconds: float | None = None
    at: datetime | None = None


def due_shown(row: Mapping[str, Any], prediction: Prediction) -> dict[str, Any]:
    """A row of `asking.DUE` as it is shown."""
    stands = prediction.situation
    return {
        **{name: row[name] for name in _OF_DUE},
        "breach_probability": prediction.probability,
        "because": {
            "standing": stands.standing,
            "position": stands.position if stands.standing == "waiting" else None,
            "position_of_priority": stands.of_priority if stands.standing == "waiting" else None,
            "agents": stands.agents,
            "idle": stands.idle,
            "in_hand": stands.in_hand,
            "typical_handle_seconds": round(stands.hold.mean, 1),
            "left_seconds": round(stands.left_seconds, 3),
            "cold": stands.cold,
        },
    }


_OF_DUE = tuple(name for name in Due.model_fields if name not in ("breach_probability", "because"))


def clock_shown(clock: Clock, now: int, calendars: Calendars) -> dict[str, Any]:
    """The clock as it stands at an instant."""
    business, plain = elapsed(clock, now if clock.ended_at is None else clock.ended_at, calendars)
    falls = clock.state != "paused" and clock.due_at != NEVER
    return {
        "clock_id": clock.id,
        "metric": clock.metric,
        "cycle": clock.cycle,
        "state": "breached" if clock.breached_at is not None else clock.state,
        "reason": clock.reason,
        "policy": clock.policy,
        "calendar": clock.calendar,
        "config_version": clock.version,
        "queue": clock.queue,
        "priority": clock.priority,
        "target_seconds": clock.target_seconds,
        "elapsed_business_seconds": business / MICROS,
        "elapsed_calendar_seconds": plain / MICROS,
        "started_at": instant(clock.started_at),
        "due_at": instant(clock.due_at) if falls else None,
        "breach_at": instant(clock.breach_at) if falls else None,
        "breached_at": _instant_or_none(clock.breached_at),
        "ended_at": _instant_or_none(clock.ended_at),
        "retargeted": clock.retargeted,
        "restated": clock.restated is not None,
    }


def ledger_shown(ticket_id: str, clock: Clock, now: int, calendars: Calendars, names: Names) -> dict[str, Any]:
    """The clock as it stands at an instant, with every interval up to it."""
    return {
        "ticket_id": ticket_id,
        **clock_shown(clock, now, calendars),
        "intervals": [_interval_shown(line) for line in ledger(clock, now, calendars, names)],
    }


def _interval_shown(line: Interval) -> dict[str, Any]:
    return {
        "start": instant(line.start),
        "end": instant(line.end),
        "counted": line.business > 0,
        "reason": line.reason,
        "date": line.day,
        "name": line.name,
        "calendar": line.calendar,
        "config_version": line.version,
        "business_seconds": line.business / MICROS,
        "calendar_seconds": line.plain / MICROS,
        "business_sum_seconds": line.business_sum / MICROS,
        "calendar_sum_seconds": line.plain_sum / MICROS,
    }


def event_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a timeline."""
    return {
        "at": row["at"],
        "kind": row["kind"],
        "ticket": row["ticket_id"],
        "metric": row["metric"],
        "cycle": row["cycle"],
        "by": row["by_id"],
        "comment": row["comment"],
    }


def _instant_or_none(at: int | None) -> datetime | None:
    return None if at is None else instant(at)
