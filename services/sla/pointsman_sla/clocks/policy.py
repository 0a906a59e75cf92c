"""The promises of one configuration version: policies in order, their targets, and the calendars in which they count.

Read from the `calendars`, `sla` and `timezone` of a workspace document that the desk has validated. Absent keys have
the document's defaults: a policy without a calendar counts always, warnings are at 0.5 and 0.8 of the target and 60 s
before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.contracts.document.workspace import FIRST_QUEUE
from pointsman.contracts.shapes import Channel, Metric, Priority
from pointsman_sla.calendar import Calendar, compile_calendar
from pointsman_sla.clocks.ladder import Ladder, read_ladder, share_step
from pointsman_sla.clocks.queue_order import FIFO, ORDERING, QueueOrder, orders_of

ALWAYS = "always"
"""The calendar of a policy that names none, unless the workspace has its own of that name."""

MATCHED = (
    "channel",
    "connector",
    "queue",
    "priority",
    "category",
    "organization",
    "tags",
    "language",
    "customer_tier",
)
_WARN: Mapping[str, Any] = {"shares": (0.5, 0.8), "lead_seconds": (60,)}


@dataclass(frozen=True, slots=True)
class Labels:
    """What policies match on, as the ticket's facts say it."""

    channel: Channel
    connector: str
    customer_tier: str | None = None
    organization: str | None = None
    queue: str | None = None
    priority: Priority = "normal"
    category: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The promised seconds of business time in a calendar."""

    seconds: int
    calendar: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One promise. Its warnings are `shares` of the target, with the metrics that they are for (none: all), and seconds
    before the breach (`leads`), each with the name of its point. `ladder` is what happens then."""

    name: str
    match: Mapping[str, frozenset[str]]
    targets: Mapping[str, Mapping[str, Target]]
    shares: tuple[tuple[str, float, frozenset[str]], ...]
    leads: tuple[tuple[str, int], ...]
    pause_on: Mapping[str, frozenset[str]]
    reopen_continues: bool
    ladder: str | None = None

    def matches(self, labels: Labels) -> bool:
        """Whether every key of `match` holds: one of its values is the ticket's."""
        for key, wanted in self.match.items():
            value = getattr(labels, key)
            if key == "tags":
                if wanted.isdisjoint(value):
                    return False
            elif value not in wanted:
                return False
        return True

    def target(self, metric: Metric, priority: Priority) -> Target | None:
        """What is promised for this metric at this priority; None when it is not measured."""
        by_priority = self.targets.get(metric)
        if by_priority is None:
            return None
        return by_priority.get(priority) or by_priority.get("default")


@dataclass(frozen=True, slots=True)
class NotifyGrouping:
    """How what a notify target is told is bundled: messages of one group within a window are one."""

    name: str
    group_by: tuple[str, ...] = ("queue", "policy")
    within_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Book:
    """The policies, ladders and calendars, and how queues order, of one version of a workspace's configuration."""

    version: int
    policies: tuple[Policy, ...] = ()
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    orders: Mapping[str, QueueOrder] = field(default_factory=dict)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    groupings: Mapping[str, NotifyGrouping] = field(default_factory=dict)
    last_resort: str | None = None
    _compiled: dict[str, Calendar] = field(default_factory=dict, repr=False, compare=False)

    def order_of(self, queue: str | None) -> QueueOrder:
        """How a queue orders its tickets."""
        return self.orders.get(queue or "", FIFO)

    def policy_for(self, labels: Labels) -> Policy | None:
        """The first policy that matches; None: nothing is promised."""
        for policy in self.policies:
            if policy.matches(labels):
                return policy
        return None

    def named(self, name: str) -> Policy | None:
        """The policy of that name in this version."""
        return next((policy for policy in self.policies if policy.name == name), None)

    def grouping(self, name: str) -> NotifyGrouping:
        """The notify target of that name; one with the defaults when this version has none."""
        return self.groupings.get(name) or NotifyGrouping(name)

    def calendar(self, name: str) -> Calendar:
        """The compiled calendar. Raises `CalendarError` when its definition is wrong, `KeyError` when there is none."""
        found = self._compiled.get(name)
        if found is None:
            always = name == ALWAYS and name not in self.definitions
            found = self._compiled[name] = compile_calendar({"always": True} if always else self.definitions[name])
        return found


def part_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What this service keeps of a workspace document."""
    sla = document.get("sla") or {}
    return {
        "timezone": document.get("timezone") or "Europe/Rome",
        "retention": {"closed_tickets_days": (document.get("retention") or {}).get("closed_tickets_days", 730)},
        "calendars": {name: _without_text(raw) for name, raw in (document.get("calendars") or {}).items()},
        "queues": {
            slug: {key: queue[key] for key in ORDERING if queue and queue.get(key) is not None}
            for slug, queue in (document.get("queues") or {FIRST_QUEUE: None}).items()
        },
        "agents": sorted(document.get("agents") or {}),
        "sla": {
            "policies": sla.get("policies") or [],
            "ladders": sla.get("ladders") or {},
            "notify": sla.get("notify") or {},
            "last_resort": sla.get("last_resort"),
        },
    }


def _without_text(calendar: Mapping[str, Any]) -> dict[str, Any]:
    """A calendar without the text of its iCal file, whose dates it has."""
    ical = calendar.get("ical")
    return {**calendar, "ical": {"dates": ical.get("dates") or {}}} if ical else dict(calendar)


def read_book(version: int, part: Mapping[str, Any]) -> Book:
    """The book of a version, from what `part_of` kept. Every calendar is compiled once, so that a wrong one is found
    here."""
    definitions = {
        name: {"tz": part["timezone"], **{key: value for key, value in raw.items() if value is not None}}
        for name, raw in part["calendars"].items()
    }
    for definition in definitions.values():
        compile_calendar(definition)
    sla = part["sla"]
    ladders = {name: read_ladder(name, steps) for name, steps in (sla.get("ladders") or {}).items()}
    return Book(
        version=version,
        policies=tuple(_read_policy(raw, ladders) for raw in sla["policies"]),
        definitions=definitions,
        ladders=ladders,
        groupings={name: _read_notify(name, raw or {}) for name, raw in (sla.get("notify") or {}).items()},
        last_resort=sla.get("last_resort"),
        orders=orders_of(part.get("queues") or {}),
    )


def _read_notify(name: str, raw: Mapping[str, Any]) -> NotifyGrouping:
    given = NotifyGrouping(name)
    group_by = raw.get("group_by")
    within = raw.get("within_seconds")
    return NotifyGrouping(
        name,
        given.group_by if group_by is None else tuple(group_by),
        given.within_seconds if within is None else int(within),
    )


def _read_policy(raw: Mapping[str, Any], ladders: Mapping[str, Ladder]) -> Policy:
    calendar = raw.get("calendar") or ALWAYS
    warn = _WARN if raw.get("warn") is None else raw["warn"]
    return Policy(
        name=raw["name"],
        match={key: _values(value) for key, value in (raw.get("match") or {}).items() if key in MATCHED and value},
        targets={
            metric: {priority: _target(target, calendar) for priority, target in by_priority.items()}
            for metric, by_priority in (raw.get("targets") or {}).items()
        },
        shares=_shares(warn.get("shares") or (), ladders.get(raw.get("ladder") or "")),
        leads=tuple((f"lead:{lead}", int(lead)) for lead in warn.get("lead_seconds") or ()),
        pause_on={metric: _values(reasons) for metric, reasons in (raw.get("pause_on") or {}).items()},
        reopen_continues=raw.get("reopen", "continue") != "restart",
        ladder=raw.get("ladder"),
    )


def _shares(warned: Sequence[float], ladder: Ladder | None) -> tuple[tuple[str, float, frozenset[str]], ...]:
    """The shares at which to warn, and those at which only a step of the ladder begins."""
    shares = {share_step(share): (float(share), frozenset[str]()) for share in warned}
    for share, metrics in ladder.shares() if ladder is not None else ():
        known = shares.get(share_step(share))
        if known is None:
            shares[share_step(share)] = (share, metrics)
        elif known[1]:
            shares[share_step(share)] = (share, known[1] | metrics if metrics else frozenset())
    return tuple((name, share, metrics) for name, (share, metrics) in shares.items())


def _target(raw: Any, calendar: str) -> Target:
    if isinstance(raw, Mapping):
        return Target(int(raw["seconds"]), raw.get("calendar") or calendar)
    return Target(int(raw), calendar)


def _values(raw: Any) -> frozenset[str]:
    if isinstance(raw, str) or not isinstance(raw, Sequence | set | frozenset):
        return frozenset((str(raw),))
    return frozenset(map(str, raw))
