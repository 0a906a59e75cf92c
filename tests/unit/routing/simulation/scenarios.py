"""Scenarios for tests, as values; and what queueing theory says of them."""

from collections.abc import Mapping
from math import factorial
from pathlib import Path
from typing import Any

import pointsman_routing.simulation
from pointsman.contracts.document import read_plain
from pointsman.contracts.document.reading import Written
from pointsman_routing.simulation.plan import Drawn, Plan
from pointsman_routing.simulation.planning import plan_of, read_scenario
from pointsman_routing.simulation.run import simulate

SHIPPED = Path(pointsman_routing.simulation.__file__).parent / "scenarios"


def exponential(mean: float = 1) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


def a_class(name: str = "all", rate: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"name": name, "rate": rate, "service": exponential(), **fields}


def a_scenario(*classes: Mapping[str, Any], agents: Any = None, **fields: Any) -> dict[str, Any]:
    """One queue in order of arrival, one agent; `queue`, `skills` and `choice` are the desk's."""
    desk = {
        "skills": fields.pop("skills", []),
        "queues": {"main": fields.pop("queue", {"order": "fifo"})},
        "agents": agents or [{"capacity": 1}],
    }
    if "choice" in fields:
        desk["choice"] = fields.pop("choice")
    given = {"seed": 7, "replications": 10, "warmup": 50, "horizon": 550, "desk": desk}
    return {**given, "classes": list(classes) or [a_class(rate=0.5)], **fields}


def a_plan(*classes: Mapping[str, Any], folder: Path = Path(), **fields: Any) -> Plan:
    return plan_of(Written(a_scenario(*classes, **fields), None), folder)


def drawn_of(plan: Plan) -> Drawn:
    """How the first class's customers come."""
    drawn = plan.kinds[0].drawn
    assert drawn is not None
    return drawn


def read(text: str) -> Plan:
    return plan_of(read_plain(text), Path())


def shipped(name: str) -> dict[str, Any]:
    """The result of a scenario of the project, after a look at its checks."""
    return checked(simulate(read_scenario(SHIPPED / f"{name}.yaml")))


def played(*classes: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """The result of a scenario, after a look at its checks."""
    return checked(simulate(a_plan(*classes, **fields)))


def checked(result: dict[str, Any]) -> dict[str, Any]:
    assert result["checks"] == {"work_conservation": True, "littles_law": True, "capacity": True}
    assert result["counter_examples"] == []
    return result


def agrees(of: Mapping[str, Any], figure: str, expected: float, *, within: float) -> None:
    """The closed form lies in the 95 % interval, which is narrow: at most `within` of the value on either side."""
    low, high = of[f"{figure}_ci95"]
    assert low <= expected <= high, f"{figure}: {expected} is not in [{low}, {high}]"
    assert high - low <= 2 * within * expected, f"{figure}: [{low}, {high}] says little about {expected}"


def erlang_b(servers: int, load: float) -> float:
    """The share of lost customers of M/G/c/c (Erlang 1917)."""
    return load**servers / factorial(servers) / sum(load**k / factorial(k) for k in range(servers + 1))
