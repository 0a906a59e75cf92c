"""Clocks, memberships and alerts that contradict one another are found in sla's tables."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.verify_alerts import verify_alerts
from pointsman.testing.time import NOON
from tests.unit.chaos.facts import Log, evidence

LATER = NOON + timedelta(seconds=1)


def a_clock(**changes: Any) -> dict[str, Any]:
    """A clock that breached and runs on, with a step ahead."""
    ladder = changes.pop("ladder", ["up", 1, [[1, "step:1:0:breach"]], ["up/0:breach"], []])
    life = {"warned": changes.pop("warned", []), "plan": [], "escalation": ladder}
    return {
        "clock_id": "clk_1",
        "workspace": "acme",
        "state": "running",
        "policy": "standard",
        "queue": "general",
        "breached_at": NOON,
        "ended_at": None,
        "life": orjson.dumps(life).decode(),
        **changes,
    }


def an_alert(**changes: Any) -> dict[str, Any]:
    return {
        "alert_id": "alr_1",
        "workspace": "acme",
        "severity": "breach",
        "policy": "standard",
        "queue": "general",
        "state": "firing",
        "clocks": 1,
        "covered": 0,
        "covered_at": None,
        "released_at": None,
        **changes,
    }


MEMBER = {"alert_id": "alr_1", "clock_id": "clk_1", "joined_at": NOON}


def found(clock: dict[str, Any], alert: dict[str, Any] | None, *members: dict[str, Any]) -> int:
    findings = Findings()
    alerts = [] if alert is None else [alert]
    verify_alerts(evidence(Log(), sla_clocks=[clock], sla_alerts=alerts, sla_members=members), findings)
    return findings.counts["alerts_inconsistent"]


def test_what_fits_together_is_nothing_to_find() -> None:
    assert found(a_clock(), an_alert(), MEMBER) == 0
    assert found(a_clock(), an_alert(state="acknowledged", covered=1, covered_at=LATER), MEMBER) == 0
    assert found(a_clock(breached_at=None), None) == 0
    assert found(a_clock(ladder=["up", 1, [], ["up/0:breach", "end:breach"], []]), an_alert(), MEMBER) == 0
    put_aside = a_clock(ladder=["up", 1, [], ["up/0:breach"], [[1, "step:1:0:breach"]]])
    assert found(put_aside, an_alert(released_at=NOON), MEMBER) == 0


@pytest.mark.parametrize(
    ("clock", "alert", "members"),
    [
        (a_clock(), None, ()),
        (a_clock(warned=[["share:0.5", 1]]), an_alert(), (MEMBER,)),
        (a_clock(queue="billing"), an_alert(), (MEMBER,)),
        (a_clock(ended_at=LATER), an_alert(), (MEMBER,)),
        (a_clock(breached_at=None), None, (MEMBER,)),
        (a_clock(), an_alert(clocks=2), (MEMBER,)),
        (a_clock(), an_alert(state="firing", covered=1, covered_at=LATER), (MEMBER,)),
        (a_clock(), an_alert(state="acknowledged"), (MEMBER,)),
        (a_clock(ladder=["up", 1, [], ["up/0:breach"], []]), an_alert(), (MEMBER,)),
        (a_clock(ladder=["up", 1, [], ["up/0:breach"], [[1, "step:1:0:breach"]]]), an_alert(), (MEMBER,)),
    ],
    ids=[
        "in no alert", "in no alert of warnings", "in that of another queue", "in one though it has ended",
        "in one that is over", "a count of others", "firing though all are covered", "acknowledged by nobody",
        "nothing ahead", "put aside though nobody takes care",
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_found(clock: Any, alert: Any, members: Any) -> None:
    assert found(clock, alert, *members) >= 1
