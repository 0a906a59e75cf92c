"""A module that is started by its name is there: no tool that renames modules sees a name in a string."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from tests.unit.house.checkout import files, module_of, nodes_of, shown

MODULES = {module_of(path) for path in files("libs", "services", suffix=".py")}
SERVICES = sorted(module for module in MODULES if module.startswith("pointsman_") and "." not in module)
NO_MODULES = {
    "pointsman.apps", "pointsman.benches", "pointsman.commands", "pointsman.lane", "pointsman.retention",
    "pointsman.service", "pointsman.outcomes.decided.v1", "pointsman.outcomes.viewing.v1",
}  # fmt: skip
"""Groups of entry points, attributes of spans, types of events."""


def _texts() -> Iterator[tuple[str, int, str]]:
    """Every string of the code that reads as the name of a module of ours."""
    for path in files("libs", "services", suffix=".py"):
        for node in nodes_of(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                first, *rest = node.value.split(".")
                if rest and first in ("pointsman", *SERVICES) and all(map(str.isidentifier, rest)):
                    yield shown(path), node.lineno, node.value


def test_a_module_that_is_named_in_a_string_is_there() -> None:
    named = {(text, f"{path}:{line}") for path, line, text in _texts() if text not in NO_MODULES}
    assert sorted(place for text, place in named if text not in MODULES) == []
    started = {"pointsman.edge", "pointsman.cli.demo.agents", "pointsman_intake.mail.reader"}
    assert {text for text, _ in named} >= started


def test_no_name_of_a_module_is_put_together() -> None:
    """`make demo` ended without its agents: their module was renamed, and its name made of two parts."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in files("libs", "services", suffix=".py")
        for node in nodes_of(path)
        if isinstance(node, ast.JoinedStr)
        and isinstance(first := node.values[0] if node.values else None, ast.Constant)
        and str(first.value).endswith(".")
        and str(first.value).rstrip(".") in MODULES - {"pointsman"}
    ]
    assert found == []


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_can_be_started_by_its_name(service: str) -> None:
    assert find_spec(f"{service}.__main__") is not None
