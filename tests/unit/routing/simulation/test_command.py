"""`pointsman simulate` as it is typed: one JSON document, tables for people, one line for what is wrong."""

from pathlib import Path

import orjson
import pytest

from pointsman.cli.main import run
from tests.unit.routing.simulation.scenarios import a_class, a_scenario, exponential

CLASS = (
    *("arrived", "served", "mean_wait", "mean_wait_ci95", "p_wait", "p_wait_ci95", "p_abandon", "blocking"),
    *("breached", "agents"),
)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    gold = a_class("gold", rate=0.7, patience=exponential(2))
    path = tmp_path / "scenario.yaml"
    path.write_bytes(orjson.dumps(a_scenario(gold, agents=[{"id": "Anna", "capacity": 1}], sla=True, replications=2)))
    return path


def test_the_result_is_one_json_document(scenario: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["simulate", str(scenario), "--json", "--processes", "1"]) == 0
    result = orjson.loads(capfdbinary.readouterr().out)
    assert set(result) >= {"classes", "utilisation", "checks", "decisions", "seconds"}
    assert result["checks"] == {"work_conservation": True, "littles_law": True, "capacity": True}
    gold = result["classes"]["gold"]
    assert set(gold) >= set(CLASS)
    assert gold["agents"] == {"Anna": 1.0}
    low, high = gold["mean_wait_ci95"]
    assert low < gold["mean_wait"] < high
    assert isinstance(gold["breached"], int)


def test_people_get_tables(scenario: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", str(scenario), "--processes", "1"]) == 0
    printed = capfd.readouterr().out
    assert all(word in printed for word in ("gold", "utilisation", "work_conservation holds"))


def test_a_scenario_of_ones_own_is_compared(scenario: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert run(["simulate", str(scenario), "--compare", "--markdown", str(page), "--processes", "1"]) == 0
    assert "| least busy |" in page.read_text()
    assert run(["simulate", str(scenario), "--compare", "--processes", "1"]) == 0
    assert "round robin" in capfd.readouterr().out


def test_what_is_wrong_is_one_line_with_its_place(scenario: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scenario.write_text("horizon: 10\nwarmpu: 1\ndesk: {agents: []}\nclasses: []\n")
    assert run(["simulate", str(scenario)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "/warmpu (line 2): unknown key; did you mean 'warmup'?" in said.err
    assert run(["simulate", str(scenario.parent / "none.yaml")]) == 2
    assert run(["simulate", str(scenario), "--markdown", "x.md"]) == 2
