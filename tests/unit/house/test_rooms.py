"""The rooms of the house: imports run one way without a circle, state knows no rule, and each rule has its test."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.unit.house.checkout import ROOT, every_import_of, files, module_of, shown

MODULES = {module_of(path): path for path in files("libs", "services", suffix=".py")}
DESK = "pointsman_routing.desk"
RULES = ROOT / "services/routing/pointsman_routing/desk/rules"
TESTS = ROOT / "tests/unit/routing"

QUESTIONS_MAY_ASK = {
    "reasons": "what was stored with an offer, and among whom a ticket looks",
    "holding": "what a queue holds, and whether it opens",
    "moved_queues": "where a ticket's queue went",
    "configure": "what a new version would do, tried and taken back",
    "settle": "what would be offered then, tried and taken back",
}
"""Rules that questions import, and what for."""


@cache
def _imported(module: str) -> frozenset[str]:
    """The modules of the project that a module imports, for its types alone too."""
    found = set()
    for _, name in every_import_of(MODULES[module]):
        if name in MODULES:
            found.add(name)
        elif name.rpartition(".")[0] in MODULES:
            found.add(name.rpartition(".")[0])
    return frozenset(found - {module})


def _circle_from(start: str) -> list[str]:
    """The shortest way from a module back to itself; nothing when there is none."""
    came_from: dict[str, str] = {}
    edge = [start]
    while edge:
        reached = []
        for module in edge:
            for other in sorted(_imported(module)):
                if other == start:
                    way = [module]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return [*reversed(way), start]
                if other not in came_from:
                    came_from[other] = module
                    reached.append(other)
        edge = reached
    return []


def test_no_imports_run_in_a_circle_those_for_types_included() -> None:
    circles = {frozenset(way): " → ".join(way) for module in MODULES if (way := _circle_from(module))}
    assert sorted(circles.values()) == []


def _imports_of_room(room: str) -> Iterator[tuple[str, str]]:
    for module in MODULES:
        if module.startswith(f"{DESK}.{room}."):
            yield from ((shown(MODULES[module]), other) for other in _imported(module))


def test_the_state_of_a_desk_knows_neither_rule_nor_question_nor_the_door() -> None:
    above = (f"{DESK}.rules", f"{DESK}.questions", f"{DESK}.decide")
    assert [f"{path} imports {other}" for path, other in _imports_of_room("state") if other.startswith(above)] == []


def test_no_rule_asks_a_question_nor_knows_the_door() -> None:
    above = (f"{DESK}.questions", f"{DESK}.decide")
    assert [f"{path} imports {other}" for path, other in _imports_of_room("rules") if other.startswith(above)] == []


def test_questions_import_few_rules_and_each_for_a_reason() -> None:
    asked = {
        other.removeprefix(f"{DESK}.rules.")
        for _, other in _imports_of_room("questions")
        if other.startswith(f"{DESK}.rules.")
    }
    assert asked == QUESTIONS_MAY_ASK.keys()


def test_each_rule_of_the_desk_has_its_test_under_the_same_name() -> None:
    rules = {path.stem for path in RULES.glob("*.py")} - {"__init__"}
    tested = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py") if _has_tests(path)}
    assert rules - tested == set()


def _has_tests(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in ast.parse(path.read_text("utf-8")).body)
