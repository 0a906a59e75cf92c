"""Reading a scenario: every mistake is said with its key and line, before anything is played."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.contracts.document import DocumentErrors
from pointsman_routing.simulation.distributions import measured
from tests.unit.routing.simulation.scenarios import SHIPPED, a_class, a_plan, drawn_of, read

GOOD = """\
warmup: 10
horizon: 100
desk:
  skills: [a]
  queues: {main: {order: strict}}
  agents:
    - {count: 2, capacity: 1, skills: {a: 5}}
    - {id: Anna, capacity: 2}
classes:
  - name: gold
    rate: 3
    service: {distribution: exponential, mean: 1}
    requires: {a: 1}
    priority: 2
  - {name: 7, rate: 1, service: {distribution: lognormal, mean: 1, cv: 2}}
"""


def test_classes_and_agents_may_have_any_names() -> None:
    plan = read(GOOD)
    assert [kind.name for kind in plan.kinds] == ["gold", "7"]
    assert list(plan.agents.values()) == ["agent-1", "agent-2", "Anna"]
    assert [kind.priority for kind in plan.kinds] == ["urgent", "high"]


def test_calendars_have_the_holidays_of_the_years_around_virtual_time() -> None:
    calendars = "desk:\n  calendars:\n    office:\n      always: true\n      holidays_of: {country: IT}\n"
    plan = read(GOOD.replace("desk:\n", calendars, 1))
    dates = plan.document["calendars"]["office"]["holidays_of"]["dates"]
    assert (dates[0], dates[-1]) == ("2023-01-01", "2026-12-26")
    with pytest.raises(DocumentErrors) as refused:
        read(GOOD.replace("desk:\n", calendars.replace("IT", "XX"), 1))
    (error,) = refused.value.errors
    assert (error.pointer, error.line) == ("/desk/calendars/office/holidays_of/country", 7)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("warmup: 10", "warmpu: 10", "/warmpu (line 1)", "did you mean 'warmup'"),
        ("warmup: 10", "warmup: 500", "the document", "later than the warm-up"),
        ("order: strict", "order: stict", "/desk/queues/main/order (line 5)", "not one of"),
        ("order: strict", "ordre: strict", "/desk/queues/main/ordre (line 5)", "did you mean 'order'"),
        ("{id: Anna, capacity: 2}", "{id: Anna, capacity: -2}", "/desk/agents/1/capacity (line 8)", "greater than"),
        ("{id: Anna, capacity: 2}", "{id: Anna, size: 2}", "/desk/agents/1/size (line 8)", "unknown key"),
        ("skills: {a: 5}", "skills: {b: 5}", "/desk/agents/0/skills/b (line 7)", "no skill 'b'"),
        ("  skills: [a]", "  skils: [a]", "/desk/skils (line 4)", "did you mean 'skills'"),
        ("rate: 3", "rate: fast", "/classes/0/rate (line 11)", "'fast'"),
        ("rate: 3", "rate: -3", "/classes/0/rate (line 11)", "greater than or equal to 0"),
        ("mean: 1}\n", "median: 1}\n", "/classes/0/service", "(line 12)"),
        ("distribution: exponential", "distribution: erlang", "/classes/0/service (line 12)", "'erlang' is not one of"),
        ("distribution: exponential, ", "", "/classes/0/service (line 12)", "has no 'distribution'"),
        ("requires: {a: 1}", "requires: {z: 1}", "/classes/0/requires/z (line 13)", "no skill 'z'"),
        ("requires: {a: 1}", "queue: other", "/classes/0/queue (line 13)", "no queue 'other'"),
        ("name: gold", "name: 7", "/classes/1/name (line 15)", "two classes"),
        ("horizon: 100", "horizon: 1e9", "/horizon (line 2)", "customers a replication"),
        ("horizon: 100", "horizon: 1e12", "the document", "years"),
    ],
)
def test_a_mistake_is_said_with_its_place(old: str, new: str, where: str, what: str) -> None:
    assert old in GOOD
    with pytest.raises(DocumentErrors) as refused:
        read(GOOD.replace(old, new, 1))
    assert where in str(refused.value)
    assert what in str(refused.value)


def test_a_file_of_measured_times_is_drawn_from(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("seconds\n1.5\n2, 4\n\n")
    times = {"distribution": "empirical", "file": "times.csv"}
    plan = a_plan(a_class(service=times), folder=tmp_path)
    drawn = drawn_of(plan).service(np.random.default_rng(1), 3000)
    assert set(drawn.tolist()) == {1.5, 2.0, 4.0}
    assert float(drawn.mean()) == pytest.approx(2.5, rel=0.05)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1\nx\n", "line 2: 'x' is not a number"), ("1\n-1\n", "line 2: -1 is not a duration"), ("head\n", "0 values")],
)
def test_a_bad_file_of_times_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "times.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        measured(tmp_path / "times.csv")
    with pytest.raises(DocumentErrors, match="/classes/0/service/file"):
        a_plan(a_class(service={"distribution": "empirical", "file": "times.csv"}), folder=tmp_path)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(DocumentErrors, match="No such file"):
        a_plan(a_class(service={"distribution": "empirical", "file": "none.csv"}))


def test_lognormal_is_told_by_its_own_mean_and_variation() -> None:
    plan = a_plan(a_class(service={"distribution": "lognormal", "mean": 2, "cv": 0.5}))
    drawn = drawn_of(plan).service(np.random.default_rng(1), 200_000)
    assert float(drawn.mean()) == pytest.approx(2, rel=0.01)
    assert float(drawn.std() / drawn.mean()) == pytest.approx(0.5, rel=0.02)


def test_rates_change_at_their_times() -> None:
    steps: Any = [{"from": 0, "rate": 2}, {"from": 10, "rate": 0}, {"from": 20, "rate": 4}]
    rates = drawn_of(a_plan(a_class(rate=steps))).rates
    minute = 60_000_000
    assert rates.expected(30 * minute) == pytest.approx(60)
    found = rates.instants(np.array([10.0, 20.0, 40.0])) / minute
    assert found.tolist() == pytest.approx([5, 20, 25])


def test_times_are_in_the_scenarios_unit() -> None:
    hours, minutes = a_plan(unit="hours", horizon=100), a_plan(horizon=100)
    assert hours.horizon_us == 60 * minutes.horizon_us
    assert drawn_of(hours).rates.expected(hours.horizon_us) == drawn_of(minutes).rates.expected(minutes.horizon_us)


def test_classes_share_a_priority_where_the_order_reads_no_difference() -> None:
    classes = [a_class(str(number), priority=number, slope=number + 1) for number in range(6)]
    assert {kind.priority for kind in a_plan(*classes).kinds} == {"urgent"}
    for order in ("strict", "accumulating"):
        plan = a_plan(*classes, queue={"order": order})
        assert len({kind.priority for kind in plan.kinds}) == 6
        assert next(iter(plan.priority_classes["main"])) == plan.kinds[5].priority


def test_every_shipped_scenario_says_what_it_is_and_can_be_read() -> None:
    paths = sorted(SHIPPED.glob("*.yaml"))
    assert len(paths) >= 4
    for path in paths:
        assert path.read_text().startswith("# ")
        assert read(path.read_text()).kinds
