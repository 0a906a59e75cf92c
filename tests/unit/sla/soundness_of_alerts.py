"""What must hold of a lane's clocks and alerts after every decision, counted anew from the clocks."""

from collections import Counter, defaultdict
from typing import Any

from pointsman.core.cause import Cause
from pointsman.core.decision import Decision
from pointsman.core.instant import Instant
from pointsman_sla.alerts.book import state_of
from pointsman_sla.clocks.deferring import END, has_ended
from pointsman_sla.clocks.firing import past
from pointsman_sla.clocks.model import Clock
from pointsman_sla.micros import instant
from pointsman_sla.rules.alerting import ladder_of
from tests.unit.sla.a_lane import LaneOfTests


class SoundLane(LaneOfTests):
    """A lane that looks at itself after each decision."""

    def decide(self, cause: Cause, at: Instant) -> Decision:
        decision = super().decide(cause, at)
        check(self)
        return decision


def check(lane: LaneOfTests) -> None:
    """Raises AssertionError, naming the clock or the alert."""
    members: dict[str, list[tuple[Clock, Any]]] = defaultdict(list)
    open_alerts = lane.state.alerts.open
    for clock in lane.rows.values():
        assert Counter(each.severity for each in clock.alerts) == Counter(past(clock)), clock
        for place in clock.alerts:
            alert = open_alerts[place.alert]
            assert alert.key == ("acme", place.severity, clock.policy, clock.queue or ""), (clock, alert)
            members[place.alert].append((clock, place))
    assert set(members) == set(open_alerts), "an open alert has clocks"
    for alert in open_alerts.values():
        mine = members[alert.id]
        covered = [clock for clock, place in mine if alert.covers(instant(place.since))]
        uncovered = [clock for clock, place in mine if not alert.covers(instant(place.since))]
        assert lane.state.alerts.counts[alert.id] == len(mine), alert
        assert alert.covered == len(covered), alert
        assert alert.state == state_of(alert, len(mine)), alert
        assert (alert.state == "acknowledged") == (not uncovered), alert
        assert (alert.state == "firing") <= bool(uncovered), alert
        assert bool(covered) == (alert.covered_at is not None), alert
        if alert.released_at is not None:
            continue
        assert alert.spent == sum(has_ended(clock, alert.severity) for clock in uncovered), alert
        for clock in uncovered:
            on, ladder = clock.escalation, ladder_of(lane.state, "acme", clock)
            if on is None or ladder is None:
                continue
            assert alert.silence_id or not [name for _, name in on.held if name.endswith(alert.severity)], clock
            climbs = ladder.last(clock.metric) is not None and any(name.endswith(alert.severity) for name in on.done)
            if alert.state == "firing" and clock.state == "running" and climbs:
                ended = any(name.startswith(END) for name in on.done)
                assert on.points or on.held or clock.plan or ended, ("nothing ahead", clock, alert)
