"""Alerts: one open per severity, policy and queue, which every clock that warns or breaches there joins.

An acknowledgement covers the clocks that are in the alert then: one that joins later fires it again, as does the end of
an acknowledgement that was given for a time. An alert resolves itself when no clock of it is left running past its
point.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pointsman.contracts.shapes import Actor
from pointsman.contracts.sla import (
    AlertAcknowledged,
    AlertClock,
    AlertExhausted,
    AlertOpened,
    AlertResolved,
    AlertSilenced,
)
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant, after
from pointsman.core.journal import Journal
from pointsman_sla.alerts.model import Alert, AlertEvent, Key, Member
from pointsman_sla.alerts.silences import Silence

TOLD_MAX = 20
"""How many targets that were told an alert remembers."""


@dataclass(slots=True)
class AlertBook:
    """The open alerts of a lane, how many clocks each has, and what the batch adds to their tables.

    Changes go through the journal.
    """

    journal: Journal
    open: MutableMapping[str, Alert] = field(default_factory=dict)
    by_key: MutableMapping[Key, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    changed: dict[str, Alert] = field(default_factory=dict)
    members: dict[tuple[str, str], tuple[Member, Instant, Instant | None]] = field(default_factory=dict)
    events: list[AlertEvent] = field(default_factory=list)

    def load(self, alert: Alert, clocks: int) -> None:
        """Takes an open alert from its row."""
        self.open[alert.id] = alert
        self.counts[alert.id] = clocks
        self.by_key[alert.key] = alert.id

    def forget(self) -> None:
        """What changed is committed."""
        for id in self.changed:
            if id not in self.open:
                self.counts.pop(id, None)
        self.changed.clear()
        self.members.clear()
        self.events.clear()

    def join(self, key: Key, member: Member, now: Instant) -> tuple[str, AlertOpened | None]:
        """The clock joins the alert of its key; the alert's id, and the fact when it opens or fires again."""
        found = self.by_key.get(key)
        again = False
        if found is None:
            workspace, severity, policy, queue = key
            identity = derived_id("alr", now, *key, member.clock_id)
            alert = Alert(identity, workspace, severity, policy, queue, "firing", opened_at=now)
            self.journal.put(self.by_key, key, identity)
            kind: Literal["opened", "joined", "fired_again"] = "opened"
        else:
            alert = self.open[found]
            again = alert.state in ("acknowledged", "exhausted")
            kind = "fired_again" if again else "joined"
            if again:
                alert = _firing(alert)
        self._keep(alert)
        self.journal.put(self.counts, alert.id, self.counts.get(alert.id, 0) + 1)
        self.journal.put(self.members, (alert.id, member.clock_id), (member, now, None))
        self._tell(AlertEvent(alert.id, now, kind, member))
        return alert.id, None if kind == "joined" else _opened(alert, member, now, again)

    def leave(self, alert_id: str, member: Member, now: Instant, reason: str) -> AlertResolved | None:
        """The clock stopped, or its point was withdrawn; the fact when it was the last one."""
        alert = self.open.get(alert_id)
        if alert is None:
            return None
        joined = self.members.get((alert_id, member.clock_id))
        self.journal.put(self.members, (alert_id, member.clock_id), (member, joined[1] if joined else now, now))
        self._tell(AlertEvent(alert_id, now, "left", member, comment=reason))
        left = max(0, self.counts.get(alert_id, 0) - 1)
        self.journal.put(self.counts, alert_id, left)
        if left:
            self._keep(alert)
            return None
        alert = replace(
            alert, state="resolved", resolved_at=now, ack_until=None, silence_id=None, generation=alert.generation + 1
        )
        self._keep(alert)
        self.journal.pop(self.open, alert_id)
        self.journal.pop(self.by_key, alert.key)
        self._tell(AlertEvent(alert_id, now, "resolved", comment=reason))
        return AlertResolved.model_construct(alert_id=alert_id, reason=reason)

    def acknowledge(
        self, alert: Alert, by: Actor, comment: str | None, for_seconds: int | None, now: Instant
    ) -> tuple[Alert, AlertAcknowledged]:
        """Somebody takes care of the clocks that are in it now, for good or for a time."""
        alert = replace(
            alert,
            state="acknowledged",
            acked_by=by.id,
            acked_at=now,
            ack_until=None if for_seconds is None else after(now, for_seconds),
            covered_at=now,
            generation=alert.generation + 1,
        )
        self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "acknowledged", by=by, comment=comment))
        return alert, AlertAcknowledged.model_construct(alert_id=alert.id, by=by, comment=comment)

    def unacknowledge(
        self, alert: Alert, by: Actor, now: Instant, comment: str | None = None
    ) -> tuple[Alert, AlertOpened | None]:
        """Nobody takes care any more: it fires again, unless a later clock had fired it before."""
        fires = alert.state == "acknowledged"
        alert = replace(_firing(alert) if fires else alert, covered_at=None, ack_until=None)
        self._keep(alert)
        if not fires:
            return alert, None
        self._tell(AlertEvent(alert.id, now, "unacknowledged", by=by, comment=comment))
        return alert, _opened(alert, None, now, again=True)

    def silence(self, alert: Alert, silence: Silence, now: Instant) -> AlertSilenced:
        """Nobody is notified of it until the silence is over. An acknowledged one stays acknowledged."""
        state = alert.state if alert.state == "acknowledged" else "silenced"
        self._keep(replace(alert, state=state, silence_id=silence.id))
        self._tell(AlertEvent(alert.id, now, "silenced", by=silence.by, comment=silence.reason))
        return AlertSilenced.model_construct(
            alert_id=alert.id, silence_id=silence.id, until=silence.until, by=silence.by, reason=silence.reason
        )

    def unsilence(self, alert: Alert, by: Actor, now: Instant) -> tuple[Alert, AlertOpened | None]:
        """Its silence is over: it fires again, unless it is acknowledged."""
        fires = alert.state == "silenced"
        alert = replace(alert, state="firing" if fires else alert.state, silence_id=None)
        self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "unsilenced", by=by))
        return alert, _opened(alert, None, now, again=True) if fires else None

    def escalate(self, alert: Alert, member: Member, targets: Sequence[str], now: Instant, comment: str) -> None:
        """A step of a clock's ladder was carried out; these targets were told."""
        self._tell(AlertEvent(alert.id, now, "escalated", member, comment=comment))
        told = tuple(dict.fromkeys((*alert.told, *targets)))[:TOLD_MAX]
        self._keep(replace(alert, told=told) if told != alert.told else alert)

    def exhaust(
        self, alert: Alert, member: Member, joined_at: Instant, ladder: str, last_resort: str | None, now: Instant
    ) -> AlertExhausted | None:
        """A clock's ladder ended and nobody took care; the fact, unless another clock's did before."""
        if alert.state != "firing":
            return None
        self._keep(replace(alert, state="exhausted"))
        self._tell(AlertEvent(alert.id, now, "exhausted", member, comment=f"the ladder {ladder} ended"))
        return AlertExhausted.model_construct(
            alert_id=alert.id,
            severity=alert.severity,
            policy=alert.policy,
            queue=alert.queue,
            clock=_shown(member, joined_at),
            ladder=ladder,
            last_resort=last_resort,
        )

    def _keep(self, alert: Alert) -> None:
        self.journal.put(self.open, alert.id, alert)
        self.journal.put(self.changed, alert.id, alert)

    def _tell(self, event: AlertEvent) -> None:
        self.events.append(event)
        self.journal.note(self.events.pop)


def _firing(alert: Alert) -> Alert:
    """Fires again. Whom an acknowledgement covered stays covered, until it is over."""
    return replace(alert, state="firing", acked_by=None, acked_at=None, generation=alert.generation + 1)


def _shown(member: Member, joined_at: Instant) -> AlertClock:
    return AlertClock.model_construct(
        ticket=member.ticket_id, metric=member.metric, cycle=member.cycle, joined_at=joined_at
    )


def _opened(alert: Alert, member: Member | None, now: Instant, again: bool) -> AlertOpened:
    return AlertOpened.model_construct(
        alert_id=alert.id,
        severity=alert.severity,
        policy=alert.policy,
        queue=alert.queue,
        clock=_shown(member, now) if member is not None else None,
        opened_at=alert.opened_at,
        again=again,
    )
