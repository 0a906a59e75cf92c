"""No expression of one workspace stalls a lane for the others."""

import time
from collections.abc import Callable

import pytest

from pointsman.contracts.document.expression import STEPS_MAX, compile_expression
from pointsman.contracts.document.reading import read_document
from pointsman_routing.classify import Classifier
from pointsman_routing.classify.rules import NOT_ASKED
from pointsman_routing.rule_time import FREE_SECONDS, RULES_SECONDS_MAX, SAVED_SECONDS_MAX, SHARE, RuleTime
from tests.unit.routing.classify.messages import a_classifier, a_message

LONG = "ab" * 1_500


class Watch:
    """Time that goes on only when somebody looks: each look costs the same."""

    def __init__(self, each_look_seconds: float) -> None:
        self.each, self.now, self.passed = each_look_seconds, 0.0, 0.0

    def spent(self) -> float:
        self.now += self.each
        return self.now


def metered(watch: Watch, count: int) -> Classifier:
    """A workspace with so many rules, each of which tags what it finds."""
    rules = [{"when": {"text": f"nothing {n}|(?:a|b){{40}}"}, "set": {"tags": [f"t{n}"]}} for n in range(count)]
    return Classifier(a_classifier(*rules).document, RuleTime(watch.spent, lambda: watch.passed))


def asked(classifier: Classifier, text: str = LONG) -> tuple[int, list[str]]:
    """How many rules spoke, and the ids of those that were said not to be asked."""
    said = classifier.classify(a_message(text))
    return len(said.tags), [one.id for one in said.evidence if one.says == NOT_ASKED]


def test_a_message_has_so_much_time_and_the_evidence_says_where_it_ended() -> None:
    watch = Watch(each_look_seconds=0.01)
    spoke, not_asked = asked(metered(watch, 40))
    assert 0 < spoke < 40
    assert not_asked == [f"rules/{spoke}"], "the first that was not asked"
    assert watch.now <= RULES_SECONDS_MAX + 3 * watch.each


def test_what_was_reached_counts() -> None:
    watch = Watch(each_look_seconds=0.03)
    said = metered(watch, 40).classify(a_message(LONG))
    assert said.tags[:2] == ("t0", "t1")
    assert (said.category, said.queue) != ("", "")


def test_who_has_used_up_the_time_has_little_until_it_comes_back() -> None:
    watch = Watch(each_look_seconds=0.01)
    classifier = metered(watch, 40)
    for _ in range(20):
        asked(classifier)
    least, _ = asked(classifier)
    before = watch.now
    for _ in range(30):
        asked(classifier)
    assert (watch.now - before) / 30 <= FREE_SECONDS + 3 * watch.each
    watch.passed += SAVED_SECONDS_MAX / SHARE + 60
    again, _ = asked(classifier)
    assert again > least


def test_little_work_is_not_measured_on_the_way() -> None:
    watch = Watch(each_look_seconds=60)
    spoke, not_asked = asked(metered(watch, 40), text="ab" * 3)
    assert (spoke, not_asked) == (0, [])


def test_other_workspaces_have_their_own_time() -> None:
    watch = Watch(each_look_seconds=0.01)
    greedy, other = metered(watch, 40), metered(watch, 5)
    for _ in range(50):
        asked(greedy)
    assert asked(other) == (5, [])


@pytest.mark.parametrize(
    "when",
    [
        lambda n: {"to": [f"{n}-{k}@example.com" for k in range(200)]},
        lambda n: {"any": [{"channel": "email", "connector": f"c{k}"} for k in range(3)]},
        lambda n: {"subject": f"nothing {n}|(?:a|b){{40}}"},
        lambda n: {"header": {"X-Long": f"nothing {n}|(?:a|b){{40}}"}},
        lambda n: {"not": {"text": f"(?:a|b){{40}}{n}"}},
    ],
    ids=["to", "any", "subject", "header", "not"],
)
def test_every_kind_of_condition_takes_time(when: Callable[[int], dict[str, object]]) -> None:
    watch = Watch(each_look_seconds=0.05)
    document = {
        "workspace": "acme",
        "connectors": {f"c{k}": {"channel": "chat", "kind": "json"} for k in range(3)},
        "queues": {"general": {}},
        "classify": {"rules": [{"when": when(n)} for n in range(1_000)]},
    }
    classifier = Classifier(read_document(document), RuleTime(watch.spent, lambda: watch.passed))
    to = tuple(f"{n}@example.com" for n in range(20))
    said = classifier.classify(a_message(LONG, subject=LONG, to=to, headers={"x-long": LONG}, channel="email"))
    assert NOT_ASKED in [one.says for one in said.evidence]


@pytest.mark.parametrize(
    "expression",
    [
        r"(?:a{0,500}){2}b",
        r"a{0,1000}b",
        r"(?:[ab]{0,200}){5}c",
        r"(?:(?:a{0,10}){10}){10}b",
        r"\b(?:x{0,300}){3}\b",
    ],
)
def test_an_expression_that_spells_out_to_thousands_is_too_large(expression: str) -> None:
    found = compile_expression(expression)
    assert found.steps > STEPS_MAX or found.program > 30_000
    assert found.too_large is not None
    assert repr(expression) in found.too_large


@pytest.mark.parametrize(
    "expression",
    [
        r"\w+@\w+\.\w+",
        r"\brefund\b.{0,100}\bmoney\b",
        r"order[- ]?(?:number|no\.?)?\s*#?\d{4,12}",
        "|".join(f"product {n}" for n in range(80)),
        r"\b(?:возврат|退款|rimborso)\w*\b",
        r"(?:\w+\s){1,20}please",
        r"^\s*(?:re|aw|fwd?):",
    ],
)
def test_what_people_write_is_not(expression: str) -> None:
    assert compile_expression(expression).too_large is None


def test_hundreds_of_the_worst_expressions_that_are_allowed_end_soon() -> None:
    """They took minutes of the lane for one message."""
    worst = [rf"nothing {n}|(?:a{{0,200}}){{2}}b" for n in range(300)]
    document = a_classifier(*({"when": {"text": expression}} for expression in worst)).document
    classifier = Classifier(document, RuleTime())
    text = "".join("a" * (7 * n % 400) + "c" for n in range(300))[:60_000]
    classifier.classify(a_message("Hello"))
    before = time.thread_time()
    said = classifier.classify(a_message(text))
    again = classifier.classify(a_message(text))
    assert NOT_ASKED in [one.says for one in said.evidence]
    assert NOT_ASKED in [one.says for one in again.evidence]
    assert time.thread_time() - before < 3, "one search of each, and little more"
