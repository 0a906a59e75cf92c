"""The kinds of tickets that a document makes: where they go, what they need, and how that relaxes while they wait."""

from collections.abc import Iterator
from typing import NamedTuple

from pointsman.contracts.document import CATCH_ALL, Document
from pointsman.contracts.document.connectors import Labelled
from pointsman.contracts.document.queues import Overflow, Relaxation
from pointsman_routing.lint.finding import Path

ANY_LANGUAGE = ""
"""Stands for all languages that ask for no skill."""


class Work(NamedTuple):
    """Tickets alike. `path` is what makes them so: a category, `otherwise`, a rule, a connector's default."""

    path: Path
    category: str
    language: str
    queue: str
    requires: dict[str, int]


class AskedQueues(NamedTuple):
    """From `after_seconds` of waiting on (None: after `offers_max` offers) these queues' agents are asked, for this."""

    after_seconds: int | None
    queues: frozenset[str]
    requires: dict[str, int]


def works_of(document: Document) -> list[Work]:
    """Every kind, in the document's order: of categories and connectors first, then of rules."""
    found: dict[tuple[object, ...], Work] = {}
    for work in (*_of_categories(document), *_of_connectors(document), *_of_rules(document)):
        found.setdefault((work.path, work.language, work.queue, tuple(sorted(work.requires.items()))), work)
    return list(found.values())


def stages_of(document: Document, work: Work) -> list[AskedQueues]:
    """How the work relaxes: its own queue and needs first, then each relaxation, overflow and escalation."""
    queue = document.queues[work.queue]
    stages = [AskedQueues(0, frozenset((work.queue,)), dict(work.requires))]
    language_skill = document.language_skill(work.language)
    steps: list[Relaxation | Overflow] = [*queue.relax, *queue.overflow]
    for step in sorted(steps, key=lambda step: step.after_seconds):
        _, queues, requires = stages[-1]
        if isinstance(step, Overflow):
            queues |= {step.to}
        else:
            dropped = {*step.drop, *([language_skill] if step.drop_language and language_skill else [])}
            requires = {
                skill: min(level, step.lower.get(skill, level))
                for skill, level in requires.items()
                if skill not in dropped
            }
        stages.append(AskedQueues(step.after_seconds, queues, requires))
    then = queue.offer.then
    if then is not None and then.to is not None:
        stages.append(AskedQueues(None, stages[-1].queues | {then.to}, stages[-1].requires))
    return stages


def languages_of(document: Document) -> list[str]:
    """The languages that ask for a skill, each; the others together as `ANY_LANGUAGE`."""
    asking = [language for language in document.languages if document.language_skill(language)]
    return asking if len(asking) == len(document.languages) and asking else [*asking, ANY_LANGUAGE]


def category_path(document: Document, category: str) -> Path:
    """Where a category says what it needs."""
    listed = category in document.classify.categories
    return ("classify", "categories", category) if listed else ("classify", "otherwise")


def _of_categories(document: Document) -> Iterator[Work]:
    for category in document.category_names:
        listed = document.classify.categories.get(category)
        path = category_path(document, category)
        name = category if listed else CATCH_ALL
        for language in languages_of(document):
            requires = _with_language(document, dict(document.category(category).requires), language)
            yield Work(path, name, language, document.queue_of(category), requires)


def _of_connectors(document: Document) -> Iterator[Work]:
    """A connector's default queue is that of categories which say none."""
    for slug, connector in document.connectors.items():
        queue = connector.default.queue
        if queue is None:
            continue
        category = connector.default.category or CATCH_ALL
        for language in languages_of(document):
            requires = _with_language(document, dict(document.category(category).requires), language)
            yield Work(("connectors", slug, "default"), category, language, queue, requires)


def _of_rules(document: Document) -> Iterator[Work]:
    for place, rule in enumerate(document.classify.rules):
        says: Labelled = rule.set
        if says.queue is None and not says.requires:
            continue
        category = says.category or CATCH_ALL
        listed = document.category(category)
        needed = {**(listed.requires if says.category else {}), **says.requires}
        for language in _languages_of_rule(document, says, rule.when.language):
            requires = _with_language(document, dict(needed), language)
            queue = says.queue or document.queue_of(category)
            yield Work(("classify", "rules", place), category, language, queue, requires)


def _languages_of_rule(document: Document, says: Labelled, asked: tuple[str, ...]) -> list[str]:
    named = [says.language] if says.language else list(asked)
    if not named:
        return languages_of(document)
    return list(dict.fromkeys(one if document.language_skill(one) else ANY_LANGUAGE for one in named))


def _with_language(document: Document, requires: dict[str, int], language: str) -> dict[str, int]:
    skill = document.language_skill(language) if language else None
    if skill is not None:
        requires.setdefault(skill, 1)
    return requires
