"""From labels to queue, skills and weight; hints, defaults and the catch-all."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.routing.classify.messages import a_classifier, a_message

CATEGORIES = {
    "refund": {"queue": "billing", "requires": {"billing": 3}},
    "bug": {"queue": "technical", "requires": {"technical": 3}, "prefers": {"technical": 7}, "weight": 2},
}
SHIPPED = a_classifier()


def test_a_category_names_queue_skills_and_weight() -> None:
    classifier = a_classifier(
        {"when": {"text": "crash"}, "set": {"category": "bug"}}, classify={"categories": CATEGORIES}
    )
    label = classifier.classify(a_message("It crashes", channel="email"))
    assert (label.queue, label.requires, label.prefers, label.weight) == (
        "technical",
        {"technical": 3},
        {"technical": 7},
        2,
    )


def test_a_language_asks_for_its_skill_only_where_the_workspace_has_it() -> None:
    assert SHIPPED.classify(a_message("Dov'è il mio pacco? Non è ancora arrivato")).requires == {"lang-it": 1}
    assert SHIPPED.classify(a_message("我的包裹在哪裡？還沒有收到")).requires == {"lang-zh-Hant": 1}
    assert SHIPPED.classify(a_message("Where is my parcel? It has not arrived yet")).requires == {}


def test_a_rules_skills_add_to_the_categorys_and_its_level_counts() -> None:
    rule = {"set": {"category": "refund", "requires": {"billing": 8, "technical": 1}}}
    label = a_classifier(rule, classify={"categories": CATEGORIES}).classify(a_message())
    assert label.requires == {"billing": 8, "technical": 1}


def test_a_workspace_with_categories_has_no_others_from_the_lexicon() -> None:
    classifier = a_classifier(classify={"categories": CATEGORIES})
    assert classifier.classify(a_message("I want a refund for this")).category == "refund"
    unknown = classifier.classify(a_message("How do I reset my password? I can't log in"))
    assert (unknown.category, unknown.queue, unknown.band) == ("other", "general", "human")


def test_what_nothing_recognised_goes_to_the_catch_all() -> None:
    label = a_classifier(classify={"otherwise": {"queue": "technical", "requires": {"technical": 1}}}).classify(
        a_message("xyzzy")
    )
    assert (label.category, label.queue, label.requires) == ("other", "technical", {"technical": 1})
    assert label.evidence[-1].kind == "default"


def test_a_connectors_default_goes_before_the_catch_all_and_after_a_category() -> None:
    connectors = {"site": {"channel": "chat", "kind": "json", "default": {"queue": "technical", "tags": ["web"]}}}
    classifier = a_classifier(connectors=connectors, classify={"categories": CATEGORIES})
    assert classifier.classify(a_message("xyzzy")).queue == "technical"
    label = classifier.classify(a_message("I want a refund"))
    assert (label.queue, label.tags) == ("billing", ("web",))


def test_hints_count_before_rules_where_the_connector_may_give_them() -> None:
    hints = {"queue": "billing", "category": "refund", "priority": "high", "requires": {"billing": 2}}
    rule = {"set": {"queue": "technical", "priority": "normal"}}
    label = a_classifier(rule).classify(a_message(hints=hints))
    assert (label.queue, label.category, label.priority, label.requires) == (
        "billing",
        "refund",
        "high",
        {"billing": 2},
    )
    deaf = a_classifier(rule, connectors={"site": {"channel": "chat", "kind": "json"}}).classify(a_message(hints=hints))
    assert (deaf.queue, deaf.priority) == ("technical", "normal")


def test_hints_of_names_that_are_not_there_are_passed_over() -> None:
    label = SHIPPED.classify(a_message(hints={"queue": "nowhere", "category": "nothing", "requires": {"magic": 3}}))
    assert (label.queue, label.category, label.requires) == ("general", "other", {})


def test_automatic_mail_is_labelled_by_its_headers() -> None:
    label = SHIPPED.classify(a_message("I want a refund", automatic="out_of_office"))
    assert (label.category, label.band) == ("auto_reply", "auto")


def test_placement_answers_for_labels_that_a_person_changed() -> None:
    classifier = a_classifier(classify={"categories": CATEGORIES})
    placement = classifier.placement("bug", "it", "chat")
    assert (placement.queue, placement.requires, placement.weight) == ("technical", {"technical": 3, "lang-it": 1}, 2)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=30) | st.none())
def test_every_message_gets_a_category_and_a_queue_of_the_workspace(text: str, subject: str | None) -> None:
    label = SHIPPED.classify(a_message(text, subject=subject))
    assert label.queue in SHIPPED.document.queues
    assert label.category in SHIPPED.document.category_names
    assert 0 <= label.confidence <= 1
    assert label == SHIPPED.classify(a_message(text, subject=subject))
