"""What one part of the document says of another: every name that is used has to be there.

Checked of all that has its shape. Each check yields (path, detail); the reader adds the line.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.contracts.document.calendars import WEEKDAYS, Week, minutes_of
from pointsman.contracts.document.classification import When
from pointsman.contracts.document.closed import meant, not_there
from pointsman.contracts.document.expression import ExpressionRefused, compile_expression
from pointsman.contracts.document.parts import RULE_DEPTH_MAX
from pointsman.contracts.document.promises import Action, Step, Target
from pointsman.contracts.document.sound import Sound
from pointsman.contracts.document.workspace import Document
from pointsman.contracts.events import EVENT_TYPES

Path = tuple[str | int, ...]
Finding = tuple[Path, str]

YEARS_TO_TARGET_MAX = 100
"""No promise may take longer in its calendar: half of what a calendar looks ahead."""


def findings(sound: Sound, written: Mapping[str, Any]) -> Iterator[Finding]:
    """Every mistake between the parts, in the order of the document. A name of `written` is there, also where what
    bears it has a wrong shape."""
    document, known = sound.document, _Known(sound, written)
    yield from _connectors(document, known)
    yield from _skills(document)
    yield from _classify(document, known)
    yield from _queues(document, known)
    yield from _agents(document, known)
    yield from _calendars(document, known)
    yield from _sla(document, known)
    for slug, hook in document.webhooks.items():
        yield from known.queue(("webhooks", slug, "queues"), hook.queues)
        for place, name in enumerate(hook.events):
            if name not in EVENT_TYPES:
                yield ("webhooks", slug, "events", place), not_there("event", name, EVENT_TYPES)


class _Known:
    """The names there are, and how to say that one is missing."""

    def __init__(self, sound: Sound, written: Mapping[str, Any]) -> None:
        document = sound.document
        self.holds = sound.holds
        self._names: dict[str, frozenset[str] | None] = {
            kind: _names(written, path, names)
            for kind, path, names in (
                ("queue", ("queues",), document.queues),
                ("skill", ("skills",), document.skills),
                ("calendar", ("calendars",), document.calendars),
                ("connector", ("connectors",), document.connectors),
                ("team", ("teams",), document.teams),
                ("reply", ("replies",), document.replies),
                ("ladder", ("sla", "ladders"), document.sla.ladders),
                ("notify target", ("sla", "notify"), document.sla.notify),
            )
        }

    def _missing(self, kind: str, path: Path, wanted: str | Iterable[str] | None) -> Iterator[Finding]:
        names = self._names[kind]
        if wanted is None or names is None:
            return
        if isinstance(wanted, str):
            if wanted not in names:
                yield path, f"there is no {kind} {wanted!r} in this document{meant(wanted, names)}"
            return
        for place, name in enumerate(wanted):
            if name not in names:
                step = name if isinstance(wanted, Mapping) else place
                yield (*path, step), f"there is no {kind} {name!r} in this document{meant(name, names)}"

    def queue(self, path: Path, wanted: str | Iterable[str] | None) -> Iterator[Finding]:
        return self._missing("queue", path, wanted)

    def skill(self, path: Path, wanted: str | Iterable[str] | None) -> Iterator[Finding]:
        return self._missing("skill", path, wanted)

    def calendar(self, path: Path, wanted: str | None) -> Iterator[Finding]:
        return self._missing("calendar", path, wanted)

    def connector(self, path: Path, wanted: Iterable[str]) -> Iterator[Finding]:
        return self._missing("connector", path, wanted)

    def team(self, path: Path, wanted: str | None) -> Iterator[Finding]:
        return self._missing("team", path, wanted)

    def reply(self, path: Path, wanted: str | None) -> Iterator[Finding]:
        return self._missing("reply", path, wanted)

    def ladder(self, path: Path, wanted: str | None) -> Iterator[Finding]:
        return self._missing("ladder", path, wanted)

    def notify(self, path: Path, wanted: str | None) -> Iterator[Finding]:
        return self._missing("notify target", path, wanted)

    def set(self, path: Path, said: Any) -> Iterator[Finding]:
        yield from self.queue((*path, "queue"), said.queue)
        yield from self.skill((*path, "requires"), said.requires)
        yield from self.skill((*path, "prefers"), said.prefers)


def _names(written: Mapping[str, Any], path: tuple[str, ...], names: Iterable[str]) -> frozenset[str] | None:
    """The names that a section has, as far as it has its shape; None: it is no section at all, and any may be meant."""
    section: Any = written
    for step in path:
        section = section.get(step, {}) if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping | list):
        return None
    return frozenset(names) | {name for name in section if isinstance(name, str)}


def _connectors(document: Document, known: _Known) -> Iterator[Finding]:
    owner: dict[str, str] = {}
    for slug, connector in document.connectors.items():
        path: Path = ("connectors", slug)
        yield from known.reply((*path, "auto_reply"), connector.auto_reply)
        yield from known.set((*path, "default"), connector.default)
        for place, address in enumerate(connector.addresses):
            first = owner.setdefault(address.lower(), slug)
            if first != slug:
                yield (*path, "addresses", place), f"{address} belongs to the connector {first!r} already"


def _skills(document: Document) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, skill in enumerate(document.skills):
        if skill in seen:
            yield ("skills", place), f"{skill!r} is there twice"
        seen.add(skill)


def _classify(document: Document, known: _Known) -> Iterator[Finding]:
    for place, rule in enumerate(document.classify.rules):
        path: Path = ("classify", "rules", place)
        yield from _when((*path, "when"), rule.when, known, 0)
        yield from known.set((*path, "set"), rule.set)
    for name, category in document.classify.categories.items():
        yield from known.set(("classify", "categories", name), category)
    yield from known.set(("classify", "otherwise"), document.classify.otherwise)


def _when(path: Path, when: When, known: _Known, depth: int) -> Iterator[Finding]:
    if depth > RULE_DEPTH_MAX:
        yield path, f"more than {RULE_DEPTH_MAX} levels of all, any and not"
        return
    for name in ("all", "any"):
        for place, part in enumerate(getattr(when, name)):
            yield from _when((*path, name, place), part, known, depth + 1)
    if when.not_ is not None:
        yield from _when((*path, "not"), when.not_, known, depth + 1)
    expressions: dict[Path, str | None] = {("text",): when.text, ("subject",): when.subject}
    expressions.update({("header", header): expression for header, expression in when.header.items()})
    for step, expression in expressions.items():
        if expression is not None:
            try:
                too_large = compile_expression(expression).too_large
            except ExpressionRefused as refused:
                too_large = str(refused)
            if too_large is not None:
                yield (*path, *step), too_large
    yield from known.connector((*path, "connector"), when.connector)
    yield from known.calendar((*path, "open"), when.open)


def _queues(document: Document, known: _Known) -> Iterator[Finding]:
    for slug, queue in document.queues.items():
        path: Path = ("queues", slug)
        if queue.offer.then is not None:
            yield from known.notify((*path, "offer", "then", "notify"), queue.offer.then.notify)
            yield from known.queue((*path, "offer", "then", "to"), queue.offer.then.to)
        for place, relaxation in enumerate(queue.relax):
            yield from known.skill((*path, "relax", place, "lower"), relaxation.lower)
            yield from known.skill((*path, "relax", place, "drop"), relaxation.drop)
        for place, overflow in enumerate(queue.overflow):
            yield from known.queue((*path, "overflow", place, "to"), overflow.to)
            if overflow.to == slug:
                yield (*path, "overflow", place, "to"), "a queue cannot overflow into itself"
        yield from known.calendar((*path, "hours"), queue.hours)
        for name, shut in (("closed", queue.closed), ("full", queue.full)):
            yield from known.reply((*path, name, "reply"), shut.reply)
            if not isinstance(shut.then, str):
                yield from known.queue((*path, name, "then", "to"), shut.then.to)
                if shut.then.to == slug:
                    yield (*path, name, "then", "to"), "a queue cannot send its tickets to itself"


def _agents(document: Document, known: _Known) -> Iterator[Finding]:
    login_of: dict[str, str] = {}
    for slug, agent in document.agents.items():
        path: Path = ("agents", slug)
        yield from known.team((*path, "team"), agent.team)
        yield from known.calendar((*path, "hours"), agent.hours)
        yield from known.skill((*path, "skills"), agent.skills)
        yield from known.queue((*path, "queues"), agent.queues)
        reserved = sum(agent.reserve.values())
        if reserved > agent.capacity and known.holds(path):
            yield (*path, "reserve"), f"{reserved} units are reserved of a capacity of {agent.capacity}"
        if agent.login is not None:
            first = login_of.setdefault(agent.login.lower(), slug)
            if first != slug:
                yield (*path, "login"), f"{agent.login} is the login of the agent {first!r} already"
    for slug, team in document.teams.items():
        yield from known.queue(("teams", slug, "queues"), team.queues)
        yield from known.calendar(("teams", slug, "hours"), team.hours)


def _calendars(document: Document, known: _Known) -> Iterator[Finding]:
    for slug, calendar in document.calendars.items():
        opens = calendar.always or any(calendar.week.values()) or any(calendar.days.values())
        opens = opens or any(change.always or any((change.week or {}).values()) for change in calendar.from_.values())
        if not opens and known.holds(("calendars", slug)):
            yield ("calendars", slug), "never opens: give it `always: true`, a `week` or `days` with spans"
        seen: set[str] = set()
        for place, holiday in enumerate(calendar.holidays):
            if holiday in seen:
                yield ("calendars", slug, "holidays", place), f"{holiday} is there twice"
            seen.add(holiday)
        yield from _nights(("calendars", slug, "week"), calendar.week)
        for begins, change in calendar.from_.items():
            yield from _nights(("calendars", slug, "from", begins, "week"), change.week or {})


def _nights(path: Path, week: Week) -> Iterator[Finding]:
    """A span over midnight ends before the next day's first begins."""
    for place, day in enumerate(WEEKDAYS):
        spans, following = week.get(day), week.get(WEEKDAYS[(place + 1) % 7])
        if spans and following:
            (start, end), (opens, _) = spans[-1], following[0]
            if minutes_of(end) < minutes_of(start) and minutes_of(opens) < minutes_of(end):
                yield (*path, WEEKDAYS[(place + 1) % 7], 0), f"overlaps the span {start} to {end} of {day}"


def _sla(document: Document, known: _Known) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, policy in enumerate(document.sla.policies):
        path: Path = ("sla", "policies", place)
        if policy.name in seen:
            yield (*path, "name"), f"there are two policies {policy.name!r}"
        seen.add(policy.name)
        yield from known.connector((*path, "match", "connector"), policy.match.connector)
        yield from known.queue((*path, "match", "queue"), policy.match.queue)
        yield from known.calendar((*path, "calendar"), policy.calendar)
        yield from known.ladder((*path, "ladder"), policy.ladder)
        for metric, targets in policy.targets.items():
            for priority, target in targets.items():
                yield from known.calendar((*path, "targets", metric, priority, "calendar"), target.calendar)
                name = target.calendar or policy.calendar
                if name in document.calendars and known.holds(("calendars", name)):
                    yield from _reach((*path, "targets", metric, priority), document, name, target)
    for slug, steps in document.sla.ladders.items():
        for place, step in enumerate(steps):
            path = ("sla", "ladders", slug, place)
            if known.holds(("sla", "ladders", slug)):
                yield from _step(path, step, first=place == 0)
            for number, action in enumerate(step.do):
                yield from _named((*path, "do", number), action, known)
    for slug, told in document.sla.notify.items():
        yield from known.calendar(("sla", "notify", slug, "hours"), told.hours)
    yield from known.notify(("sla", "last_resort"), document.sla.last_resort)


def _reach(path: Path, document: Document, name: str, target: Target) -> Iterator[Finding]:
    """A target has to fall due some day, whenever its clock starts."""
    a_year = document.calendars[name].seconds_a_year
    if a_year == 0:
        yield path, f"the calendar {name!r} does not open for good: after its last dates no target could fall due"
    elif target.seconds > a_year * YEARS_TO_TARGET_MAX:
        yield path, f"the calendar {name!r} opens so little that this would take over {YEARS_TO_TARGET_MAX} years"


def _step(path: Path, step: Step, *, first: bool) -> Iterator[Finding]:
    if (step.on is None) == (step.after_seconds is None):
        yield path, "a step has either `on` or `after_seconds`"
    elif first and step.on is None:
        yield path, "the first step has to say `on`: `after_seconds` counts from the `on` step above it"
    if step.at is not None and step.on != "warning":
        yield (*path, "at"), "only a step `on: warning` has a share"
    for place, action in enumerate(step.do):
        yield from _action((*path, "do", place), action)


def _action(path: Path, action: Action) -> Iterator[Finding]:
    given = [name for name in ("boost", "relax", "overflow", "notify") if getattr(action, name) is not None]
    if len(given) != 1:
        yield path, "an action is exactly one of boost, relax, overflow, notify"
    if action.notify is None and (action.during or action.otherwise):
        yield path, "`during` and `otherwise` belong to `notify`"


def _named(path: Path, action: Action, known: _Known) -> Iterator[Finding]:
    yield from known.queue((*path, "overflow"), action.overflow)
    yield from known.notify((*path, "notify"), action.notify)
    yield from known.notify((*path, "otherwise"), action.otherwise)
    yield from known.calendar((*path, "during"), action.during)
