"""Facts of sla, topic `sla`: clocks and alerts. A clock record's subject is its ticket, an alert's `alert:<id>`."""

from typing import Literal

from pointsman.contracts.base import Contract, Moment, Value
from pointsman.contracts.shapes import Actor, Metric, Severity

TOPIC = "sla"


class FactOfClock(Contract):
    """A fact about one clock of one ticket: its `cycle`th run of the metric."""

    clock_id: str
    ticket_id: str
    metric: Metric
    cycle: int


class FactOfPolicy(FactOfClock):
    """A fact that names the policy of its clock, too."""

    policy: str


class ClockStarted(FactOfPolicy, topic=TOPIC, type="clock.started"):
    """A clock runs. `due_at` is shown, `breach_at` fires (domain rule: boundary). Seconds are of `calendar`.

    `carried_from` is the clock that goes on in this one after a merge, with what was warned; `breached_at` when that
    had breached: the miss is this clock's from now on, and no `clock.breached` tells of it again."""

    calendar: str
    config_version: int
    queue: str | None = None
    priority: str | None = None
    target_seconds: int
    started_at: Moment
    due_at: Moment
    breach_at: Moment
    carried_from: str | None = None
    breached_at: Moment | None = None


class ClockPaused(FactOfClock, topic=TOPIC, type="clock.paused"):
    """The clock stands still; `reason` in words (pending on the customer, …)."""

    reason: str
    elapsed_business_seconds: float
    elapsed_calendar_seconds: float


class ClockResumed(FactOfPolicy, topic=TOPIC, type="clock.resumed"):
    """The clock runs again, with the rest of its target; also after a changed target (`retargeted`)."""

    target_seconds: int
    due_at: Moment
    breach_at: Moment
    retargeted: bool = False


class ClockMet(FactOfPolicy, topic=TOPIC, type="clock.met"):
    """What was promised happened. `breached_before` when it came after the breach."""

    met_at: Moment
    due_at: Moment
    elapsed_business_seconds: float
    elapsed_calendar_seconds: float
    breached_before: bool = False


class ClockWarned(FactOfPolicy, topic=TOPIC, type="clock.warned"):
    """The clock reached a share of its target or a lead time before it. `step` names it: `share:0.8`, `lead:60`."""

    queue: str | None = None
    agent: str | None = None
    step: str
    warned_at: Moment
    breach_at: Moment
    late: bool = False
    blind: bool = False


class ClockBreached(FactOfPolicy, topic=TOPIC, type="clock.breached"):
    """Time ran out at `breach_at`. `lateness_seconds` is how long after it the timer fired."""

    queue: str | None = None
    agent: str | None = None
    target_seconds: int
    due_at: Moment
    breach_at: Moment
    fired_at: Moment
    lateness_seconds: float
    late: bool = False
    blind: bool = False
    retargeted: bool = False


class ClockCancelled(FactOfPolicy, topic=TOPIC, type="clock.cancelled"):
    """The clock ended without being met; `reason` is the ticket's outcome or what replaced it. `carried_to` is the
    clock in which it goes on after a merge: a breach of it counts there."""

    reason: str
    carried_to: str | None = None


class ClockCorrected(FactOfPolicy, topic=TOPIC, type="clock.corrected"):
    """A warning or breach is withdrawn: what stops the clock arrived later but is earlier in time."""

    withdraws: Severity
    reason: str
    met_at: Moment | None = None


class ClockPromise(Value):
    """What a configuration version promises of a clock."""

    policy: str
    calendar: str
    config_version: int
    target_seconds: int
    due_at: Moment
    breach_at: Moment


class ClockRestated(FactOfClock, topic=TOPIC, type="clock.restated"):
    """A recompute laid the clock anew under another configuration version; `was` is what had been promised.

    `breach_stands`: the breach had been announced and stays, though under the new version the clock would not have
    breached yet: it keeps what it was, and the other figures say what would have been promised.
    """

    job_id: str
    policy: str
    calendar: str
    config_version: int
    target_seconds: int
    due_at: Moment
    breach_at: Moment
    was: ClockPromise
    state: Literal["running", "paused"]
    reason: str | None = None
    breach_stands: bool = False
    elapsed_business_seconds: float
    elapsed_calendar_seconds: float
    restated_at: Moment


class ClocksRecomputed(Contract, topic=TOPIC, type="clocks.recomputed"):
    """A recompute of a workspace's open tickets is done. The record's subject is `job:<id>`.

    `by` asked for it, with a new configuration version or by itself; `policies` and `calendars` are what it was
    restricted to. `restated`, `started` and `cancelled` count clocks; `gained` those whose time was up at once under
    the version, `lost` the announced breaches that it would not have made yet.
    """

    job_id: str
    config_version: int
    by: Actor
    reason: str | None = None
    policies: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    tickets: int
    restated: int
    started: int
    cancelled: int
    gained: int
    lost: int
    failed: int
    begun_at: Moment
    finished_at: Moment


class ClockEscalated(FactOfPolicy, topic=TOPIC, type="clock.escalated"):
    """A step of the ladder was carried out for a clock. `step` is its place in the ladder, from 0; `repetition` how
    often it was repeated before. `severity` is that of the `on` step that it is or follows.

    `boost`, `relax` and `overflow` (queues) are for the desk. `notified` are the notify targets that were told.
    `withheld` says why nobody was: `acknowledged`, `silenced`.
    """

    queue: str | None = None
    agent: str | None = None
    ladder: str
    step: int
    repetition: int = 0
    severity: Severity
    alert_id: str | None = None
    boost: int = 0
    relax: Literal["all", "language"] | None = None
    overflow: tuple[str, ...] = ()
    notified: tuple[str, ...] = ()
    withheld: Literal["acknowledged", "silenced"] | None = None
    escalated_at: Moment


class AlertClock(Value):
    """A clock in an alert."""

    ticket: str
    metric: Metric
    cycle: int
    joined_at: Moment


class AlertOpened(Contract, topic=TOPIC, type="alert.opened"):
    """An alert began to fire, or fires again (`again`): a later clock joined after the acknowledgement, or (without a
    `clock`) the acknowledgement was taken back or is over, or the clock whose ladder had ended stopped."""

    alert_id: str
    severity: Severity
    policy: str
    queue: str
    clock: AlertClock | None = None
    opened_at: Moment
    again: bool = False


class AlertAcknowledged(Contract, topic=TOPIC, type="alert.acknowledged"):
    """Somebody takes care of it; by `pointsman`, when only clocks are left in it that somebody had acknowledged."""

    alert_id: str
    by: Actor
    comment: str | None = None


class AlertSilenced(Contract, topic=TOPIC, type="alert.silenced"):
    """A silence matches it: nobody is notified until the silence is over, when it fires again if it is still open."""

    alert_id: str
    silence_id: str
    until: Moment
    by: Actor
    reason: str


class AlertExhausted(Contract, topic=TOPIC, type="alert.exhausted"):
    """A clock's ladder ended and nobody had acknowledged. `last_resort` is the notify target that is told, if the
    document names one. Without a `clock`: a later one that had fired it again stopped, and the ladders of those that
    are left had ended before."""

    alert_id: str
    severity: Severity
    policy: str
    queue: str
    clock: AlertClock | None = None
    ladder: str | None = None
    last_resort: str | None = None


class AlertResolved(Contract, topic=TOPIC, type="alert.resolved"):
    """No clock of the alert is left running past its point."""

    alert_id: str
    reason: str
