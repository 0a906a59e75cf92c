"""One word, one meaning: in the glossary, and among the classes of a distribution."""

import ast
import re
from collections import defaultdict

import pytest
from tests.unit.house.checkout import ROOT, files, shown, tree_of

DISTRIBUTIONS = ("libs/pointsman", "services/intake", "services/routing", "services/sla", "services/metrics", "tests")

SAME_THING = {
    # What an author of an app imports is named as the thing that it shows.
    *("Agent", "Author", "Connector", "Customer", "Offer", "Presence"),
    # A command and the fact that it leads to have one type, on two topics; models of the document and of a fact have
    # the names that their published schemas have.
    *("TicketSplit", "Change", "Elsewhere"),
    # A thing and how the API shows it, or takes it: for one ticket and for many.
    *("Customer", "Token", "Requeue", "Resolve"),
}
"""Names that two classes of one distribution share, since both are the same thing, seen from two sides."""


def _classes(distribution: str) -> dict[str, list[str]]:
    """The files in which each name is a class of a module."""
    found = defaultdict(list)
    for path in files(distribution, suffix=".py"):
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(shown(path))
    return found


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_class_has_its_name_for_itself(distribution: str) -> None:
    twice = {name: where for name, where in _classes(distribution).items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in SAME_THING} == {}


def test_what_may_be_named_twice_is() -> None:
    twice = {name for each in DISTRIBUTIONS for name, where in _classes(each).items() if len(where) > 1}
    assert SAME_THING - twice == set(), "take it off the list"


def test_the_glossary_gives_each_word_one_meaning() -> None:
    words = defaultdict(list)
    for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE):
        for word in row[0].split(","):
            words[word.strip()].append(row[1])
    assert {word: meanings for word, meanings in words.items() if len(meanings) > 1} == {}
