"""The words of a message: the default text, and the variables that templates have (docs/sla.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pointsman.core.instant import Instant
from pointsman.core.zones import zone_of
from pointsman_sla.notify.still_due import Alerted, Line, StillDue

ALERTS_LISTED_MAX = 5


def variables(
    still_due: StillDue,
    *,
    id: str,
    workspace: str,
    target: str,
    zone: str,
    group: str,
    links: Mapping[str, str],
    test: bool,
) -> dict[str, Any]:
    """What a template may name. `links` are the addresses that acknowledge, by alert."""
    given: dict[str, Any] = {
        "id": id,
        "workspace": workspace,
        "target": target,
        "zone": zone,
        "group": group,
        "test": test,
        "count": still_due.count,
        "more": still_due.count - len(still_due.lines),
        "severity": _worst(still_due),
        "items": [_item(line, zone) for line in still_due.lines],
        "alerts": [asdict(alert) | {"ack_url": links.get(alert.id or "")} for alert in still_due.alerts],
    }
    given["default_title"] = _title(still_due, given)
    given["default_body"] = _body(still_due, given)
    return given


def _worst(still_due: StillDue) -> str | None:
    severities = {alert.severity for alert in still_due.alerts}
    return "breach" if "breach" in severities else "warning" if "warning" in severities else None


def _item(line: Line, zone: str) -> dict[str, Any]:
    told = asdict(line)
    due_at = told.pop("due_at")
    return told | {"deadline": in_zone(due_at, zone), "deadline_utc": None if due_at is None else due_at.isoformat()}


def in_zone(at: Instant | None, zone: str) -> str | None:
    """An instant as people of the zone read it: `Mon 23 Nov 15:04 CET`."""
    return None if at is None else f"{at.astimezone(zone_of(zone)):%a %-d %b %H:%M %Z}"


def _title(still_due: StillDue, given: Mapping[str, Any]) -> str:
    if given["test"]:
        return f"Pointsman: a test message to {given['target']}"
    if any(line.kind == "exhausted" for line in still_due.lines):
        what = "Nobody acknowledged: " + _count(still_due.alerts)
    else:
        what = _count(still_due.alerts)
    return f"{what}{_where(still_due)}"


def _count(alerts: Sequence[Alerted]) -> str:
    """`3 breaches, 2 warnings`. Without a severity it is a clock that is in no alert any more, or, without a policy, a
    ticket that nobody took."""
    by_name: dict[str, int] = {}
    for alert in alerts:
        name = alert.severity or ("clock" if alert.policy else "ticket nobody took")
        by_name[name] = by_name.get(name, 0) + alert.count
    return ", ".join(f"{count} {_plural(name) if count != 1 else name}" for name, count in sorted(by_name.items()))


def _plural(name: str) -> str:
    plurals = {"breach": "breaches", "warning": "warnings", "clock": "clocks"}
    return plurals.get(name, "tickets nobody took")


def _where(still_due: StillDue) -> str:
    """` in billing (vip)`, as far as all have it in common."""
    queues = {alert.queue for alert in still_due.alerts}
    policies = {alert.policy for alert in still_due.alerts}
    queue = f" in {queues.pop()}" if len(queues) == 1 and None not in queues and "" not in queues else ""
    policy = f" ({policies.pop()})" if len(policies) == 1 and None not in policies else ""
    return queue + policy


def _body(still_due: StillDue, given: Mapping[str, Any]) -> str:
    if given["test"]:
        return f"This is a test. Messages of the workspace {given['workspace']} to {given['target']} arrive here."
    lines = [_line(item) for item in given["items"]]
    if given["more"]:
        lines.append(f"… and {given['more']} more.")
    links = [
        (f"Acknowledge {_count([alert])}{_place(alert)}: {shown['ack_url']}", alert.count)
        for alert, shown in zip(still_due.alerts, given["alerts"], strict=True)
        if shown["ack_url"] is not None
    ]
    if len(still_due.alerts) > 1:
        counts = [f"{_count([alert])}{_place(alert)}" for alert in still_due.alerts[:ALERTS_LISTED_MAX]]
        rest = len(still_due.alerts) - ALERTS_LISTED_MAX
        lines = [*counts, *([f"… and {rest} more alerts."] if rest > 0 else []), "", *lines]
    why = sorted({line.reason for line in still_due.lines})
    lines += ["", f"Why: {'; '.join(why[:3])}."] if why else []
    lines += ["", *(text for text, _ in links)] if links else []
    return "\n".join([*lines, "", f"{given['id']}, workspace {given['workspace']}"])


def _place(alert: Alerted) -> str:
    queue = f" in {alert.queue}" if alert.queue else ""
    return queue + (f" ({alert.policy})" if alert.policy else "")


def _line(item: Mapping[str, Any]) -> str:
    """`tkt_1 (urgent): breach of first_response, due Mon 23 Nov 15:04 CET, held by anna`."""
    parts = [item["ticket"] or "an alert"]
    if item["priority"]:
        parts[0] += f" ({item['priority']})"
    if item["metric"]:
        parts[0] += f": {item['severity'] or 'clock'} of {item['metric']}"
    if item["deadline"]:
        parts.append(f"due {item['deadline']}")
    parts.append(f"held by {item['agent']}" if item["agent"] else "held by nobody")
    return ", ".join(parts)
