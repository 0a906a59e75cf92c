"""Rules and categories that do nothing, and what makes them so."""

from collections.abc import Iterator

from pointsman.contracts.document import CATCH_ALL, SHIPPED_CATEGORIES, Document
from pointsman.contracts.document.classification import Rule, When
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.lint.finding import Finding
from pointsman_routing.lint.view import DocumentView

_LISTS = ("channel", "connector", "language", "customer_tier", "organization")
_TEXTS = ("text", "subject", "open")


def implies(one: When, other: When) -> bool:
    """Whether every message for which `one` holds is one for which `other` holds. Sound, not complete: expressions are
    compared as they are written."""
    return (
        all(_within(getattr(one, key), getattr(other, key)) for key in _LISTS)
        and _within(one.to, other.to)
        and all(getattr(other, key) in (None, getattr(one, key)) for key in _TEXTS)
        and all(one.header.get(name) == wanted for name, wanted in other.header.items())
        and all(_within(one.metadata.get(name, ()), wanted) for name, wanted in other.metadata.items())
        and all(_implies_part(one, part) for part in other.all)
        and (not other.any or _implies_any(one, other.any))
        and (other.not_ is None or (one.not_ is not None and implies(other.not_, one.not_)))
    ) or any(implies(part, other) for part in one.all)


def _within(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return not other or (bool(one) and set(one) <= set(other))


def _implies_part(one: When, part: When) -> bool:
    return implies(one, part) or any(implies(own, part) for own in one.all)


def _implies_any(one: When, parts: tuple[When, ...]) -> bool:
    if any(_implies_part(one, part) for part in parts):
        return True
    return bool(one.any) and all(any(implies(own, part) for part in parts) for own in one.any)


def unreachable_rule(view: DocumentView) -> Iterator[Finding]:
    """A rule that no message reaches, or that comes too late to set anything."""
    rules = view.document.classify.rules
    for place, rule in enumerate(rules):
        path = ("classify", "rules", place)
        earlier = [(at, rules[at]) for at in range(place) if implies(rule.when, rules[at].when)]
        stopping = next((at for at, other in earlier if other.stop), None)
        if stopping is not None:
            yield Finding(
                "unreachable-rule",
                "warning",
                path,
                f"{_name(rules, stopping)} stops at every message that this rule is about: it is never asked.",
                f"Move this rule above {_name(rules, stopping)}, narrow that one, or remove this.",
            )
        elif not rule.stop and not _adds(rule, [other for _, other in earlier]):
            before = ", ".join(_name(rules, at) for at, _ in earlier)
            said = f"{before} set the same keys first for every such message" if before else "It sets nothing"
            yield Finding(
                "unreachable-rule",
                "warning",
                path,
                f"{said}: this rule changes nothing.",
                "Move it up if it should win, or remove it.",
            )


def _adds(rule: Rule, earlier: list[Rule]) -> bool:
    """Whether the rule says something that those which always hold with it did not say before."""
    says = rule.set
    for key in ("category", "queue", "language", "requires", "prefers"):
        if getattr(says, key) and not any(getattr(other.set, key) for other in earlier):
            return True
    if set(says.tags) - {tag for other in earlier for tag in other.set.tags}:
        return True
    if says.priority is None:
        return False
    ranks = [PRIORITIES.index(other.set.priority) for other in earlier if other.set.priority is not None]
    return not ranks or PRIORITIES.index(says.priority) < min(ranks)


def _name(rules: tuple[Rule, ...], place: int) -> str:
    id = rules[place].id
    return f"rule {id}" if id else f"rule {place + 1}"


def unselected_category(view: DocumentView) -> Iterator[Finding]:
    """A category that nothing ever chooses."""
    document = view.document
    if view.hinted:
        return
    chosen = {CATCH_ALL, *SHIPPED_CATEGORIES, *_chosen(document)}
    for category in document.classify.categories:
        if category not in chosen:
            yield Finding(
                "unselected-category",
                "warning",
                ("classify", "categories", category),
                f"No rule and no connector chooses {category}, and the shipped lexicon does not know it: only a person "
                "who relabels a ticket leads there.",
                "Add a rule with `set: {category: " + category + "}`, give a connector this default, or remove it.",
            )


def _chosen(document: Document) -> Iterator[str]:
    for rule in document.classify.rules:
        if rule.set.category:
            yield rule.set.category
    for connector in document.connectors.values():
        if connector.default.category:
            yield connector.default.category
