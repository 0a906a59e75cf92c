"""The workspace's rules: which match, what they set, how they add up."""

from typing import Any

import pytest

from tests.unit.routing.classify.messages import a_classifier, a_message

CALENDARS = {"office": {"week": {"mon": [["09:00", "18:00"]]}}}


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ({"text": r"\brefund\b"}, {"text": "A REFUND, please"}),
        ({"text": r"\b(возврат|退款)\b"}, {"text": "我要退款"}),
        ({"subject": "^urgent"}, {"subject": "Urgent: order"}),
        ({"header": {"X-Origin": "^shop$"}}, {"headers": {"x-origin": "shop"}}),
        ({"to": ["help@acme.example"]}, {"to": ("Help@Acme.example",)}),
        ({"to": ["@vip.example"]}, {"cc": ("desk@vip.example",)}),
        ({"channel": ["chat", "email"]}, {}),
        ({"channel": "chat"}, {}),
        ({"connector": ["site"]}, {}),
        ({"language": ["it"]}, {"text": "Buongiorno, vorrei sapere quando arriva il mio pacco"}),
        ({"customer_tier": ["vip"]}, {"tier": "vip"}),
        ({"organization": ["Globex"]}, {"organization": "Globex"}),
        ({"metadata": {"plan": ["pro", "max"]}}, {"metadata": {"plan": "pro"}}),
        ({"metadata": {"flags": ["new"]}}, {"metadata": {"flags": ["new", "eu"]}}),
        ({"metadata": {"beta": True}}, {"metadata": {"beta": True}}),
        ({"open": "office"}, {"at": "2026-11-23T09:00:00Z"}),
        ({"all": [{"channel": "chat"}, {"text": "hello"}]}, {}),
        ({"any": [{"channel": "email"}, {"text": "hello"}]}, {}),
        ({"not": {"channel": "email"}}, {}),
        ({}, {}),
    ],
)
def test_a_condition_that_holds(when: dict[str, Any], fields: dict[str, Any]) -> None:
    label = a_classifier({"when": when, "set": {"tags": ["hit"]}}, calendars=CALENDARS).classify(a_message(**fields))
    assert label.tags == ("hit",)


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ({"text": r"\brefund\b"}, {"text": "refunded"}),
        ({"text": "refund"}, {"text": "hello", "subject": "refund"}),
        ({"subject": "x"}, {}),
        ({"header": {"x-origin": "shop"}}, {}),
        ({"to": ["help@acme.example"]}, {"to": ("other@acme.example",)}),
        ({"to": ["@vip.example"]}, {"to": ("a@vip.example.org",)}),
        ({"channel": "email"}, {}),
        ({"customer_tier": ["vip"]}, {}),
        ({"metadata": {"plan": ["pro"]}}, {"metadata": {}}),
        ({"open": "office"}, {"at": "2026-11-23T21:00:00Z"}),
        ({"all": [{"channel": "chat"}, {"text": "bye"}]}, {}),
        ({"any": [{"channel": "email"}, {"text": "bye"}]}, {}),
        ({"not": {"channel": "chat"}}, {}),
        ({"channel": "chat", "text": "bye"}, {}),
    ],
)
def test_a_condition_that_does_not_hold(when: dict[str, Any], fields: dict[str, Any]) -> None:
    label = a_classifier({"when": when, "set": {"tags": ["hit"]}}, calendars=CALENDARS).classify(a_message(**fields))
    assert label.tags == ()


def test_the_first_rule_to_set_a_key_keeps_it_tags_add_up_and_priority_takes_the_highest() -> None:
    label = a_classifier(
        {"set": {"category": "refund", "queue": "billing", "priority": "high", "tags": ["a"]}},
        {"set": {"category": "bug", "queue": "technical", "priority": "urgent", "tags": ["b", "a"]}},
        {"set": {"priority": "low", "requires": {"technical": 4}}},
    ).classify(a_message())
    assert (label.category, label.queue, label.priority, label.tags) == ("refund", "billing", "urgent", ("a", "b"))
    assert label.requires == {"technical": 4}


def test_stop_ends() -> None:
    label = a_classifier({"set": {"tags": ["a"]}, "stop": True}, {"set": {"tags": ["b"]}}).classify(a_message())
    assert label.tags == ("a",)


def test_a_rule_that_does_not_match_stops_nothing() -> None:
    rules = ({"when": {"text": "x"}, "stop": True}, {"set": {"tags": ["b"]}})
    assert a_classifier(*rules).classify(a_message()).tags == ("b",)


def test_a_language_that_a_rule_sets_counts_for_later_rules_and_skills() -> None:
    label = a_classifier(
        {"when": {"connector": "site"}, "set": {"language": "it"}},
        {"when": {"language": "it"}, "set": {"tags": ["italian"]}},
    ).classify(a_message("Where is my order?"))
    assert (label.language, label.tags, label.requires) == ("it", ("italian",), {"lang-it": 1})


def test_a_rule_wins_over_the_lexicon_and_says_why() -> None:
    label = a_classifier({"id": "ours", "when": {"text": "refund"}, "set": {"category": "praise"}}).classify(
        a_message("I want a refund")
    )
    assert (label.category, label.confidence, label.band) == ("praise", 1.0, "auto")
    says = next(evidence for evidence in label.evidence if evidence.kind == "rule")
    assert says.id == "ours"
    assert says.says == "text has “refund”: sets category praise"


def test_a_rule_without_a_name_is_named_by_its_place() -> None:
    label = a_classifier({"when": {"text": "x"}}, {"set": {"tags": ["a"]}}).classify(a_message())
    assert "rules/1" in [evidence.id for evidence in label.evidence]
