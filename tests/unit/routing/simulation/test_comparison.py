"""Several policies on the same customers, side by side, and the page that says so."""

from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman_routing.simulation.comparison import (
    FIGURES,
    OURS,
    SCENARIOS,
    SHIPPED,
    WAYS,
    compared,
    page,
    read_in_every_way,
)
from pointsman_routing.simulation.customers import customers
from pointsman_routing.simulation.figures import gini
from tests.unit.routing.simulation.scenarios import a_class, a_scenario


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Two priorities by number on one full agent."""
    given = a_scenario(
        a_class("late", rate=0.45, priority=1),
        a_class("soon", rate=0.45, priority=2, head_start_minutes=60),
        queue={"wait_target_seconds": 180},
        sla=True,
        horizon=450,
        replications=5,
    )
    path = tmp_path / "two.yaml"
    path.write_bytes(orjson.dumps(given))
    return path


def test_every_policy_meets_the_same_customers(scenario: Path) -> None:
    plans = read_in_every_way(scenario)
    assert list(plans) == list(WAYS)
    drawn = [list(islice(customers(plan.kinds[0], plan.unit_us, 7, 0), 50)) for plan in plans.values()]
    assert all(each == drawn[0] for each in drawn)
    orders = [plan.document["queues"]["main"]["order"] for plan in plans.values()]
    assert orders == ["urgency", "fifo", "fifo", "strict", "urgency"]
    late = [plan.document["queues"]["main"].get("late") for plan in plans.values()]
    assert late == [{"share": 0.15}, None, None, None, None]
    assert plans["priority"].kinds[0].priority != plans["priority"].kinds[1].priority


def test_differences_are_told_where_they_are_sure(scenario: Path) -> None:
    plans = {"two": read_in_every_way(scenario)}
    steps: list[None] = []
    result = compared(plans, 1, lambda: steps.append(None))
    assert len(steps) == 5 * len(WAYS)
    of: dict[str, Any] = result["two"]
    assert of[OURS]["p_breach"]["difference_ci95"] is None
    assert [of[way]["counter_examples"] for way in WAYS] == [[]] * len(WAYS)
    assert all(of["priority"][figure]["difference_ci95"] is not None for figure in FIGURES)
    for figure in FIGURES:
        for way in WAYS.keys() - {OURS}:
            of[way][figure]["difference_ci95"] = [-0.1, 0.1]
    of["round robin"]["worst_breach"]["difference_ci95"] = [-0.2, -0.1]
    of["priority"]["wait_p95"]["difference_ci95"] = [1.0, 2.0]
    written = page(result, plans, {"two": "Two priorities."})
    assert "Two priorities." in written
    assert written.count(" **better** |") == written.count(" worse |") == 1
    assert "*urgency* loses to *round robin* in of the worst class." in written
    assert all(title in written for title in FIGURES.values())


def test_a_load_is_uneven_by_its_gini() -> None:
    assert gini([1, 1, 1, 1]) == 0
    assert gini([0, 0, 0, 1]) == 0.75
    assert gini([1, 3]) == 0.25
    assert gini([]) is None
    assert gini([0, 0]) is None


def test_the_shipped_scenarios_can_be_read_and_are_all_compared() -> None:
    assert sorted(path.stem for path in SHIPPED.glob("*.yaml")) == sorted(SCENARIOS)
    for name in SCENARIOS:
        assert set(read_in_every_way(SHIPPED / f"{name}.yaml")) == set(WAYS)
