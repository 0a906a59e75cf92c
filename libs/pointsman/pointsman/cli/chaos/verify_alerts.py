"""What runs past a point is in the open alert of its severity, policy and queue, and nothing else is; an alert's state
is that of its clocks; and a clock of which nobody takes care has a point of its ladder ahead, unless that has ended.

Read from sla's tables of one snapshot; nothing of the sla service is used here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from pointsman.cli.chaos.evidence import Snapshot
from pointsman.cli.chaos.findings import Findings

KIND = "alerts_inconsistent"

Row = Mapping[str, Any]


def verify_alerts(evidence: Snapshot, findings: Findings) -> None:
    """Compares clocks, memberships and alerts with one another."""
    alerts = {row["alert_id"]: row for row in evidence.sla_alerts}
    clocks = {row["clock_id"]: row for row in evidence.sla_clocks}
    members: dict[str, list[Row]] = defaultdict(list)
    where: set[tuple[str, tuple[str, ...]]] = set()
    for row in evidence.sla_members:
        alert = alerts.get(row["alert_id"])
        if alert is None:
            findings.add(KIND, {"clock": row["clock_id"], "in an alert that is over": row["alert_id"]})
            continue
        members[row["alert_id"]].append(row)
        where.add((row["clock_id"], _key(alert)))
    wanted = {(id, key) for id, clock in clocks.items() for key in _keys(clock)}
    for id, key in wanted - where:
        findings.add(KIND, {"clock": id, "in no alert of": key})
    for id, key in where - wanted:
        findings.add(KIND, {"clock": id, "in the alert of": key, "though not past its point": clocks.get(id)})
    for id, alert in alerts.items():
        _verify_state(alert, members[id], findings)
        _verify_ladders(
            alert, [(clocks[row["clock_id"]], row) for row in members[id] if row["clock_id"] in clocks], findings
        )


def _keys(clock: Row) -> Iterator[tuple[str, ...]]:
    """Of which alerts the clock should be a member."""
    if clock["ended_at"] is not None:
        return
    policy, queue = clock["policy"], clock["queue"] or ""
    if clock["breached_at"] is not None:
        yield clock["workspace"], "breach", policy, queue
    if orjson.loads(clock["life"])["warned"]:
        yield clock["workspace"], "warning", policy, queue


def _key(alert: Row) -> tuple[str, ...]:
    return alert["workspace"], alert["severity"], alert["policy"], alert["queue"]


def _covered(alert: Row, member: Row) -> bool:
    return alert["covered_at"] is not None and member["joined_at"] <= alert["covered_at"]


def _verify_state(alert: Row, members: list[Row], findings: Findings) -> None:
    covered = sum(_covered(alert, member) for member in members)
    counted = {"clocks": len(members), "covered": covered}
    if not members or (alert["clocks"], alert["covered"]) != (len(members), covered):
        findings.add(KIND, {"alert": alert["alert_id"], "says": dict(alert), "counted": counted})
    if (alert["state"] == "acknowledged") != (covered == len(members)):
        findings.add(KIND, {"alert": alert["alert_id"], "is": alert["state"], "counted": counted})


def _verify_ladders(alert: Row, members: list[tuple[Row, Row]], findings: Findings) -> None:
    """Of ladders that tell somebody. Of what an end of a cover has not given back yet nothing can be said."""
    if alert["state"] != "firing" or alert["released_at"] is not None:
        return
    for clock, member in members:
        life = orjson.loads(clock["life"])
        if life.get("escalation") is None or clock["state"] != "running" or _covered(alert, member):
            continue
        _, _, points, done, *held = life["escalation"]
        told = any(name.endswith(f":{alert['severity']}") and not name.startswith("end:") for name in done)
        put_aside = [name for _, name in (held[0] if held else ()) if name.endswith(f":{alert['severity']}")]
        ended = any(name.startswith("end:") for name in done)
        if put_aside or (told and not (points or life["plan"] or ended or (held and held[0]))):
            findings.add(KIND, {"clock": clock["clock_id"], "nothing ahead in": alert["alert_id"], "ladder": life})
