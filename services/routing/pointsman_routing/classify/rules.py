"""The workspace's own rules (`classify.rules`): compiled once a version, asked once a message. They win, and explain.

All matching rules apply in order: the first to set a key keeps it, tags add up, `priority` takes the highest, `stop`
ends. So does the meter, when it says that the time is over: the evidence names the first rule that was not asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from pointsman.contracts.document import Document, is_open
from pointsman.contracts.document.classification import Rule, When
from pointsman.contracts.document.connectors import Labelled
from pointsman.contracts.document.expression import Searched, compile_expression
from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import PRIORITIES, Evidence, Priority

CONDITION_UNITS = 100
"""What a condition without an expression costs, in steps times bytes: under a microsecond."""
CALENDAR_UNITS = 5_000


class OutOfTime(Exception):
    """The time for a message's rules is over."""


class Meter(Protocol):
    """The time for the rules of a message (pointsman_routing.rule_time)."""

    def begin(self) -> None: ...

    def over(self, units: int) -> bool: ...

    def end(self, *, cut_off: bool) -> None: ...


class Unmetered:
    """All the time that it takes: in tests, simulations and on the command line."""

    def begin(self) -> None: ...

    def over(self, units: int) -> bool:
        return False

    def end(self, *, cut_off: bool) -> None: ...


UNMETERED = Unmetered()


@dataclass
class Asked:
    """A message as rules see it; `language` changes when a rule sets it."""

    message: MessageReceived
    body: str
    language: str
    meter: Meter = UNMETERED

    def take(self, units: int) -> None:
        """Raises `OutOfTime` when there is no time for so many steps times bytes."""
        if self.meter.over(units):
            raise OutOfTime

    @cached_property
    def text(self) -> Searched:
        return Searched(self.body)

    @cached_property
    def subject(self) -> Searched:
        return Searched(self.message.subject or "")

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        return tuple(address.casefold() for address in (*self.message.to, *self.message.cc))


@dataclass
class LabelsSoFar:
    """What hints, rules and defaults said so far. `None` and empty: nothing yet."""

    category: str | None = None
    queue: str | None = None
    priority: Priority | None = None
    language: str | None = None
    requires: dict[str, int] = field(default_factory=dict)
    prefers: dict[str, int] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)

    def take(self, said: Labelled) -> None:
        """First come, first kept; tags add up; the highest priority counts."""
        self.category = self.category or said.category
        self.queue = self.queue or said.queue
        self.language = self.language or said.language
        self.requires = self.requires or dict(said.requires)
        self.prefers = self.prefers or dict(said.prefers)
        self.tags.update(dict.fromkeys(said.tags))
        if said.priority is not None:
            self.priority = higher(self.priority, said.priority)


def higher(one: Priority | None, other: Priority) -> Priority:
    """The more urgent of two priorities."""
    return other if one is None or PRIORITIES.index(other) < PRIORITIES.index(one) else one


NOT_ASKED = "not asked, nor the rules after it: the time for rules was over"

Matched = str | None
"""What a condition matched, in words; None: it does not hold."""
Condition = Callable[[Asked], Matched]


class Rules:
    """The compiled rules of one version of a document."""

    def __init__(self, document: Document) -> None:
        self._rules = [
            (f"rules/{place}" if rule.id is None else rule.id, _compiled(rule.when, document), rule, _effect(rule))
            for place, rule in enumerate(document.classify.rules)
        ]

    def apply(self, asked: Asked, said: LabelsSoFar) -> None:
        """Let every matching rule say its part, up to the first that stops or for which there is no time."""
        asked.meter.begin()
        cut_off = False
        try:
            for name, condition, rule, effect in self._rules:
                try:
                    asked.take(CONDITION_UNITS)
                    matched = condition(asked)
                except OutOfTime:
                    cut_off = True
                    said.evidence.append(Evidence(kind="rule", id=name, says=NOT_ASKED))
                    return
                if matched is None:
                    continue
                said.take(rule.set)
                asked.language = said.language or asked.language
                says = f"{matched or 'every message'}: sets {effect}"[:500]
                said.evidence.append(Evidence(kind="rule", id=name, says=says))
                if rule.stop:
                    return
        finally:
            asked.meter.end(cut_off=cut_off)


def _effect(rule: Rule) -> str:
    """What the rule sets, in words."""
    sets = rule.set.model_dump(exclude_defaults=True)
    return ", ".join(f"{key} {_plain(value)}" for key, value in sets.items()) or "nothing"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}:{level}" for key, level in value.items())
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _compiled(when: When, document: Document) -> Condition:
    """A condition that holds when all the keys of `when` do."""
    conditions = list(_conditions(when, document))
    if len(conditions) == 1:
        return conditions[0]

    def every(asked: Asked) -> Matched:
        asked.take(CONDITION_UNITS * len(conditions))
        said = []
        for condition in conditions:
            matched = condition(asked)
            if matched is None:
                return None
            said.append(matched)
        return ", ".join(filter(None, said))

    return every


def _conditions(when: When, document: Document) -> list[Condition]:
    # Cheap ones first: an expression is asked only where the rest holds.
    found: list[Condition] = []
    for name, values, value_of in (
        ("channel", when.channel, lambda asked: asked.message.channel),
        ("connector", when.connector, lambda asked: asked.message.connector),
        ("language", when.language, lambda asked: asked.language),
        ("customer_tier", when.customer_tier, lambda asked: asked.message.customer.tier),
        ("organization", when.organization, lambda asked: asked.message.customer.organization),
    ):
        if values:
            found.append(_one_of(name, frozenset(values), value_of))
    if when.to:
        found.append(_addressed(tuple(address.casefold() for address in when.to)))
    found.extend(_has_metadata(key, wanted) for key, wanted in when.metadata.items())
    if when.open is not None:
        found.append(_while_open(when.open, document))
    found.extend(_compiled(part, document) for part in when.all)
    if when.any:
        found.append(_either([_compiled(part, document) for part in when.any]))
    if when.not_ is not None:
        found.append(_unless(_compiled(when.not_, document)))
    if when.subject is not None:
        found.append(_expression("subject", when.subject, lambda asked: asked.subject))
    for header, source in when.header.items():
        found.append(_header(header, source))
    if when.text is not None:
        found.append(_expression("text", when.text, lambda asked: asked.text))
    return found


def _one_of(name: str, values: frozenset[str], value_of: Callable[[Asked], str | None]) -> Condition:
    def holds(asked: Asked) -> Matched:
        value = value_of(asked)
        return f"{name} {value}" if value in values else None

    return holds


def _addressed(wanted: tuple[str, ...]) -> Condition:
    def holds(asked: Asked) -> Matched:
        for address in asked.recipients:
            asked.take(CONDITION_UNITS * len(wanted))
            for one in wanted:
                if address == one or (one.startswith("@") and address.endswith(one)):
                    return f"to {address}"
        return None

    return holds


def _has_metadata(key: str, values: tuple[Any, ...]) -> Condition:
    def holds(asked: Asked) -> Matched:
        value = asked.message.metadata.get(key)
        there = value if isinstance(value, list) else [value]
        return f"metadata {key}" if any(one in values for one in there) else None

    return holds


def _while_open(name: str, document: Document) -> Condition:
    calendar, zone = document.calendars[name], document.timezone

    def holds(asked: Asked) -> Matched:
        asked.take(CALENDAR_UNITS)
        return f"{name} is open" if is_open(calendar, asked.message.received_at, workspace_zone=zone) else None

    return holds


def _either(conditions: list[Condition]) -> Condition:
    def holds(asked: Asked) -> Matched:
        asked.take(CONDITION_UNITS * len(conditions))
        return next((matched for condition in conditions if (matched := condition(asked)) is not None), None)

    return holds


def _unless(condition: Condition) -> Condition:
    def holds(asked: Asked) -> Matched:
        return "" if condition(asked) is None else None

    return holds


def _expression(name: str, source: str, searched: Callable[[Asked], Searched]) -> Condition:
    expression = compile_expression(source)

    def holds(asked: Asked) -> Matched:
        text = searched(asked)
        asked.take(expression.steps * text.size)
        matched = expression.search(text)
        return None if matched is None else f"{name} has “{matched[:80]}”"

    return holds


def _header(header: str, source: str) -> Condition:
    expression = compile_expression(source)

    def holds(asked: Asked) -> Matched:
        value = asked.message.headers.get(header.lower())
        if value is None:
            return None
        text = Searched(value)
        asked.take(expression.steps * text.size)
        return None if expression.search(text) is None else f"header {header}"

    return holds
