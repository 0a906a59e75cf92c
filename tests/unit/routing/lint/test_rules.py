"""Each rule of lint: what it finds, and that it is silent where all is well."""

import pytest

from pointsman.cli.demo.command import AGENTS
from pointsman.cli.demo.document import make_document
from pointsman.contracts.document import read_document
from pointsman.contracts.document.inactive import is_active
from pointsman_routing.lint import FINDINGS_MAX, KEEPS_HOURS, RULES, lint
from tests.unit.house.checkout import ROOT
from tests.unit.routing.lint.cases import CASES, SILENT
from tests.unit.routing.lint.documents import found, pointers


def test_a_good_document_has_nothing_to_find() -> None:
    assert found() == []


@pytest.mark.parametrize("name", CASES)
def test_it_finds(name: str) -> None:
    rule, change, places = CASES[name]
    assert pointers(rule, change) == places
    for finding in found(change):
        assert finding.message.endswith(".")
        assert finding.mend.endswith(".")


@pytest.mark.parametrize("name", SILENT)
def test_it_is_silent_about(name: str) -> None:
    rule, change = SILENT[name]
    assert pointers(rule, change) == []


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[0] == "shift-without-agent"])
def test_hours_by_which_nobody_goes_are_no_reason_to_find_anything(name: str) -> None:
    """Routing ignores the hours of agents, and lint called for people at other hours."""
    rule, change, _ = CASES[name]
    assert KEEPS_HOURS is is_active("/agents/*/hours")
    assert KEEPS_HOURS or rule not in {finding.rule for finding in found(change)}


def test_every_rule_has_a_case_that_it_finds() -> None:
    assert {rule for rule, _, _ in CASES.values()} | {"overload"} == {rule.name for rule in RULES}


@pytest.mark.parametrize("seed", range(3))
def test_the_demos_document_has_nothing_to_find(seed: int) -> None:
    document = read_document(make_document("demo", AGENTS, seed))
    assert [finding.plain() for finding in lint(document)] == []


@pytest.mark.parametrize("name", ["small.yaml", "acme.yaml"])
def test_the_examples_have_nothing_to_find(name: str) -> None:
    document = read_document((ROOT / "deploy" / "examples" / name).read_text("utf-8"))
    assert [finding.plain() for finding in lint(document)] == []


def test_the_guide_lists_every_rule() -> None:
    guide = (ROOT / "docs" / "workspace.md").read_text("utf-8")
    table = [line for line in guide.partition("## Lint")[2].splitlines() if line.startswith("| `")]
    assert table == [f"| `{rule.name}` | {rule.finds} |" for rule in RULES]


def test_relaxation_that_helps_makes_it_a_warning_that_says_when() -> None:
    change = {"classify": {"categories": {"refund": {"requires": {"billing": 9}}}}}
    (finding,) = [finding for finding in found(change) if finding.rule == "category-without-agent"]
    assert finding.severity == "warning"
    assert "until relaxation after 300 s" in finding.message
    change["queues"] = {"billing": {"relax": None}}  # type: ignore[dict-item]
    severities = {finding.rule: finding.severity for finding in found(change)}
    assert severities["category-without-agent"] == "error"


def test_a_document_with_one_cause_for_everything_is_told_so_often_at_most() -> None:
    agents = {f"agent-{number}": {"capacity": 0} for number in range(FINDINGS_MAX + 10)}
    assert len(found({"agents": agents})) == FINDINGS_MAX


def test_a_large_document_takes_no_time_worth_speaking_of() -> None:
    """10,000 agents of as many different skills, 400 categories: linear in each, or this test would not end."""
    skills = [f"s{number}" for number in range(1_900)]
    document = {
        "workspace": "acme",
        "skills": skills,
        "queues": {f"q{number}": {} for number in range(100)},
        "classify": {
            "categories": {
                f"c{number}": {"queue": f"q{number % 100}", "requires": {skills[number]: 1 + number % 9}}
                for number in range(400)
            }
        },
        "agents": {
            f"a{number}": {"skills": {skills[number % 1_900]: 9, skills[number * 7 % 1_900]: 3}}
            for number in range(10_000)
        },
    }
    assert {finding.rule for finding in lint(read_document(document))} >= {"unselected-category"}
