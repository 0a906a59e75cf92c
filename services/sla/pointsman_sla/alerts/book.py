"""Alerts: one open per severity, policy and queue, which every clock that warns or breaches there joins.

An acknowledgement covers the clocks that are in the alert then: one that joins later fires it again, as does the end of
an acknowledgement that was given for a time. An alert resolves itself when no clock of it is left running past its
point.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pointsman.contracts.shapes import Actor
from pointsman.contracts.sla import AlertAcknowledged, AlertClock, AlertOpened, AlertResolved
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant, after
from pointsman.core.journal import Journal
from pointsman_sla.alerts.model import Alert, AlertEvent, Key, Member


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
            again = alert.state == "acknowledged"
            kind = "fired_again" if again else "joined"
            if again:
                alert = _unacknowledged(alert)
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
        alert = replace(alert, state="resolved", resolved_at=now, ack_until=None, generation=alert.generation + 1)
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
            generation=alert.generation + 1,
        )
        self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "acknowledged", by=by, comment=comment))
        return alert, AlertAcknowledged.model_construct(alert_id=alert.id, by=by, comment=comment)

    def unacknowledge(
        self, alert: Alert, by: Actor, now: Instant, comment: str | None = None
    ) -> tuple[Alert, AlertOpened]:
        """Nobody takes care any more: it fires again."""
        alert = _unacknowledged(alert)
        self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "unacknowledged", by=by, comment=comment))
        return alert, _opened(alert, None, now, again=True)

    def _keep(self, alert: Alert) -> None:
        self.journal.put(self.open, alert.id, alert)
        self.journal.put(self.changed, alert.id, alert)

    def _tell(self, event: AlertEvent) -> None:
        self.events.append(event)
        self.journal.note(self.events.pop)


def _unacknowledged(alert: Alert) -> Alert:
    return replace(alert, state="firing", acked_by=None, acked_at=None, ack_until=None, generation=alert.generation + 1)


def _opened(alert: Alert, member: Member | None, now: Instant, again: bool) -> AlertOpened:
    clock = None
    if member is not None:
        clock = AlertClock.model_construct(
            ticket=member.ticket_id, metric=member.metric, cycle=member.cycle, joined_at=now
        )
    return AlertOpened.model_construct(
        alert_id=alert.id,
        severity=alert.severity,
        policy=alert.policy,
        queue=alert.queue,
        clock=clock,
        opened_at=alert.opened_at,
        again=again,
    )
