"""Alerts: one open per severity, policy and queue, which every clock that warns or breaches there joins.

An acknowledgement covers the clocks that are in the alert then. One that joins later fires it again, as does the end of
the cover, by itself or because somebody took it back. What state an alert is in follows from its clocks whenever one
joins or leaves and whenever a cover begins or ends (`state_of`).
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from pointsman.contracts.base import Contract, made
from pointsman.contracts.shapes import SYSTEM, Actor
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
from pointsman_sla.alerts.model import Alert, AlertEvent, AlertState, Key, Member
from pointsman_sla.alerts.silences import Silence

TOLD_MAX = 20
"""How many targets that were told an alert remembers."""

_NEXT = timedelta(microseconds=1)


def state_of(alert: Alert, clocks: int) -> AlertState:
    """The state of an alert with so many clocks: acknowledged when somebody takes care of all of them; exhausted when
    the ladder of one that nobody takes care of has ended and none has joined since that could still climb."""
    uncovered = clocks - alert.covered
    if clocks <= 0:
        return "resolved"
    if uncovered <= 0:
        return "acknowledged"
    if alert.silence_id is not None:
        return "silenced"
    if alert.spent and (alert.state == "exhausted" or alert.spent >= uncovered):
        return "exhausted"
    return "firing"


@dataclass(slots=True)
class AlertBook:
    """The open alerts of a lane, how many clocks each has, and what the batch adds to their tables.

    `members` are the memberships of the batch: who, since when, until when. Changes go through the journal.
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

    # -- clocks come and go --------------------------------------------------------------------------------------------

    def join(
        self, key: Key, member: Member, now: Instant, like: Alert | None = None, spent: bool = False
    ) -> tuple[str, Contract | None]:
        """The clock joins the alert of its key; the alert's id, and the fact when it opens or fires again.

        `like`: somebody takes care of the clock already, in that alert. Where this one is covered too, or opens only
        now, that stays so; then it is acknowledged and does not fire. `spent`: the clock's ladder has ended.
        """
        found = self.by_key.get(key)
        joined_at, covered = now, False
        if found is None:
            workspace, severity, policy, queue = key
            identity = derived_id("alr", now, *key, member.clock_id)
            alert = Alert(identity, workspace, severity, policy, queue, "firing", opened_at=now)
            if like is not None:
                alert = replace(alert, covered_by=like.covered_by, covered_at=now, ack_until=like.ack_until)
                covered = True
            self.journal.put(self.by_key, key, identity)
            kind: Literal["opened", "joined", "fired_again"] = "opened"
        else:
            alert = self.open[found]
            if alert.covered_at is not None:
                # Nobody has seen it yet, also when it comes at the very instant of the acknowledgement.
                covered = like is not None
                joined_at = alert.covered_at if covered else max(now, alert.covered_at + _NEXT)
            again = alert.state == "acknowledged" or (alert.state == "exhausted" and not spent)
            kind = "fired_again" if again and not covered else "joined"
            if kind == "fired_again":
                alert = replace(alert, state="firing", generation=alert.generation + 1)
        alert = replace(alert, covered=alert.covered + covered, spent=alert.spent + (spent and not covered))
        self.journal.put(self.counts, alert.id, self.counts.get(alert.id, 0) + 1)
        alert = self._keep(alert)
        self.journal.put(self.members, (alert.id, member.clock_id), (member, joined_at, None))
        self._tell(AlertEvent(alert.id, now, kind, member))
        if kind == "joined":
            return alert.id, None
        if alert.state == "acknowledged":
            return alert.id, self._still_acknowledged(alert, now)
        return alert.id, _opened(alert, member, joined_at, kind == "fired_again")

    def joined_at(self, alert_id: str, clock_id: str) -> Instant:
        """When a clock joined that did so in this batch."""
        return self.members[alert_id, clock_id][1]

    def leave(
        self,
        alert_id: str,
        member: Member,
        now: Instant,
        reason: str,
        *,
        since: Instant | None = None,
        spent: bool = False,
    ) -> Contract | None:
        """The clock stopped, or its point was withdrawn: it had joined at `since` (in this batch, when that is not
        given), `spent` tells that its ladder had ended. The fact when the alert is in another state then."""
        alert = self.open.get(alert_id)
        if alert is None:
            return None
        joined = self.members.get((alert_id, member.clock_id))
        since = joined[1] if joined is not None else since or now
        self.journal.put(self.members, (alert_id, member.clock_id), (member, since, now))
        self._tell(AlertEvent(alert_id, now, "left", member, comment=reason))
        self.journal.put(self.counts, alert_id, max(0, self.counts.get(alert_id, 0) - 1))
        before = alert.state
        if alert.covers(since):
            alert = replace(alert, covered=max(0, alert.covered - 1))
        elif spent:
            alert = replace(alert, spent=max(0, alert.spent - 1))
        alert = self._keep(alert)
        if alert.state == "resolved":
            ended = replace(_uncovered(alert), resolved_at=now, silence_id=None, spent=0, released_at=None)
            self._keep(ended)
            self.journal.pop(self.open, alert_id)
            self.journal.pop(self.by_key, alert.key)
            self._tell(AlertEvent(alert_id, now, "resolved", comment=reason))
            return made(AlertResolved, alert_id=alert_id, reason=reason)
        if alert.state == "acknowledged" != before:
            return self._still_acknowledged(alert, now)
        if alert.state == "exhausted" != before:
            self._tell(AlertEvent(alert_id, now, "exhausted", comment="the ladders of the clocks left have ended"))
            return _exhausted(alert)
        if before == "exhausted" != alert.state == "firing":
            self._tell(AlertEvent(alert.id, now, "fired_again", comment="others in it still climb their ladders"))
            return _opened(alert, None, now, again=True)
        return None

    def _still_acknowledged(self, alert: Alert, now: Instant) -> AlertAcknowledged:
        """Only clocks are left that somebody takes care of."""
        comment = f"{alert.covered_by} takes care of the clocks in it"
        self._tell(AlertEvent(alert.id, now, "acknowledged", by=SYSTEM, comment=comment))
        return made(AlertAcknowledged, alert_id=alert.id, by=SYSTEM, comment=comment)

    # -- somebody takes care -------------------------------------------------------------------------------------------

    def acknowledge(
        self, alert: Alert, by: Actor, comment: str | None, for_seconds: int | None, now: Instant
    ) -> tuple[Alert, AlertAcknowledged]:
        """Somebody takes care of the clocks that are in it now, for good or for a time."""
        joined = (since for (id, _), (_, since, left) in self.members.items() if id == alert.id and left is None)
        alert = replace(
            alert,
            covered_by=by.id,
            covered_at=max((now, *joined)),
            ack_until=None if for_seconds is None else after(now, for_seconds),
            covered=self.counts.get(alert.id, 0),
            spent=0,
            released_at=None,
            generation=alert.generation + 1,
        )
        alert = self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "acknowledged", by=by, comment=comment))
        return alert, made(AlertAcknowledged, alert_id=alert.id, by=by, comment=comment)

    def unacknowledge(
        self, alert: Alert, by: Actor, now: Instant, comment: str | None = None
    ) -> tuple[Alert, AlertOpened | None]:
        """Nobody takes care any more: it fires (again), and the ladders of the clocks go on. The fact, unless it was
        covered by nobody."""
        if alert.covered_at is None:
            return alert, None
        alert = self._keep(replace(_uncovered(alert), state="firing", spent=0, released_at=now))
        self._tell(AlertEvent(alert.id, now, "unacknowledged", by=by, comment=comment))
        return alert, _opened(alert, None, now, again=True)

    def silence(self, alert: Alert, silence: Silence, now: Instant) -> AlertSilenced:
        """Nobody is notified of it until the silence is over. An acknowledged one stays acknowledged."""
        self._keep(replace(alert, silence_id=silence.id))
        self._tell(AlertEvent(alert.id, now, "silenced", by=silence.by, comment=silence.reason))
        return made(
            AlertSilenced,
            alert_id=alert.id,
            silence_id=silence.id,
            until=silence.until,
            by=silence.by,
            reason=silence.reason,
        )

    def unsilence(self, alert: Alert, by: Actor, now: Instant) -> tuple[Alert, AlertOpened | None]:
        """Its silence is over: it fires again, unless it is acknowledged, and ladders that ended meanwhile wait once
        more."""
        alert = replace(alert, silence_id=None)
        if fires := alert.state == "silenced":
            alert = replace(alert, state="firing", spent=0, released_at=now)
        alert = self._keep(alert)
        self._tell(AlertEvent(alert.id, now, "unsilenced", by=by))
        return alert, _opened(alert, None, now, again=True) if fires else None

    # -- ladders -------------------------------------------------------------------------------------------------------

    def escalate(self, alert: Alert, member: Member, targets: Sequence[str], now: Instant, comment: str) -> None:
        """A step of a clock's ladder was carried out; these targets were told."""
        self._tell(AlertEvent(alert.id, now, "escalated", member, comment=comment))
        told = tuple(dict.fromkeys((*alert.told, *targets)))[:TOLD_MAX]
        self._keep(replace(alert, told=told) if told != alert.told else alert)

    def exhaust(
        self, alert: Alert, member: Member, joined_at: Instant, ladder: str, last_resort: str | None, now: Instant
    ) -> AlertExhausted | None:
        """A clock's ladder ended and nobody took care; the fact, unless another clock's did before."""
        before = alert.state
        self._keep(replace(alert, state="exhausted", spent=alert.spent + 1))
        if before != "firing":
            return None
        self._tell(AlertEvent(alert.id, now, "exhausted", member, comment=f"the ladder {ladder} ended"))
        return _exhausted(alert, _shown(member, joined_at), ladder, last_resort)

    def climbs_again(self, alert: Alert) -> None:
        """A ladder that had ended waits once more."""
        self._keep(replace(alert, spent=max(0, alert.spent - 1)))

    def released(self, alert: Alert, until: Instant | None) -> None:
        """Clocks of it have been given back what was deferred: the next come at an instant, or (None) it were all."""
        self._keep(replace(alert, released_at=until))

    # -- keeping -------------------------------------------------------------------------------------------------------

    def _keep(self, alert: Alert) -> Alert:
        """The alert as given, in the state that follows."""
        state = state_of(alert, self.counts.get(alert.id, 0))
        acked = state == "acknowledged"
        alert = replace(
            alert,
            state=state,
            acked_by=alert.covered_by if acked else None,
            acked_at=alert.covered_at if acked else None,
        )
        if not alert.covered and not acked and alert.covered_at is not None:
            alert = _uncovered(alert)  # nobody is left of whom the acknowledgement speaks
        self.journal.put(self.open, alert.id, alert)
        self.journal.put(self.changed, alert.id, alert)
        return alert

    def _tell(self, event: AlertEvent) -> None:
        self.events.append(event)
        self.journal.note(self.events.pop)


def _uncovered(alert: Alert) -> Alert:
    return replace(
        alert,
        covered_at=None,
        covered_by=None,
        ack_until=None,
        covered=0,
        acked_by=None,
        acked_at=None,
        generation=alert.generation + 1,
    )


def _shown(member: Member, joined_at: Instant) -> AlertClock:
    return made(AlertClock, ticket=member.ticket_id, metric=member.metric, cycle=member.cycle, joined_at=joined_at)


def _exhausted(
    alert: Alert, clock: AlertClock | None = None, ladder: str | None = None, last_resort: str | None = None
) -> AlertExhausted:
    return made(
        AlertExhausted,
        alert_id=alert.id,
        severity=alert.severity,
        policy=alert.policy,
        queue=alert.queue,
        clock=clock,
        ladder=ladder,
        last_resort=last_resort,
    )


def _opened(alert: Alert, member: Member | None, joined_at: Instant, again: bool) -> AlertOpened:
    return made(
        AlertOpened,
        alert_id=alert.id,
        severity=alert.severity,
        policy=alert.policy,
        queue=alert.queue,
        clock=_shown(member, joined_at) if member is not None else None,
        opened_at=alert.opened_at,
        again=again,
    )
