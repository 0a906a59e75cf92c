"""From the lexicon's finds to labels: category with top three, confidence and band, priority, sentiment.

A category's confidence rests on its weight (how much was said for it) and its share (how little for others). Measured
on support messages the shipped phrases were not written from: docs/classification.md.
"""

from typing import Literal, NamedTuple

from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import Evidence, Priority
from pointsman_routing.classify.normal import normalised
from pointsman_routing.classify.phrases import Found, shipped_lexicon

Band = Literal["auto", "suggest", "human"]

AUTO_FROM = 0.95
SUGGEST_FROM = 0.5
NOTHING = 0.3
"""Confidence of the catch-all when no phrase was found: few messages are about nothing known."""

URGENT_CATEGORIES: dict[str, Priority] = {"outage": "urgent", "security_fraud": "high", "complaint": "high"}
"""Categories that raise the priority when the lexicon is at least this sure of them."""
RAISES_FROM = 0.8


class LexiconSays(NamedTuple):
    """What the shipped lexicon makes of a message. `category` None: nothing that the workspace knows."""

    category: str | None
    confidence: float
    top: tuple[tuple[str, float], ...]
    priority: Priority | None
    sentiment: Literal["positive", "neutral", "negative"]
    evidence: tuple[Evidence, ...]


def lexicon_says(message: MessageReceived, text: str, language: str, categories: frozenset[str]) -> LexiconSays:
    """Category, priority and sentiment by the lexicon, among the categories that the workspace has."""
    subject = f"{message.subject}\n" if message.subject else ""
    found = shipped_lexicon().find(normalised(subject + text), language)
    if message.automatic is not None and "auto_reply" in categories:
        says = f"automatic mail: {message.automatic}"
        evidence = (Evidence(kind="header", id=message.automatic, says=says),)
        return LexiconSays("auto_reply", 0.99, (("auto_reply", 0.99),), None, "neutral", evidence)
    ranked = _ranked(found)
    known = [(category, confidence) for category, confidence in ranked if category in categories]
    category, confidence = known[0] if known else (None, NOTHING)
    priority = found.priority
    if ranked and ranked[0][1] >= RAISES_FROM and ranked[0][0] in URGENT_CATEGORIES:
        raised = URGENT_CATEGORIES[ranked[0][0]]
        priority = "urgent" if "urgent" in (priority, raised) else raised
    return LexiconSays(category, confidence, tuple(known[:3]), priority, _sentiment(found), _evidence(found, category))


def band_of(confidence: float) -> Band:
    """How far the label may be trusted: set it, suggest the top three, or leave it to a person."""
    return "auto" if confidence >= AUTO_FROM else "suggest" if confidence >= SUGGEST_FROM else "human"


def _ranked(found: Found) -> list[tuple[str, float]]:
    """Categories with their confidence, the surest first; ties by name, so that the answer never varies."""
    total = sum(found.weights.values())
    ranked = sorted(found.weights.items(), key=lambda one: (-one[1], one[0]))
    return [(category, round(_confidence(weight, weight / total), 3)) for category, weight in ranked]


def _confidence(weight: float, share: float) -> float:
    return share * min(0.99, 0.6 + 0.13 * weight)


def _sentiment(found: Found) -> Literal["positive", "neutral", "negative"]:
    return "positive" if found.sentiment > 0 else "negative" if found.sentiment < 0 else "neutral"


def _evidence(found: Found, category: str | None) -> tuple[Evidence, ...]:
    said = [
        (section, found.phrases[section][:3]) for section in (category, "!urgent", "!high") if section in found.phrases
    ]
    return tuple(
        Evidence(kind="phrase", id=str(section), says=", ".join(f"“{phrase}”" for phrase in phrases))
        for section, phrases in said
    )
