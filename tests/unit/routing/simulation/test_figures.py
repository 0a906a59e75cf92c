"""What a figure counts, who gets what, and the same customers under every policy."""

from math import exp, sqrt
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest

from pointsman.contracts.document.reading import Written
from pointsman_routing.simulation.bench import a_floor
from pointsman_routing.simulation.customers import customers
from pointsman_routing.simulation.figures import interval
from pointsman_routing.simulation.planning import plan_of
from pointsman_routing.simulation.run import replicate, simulate
from tests.unit.routing.simulation.scenarios import a_class, a_plan, a_scenario, agrees, exponential, played


def without_time(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "seconds"}


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062), (9, 2.2622), (19, 2.0930), (99, 1.9842)])
def test_intervals_use_students_t(freedom: int, quantile: float) -> None:
    samples = [0.0, 1.0] * (freedom // 2) + [0.0, 1.0][: 1 + freedom % 2]
    mean, ci = interval(samples)
    assert mean is not None
    assert ci is not None
    assert (ci[1] - mean) * sqrt(freedom + 1) / stdev(samples) == pytest.approx(quantile, rel=3e-5)


def test_an_interval_needs_two_replications() -> None:
    assert interval([]) == (None, None)
    assert interval([3.0]) == (3.0, None)
    mean, ci = interval([1.0, 3.0])
    assert mean == 2.0
    assert ci == pytest.approx([2 - 12.7062, 2 + 12.7062])


def test_the_same_seed_gives_the_same_result_in_any_number_of_processes() -> None:
    plan = a_plan(horizon=150, replications=3)
    assert without_time(simulate(plan, processes=1)) == without_time(simulate(plan, processes=2))
    assert simulate(plan, processes=1)["classes"] != simulate(a_plan(horizon=150, seed=8), processes=1)["classes"]


def test_two_policies_meet_the_same_customers() -> None:
    """Nobody waits with many agents, so what every customer needed shows in both results."""
    first = a_class("first", rate=2, patience=exponential(3))
    few = a_plan(first, a_class("second"), queue={"order": "urgency"})
    many = a_plan(first, choice="round_robin", agents=[{"count": 50, "capacity": 3}])
    for replication in range(2):
        drawn = [customers(plan.kinds[0], plan.unit_us, plan.seed, replication) for plan in (few, many)]
        for _ in range(10_000):
            assert next(drawn[0]) == next(drawn[1])


def test_a_class_and_a_replication_have_streams_of_their_own() -> None:
    plan = a_plan(a_class("one"), a_class("two"))
    one, two = (next(customers(kind, plan.unit_us, 7, 0)) for kind in plan.kinds)
    later = next(customers(plan.kinds[0], plan.unit_us, 7, 1))
    assert len({one.at_us, two.at_us, later.at_us, one.service_us, two.service_us, later.service_us}) == 6


def test_waits_are_of_the_served_and_shares_of_those_who_came() -> None:
    """One server, everybody is served for 10 and leaves after 4: by hand."""
    every = a_class(
        rate=[{"from": 0, "rate": 1}, {"from": 30, "rate": 0}],
        service={"distribution": "deterministic", "mean": 10},
        patience={"distribution": "deterministic", "mean": 4},
    )
    plan = a_plan(every, warmup=0, horizon=60, replications=1)
    arrivals = [each.at_us / plan.unit_us for each in customers(plan.kinds[0], plan.unit_us, plan.seed, 0)]
    free_at, queue, waits, lost = 0.0, list(arrivals), [], 0
    for at in queue:
        if free_at - at >= 4:
            lost += 1
        else:
            waits.append(max(0.0, free_at - at))
            free_at = max(at, free_at) + 10
    result = simulate(plan, processes=1)
    found = result["classes"]["all"]
    assert (found["arrived"], found["served"], found["abandoned"]) == (len(arrivals), len(waits), lost)
    assert found["mean_wait"] == pytest.approx(sum(waits) / len(waits), abs=1e-6)
    assert found["mean_wait_all"] == pytest.approx((sum(waits) + 4 * lost) / len(arrivals), abs=1e-6)
    assert found["p_wait"] == (sum(wait > 0 for wait in waits) + lost) / len(arrivals)
    assert found["p_abandon"] == lost / len(arrivals)
    assert result["utilisation"] == pytest.approx(10 * len(waits) / 60)


def test_customers_of_the_warm_up_do_not_count() -> None:
    plan = a_plan(warmup=100, horizon=200, replications=1)
    counted = [each for each in _until(plan, 200) if each.at_us >= 100 * plan.unit_us]
    assert simulate(plan, processes=1)["classes"]["all"]["arrived"] == len(counted)


def _until(plan: Any, time: float) -> list[Any]:
    found: list[Any] = []
    for each in customers(plan.kinds[0], plan.unit_us, plan.seed, 0):
        if each.at_us >= time * plan.unit_us:
            return found
        found.append(each)
    return found


def test_who_is_never_served_is_counted_as_arrived_and_as_waiting() -> None:
    """Nobody has the skill: the run ends all the same."""
    nobodys = a_class("nobodys", requires={"a": 1})
    found = played(a_class(), nobodys, skills=["a"], warmup=0, horizon=40, replications=2)["classes"]["nobodys"]
    assert (found["served"], found["p_wait"], found["mean_wait"]) == (0, 1.0, None)
    assert found["arrived"] > 0
    assert found["mean_wait_all"] > 1


ANNA = {"id": "anna", "capacity": 1, "skills": {"a": 1}}
BORIS = {"id": "boris", "capacity": 1, "skills": {"a": 1, "b": 1}}


def test_longest_idle_shares_evenly_and_the_chain_prefers_the_narrow() -> None:
    desk: dict[str, Any] = {"skills": ["a", "b"], "agents": [ANNA, BORIS], "horizon": 1050}
    even = played(a_class(rate=0.6), choice="longest_idle", **desk)["classes"]["all"]["agents"]
    assert even == pytest.approx({"anna": 0.5, "boris": 0.5}, abs=0.02)
    narrow = played(a_class(rate=0.6), **desk)["classes"]["all"]["agents"]
    assert narrow["anna"] > 0.6


@pytest.mark.long
def test_preferred_order_gives_the_shares_of_an_ordered_hunt() -> None:
    """Loss with a fixed order of two agents: the first takes 1/(1+λ), Erlang B says who is lost (Cooper 1981)."""
    load, desk = 0.8, {"skills": ["a", "b"], "agents": [ANNA, BORIS]}
    every = played(a_class(rate=load, balk=True), horizon=2050, **desk)["classes"]["all"]
    lost = load**2 / 2 / (1 + load + load**2 / 2)
    agrees(every, "blocking", lost, within=0.08)
    assert every["agents"]["anna"] == pytest.approx(1 / (1 + load) / (1 - lost), abs=0.015)


@pytest.mark.long
def test_breaches_are_waits_beyond_the_promise() -> None:
    """M/M/1: P(wait > t) = ρ exp(-(1 - ρ) t); the queue's wait target is 3 minutes."""
    queue = {"order": "urgency", "wait_target_seconds": 180}
    every = played(a_class(rate=0.7), queue=queue, sla=True, horizon=3050)["classes"]["all"]
    agrees(every, "p_breach", 0.7 * exp(-0.3 * 3), within=0.15)
    assert every["breached"] == pytest.approx(every["p_breach"] * every["arrived"], rel=0.01)


def test_a_policy_promises_before_the_queue() -> None:
    policies = [{"name": "all", "calendar": "always", "targets": {"first_response": {"default": 60}}}]
    plan = a_plan(sla=True)
    assert [(kind.target_us, kind.promised) for kind in plan.kinds] == [(3_600_000_000, False)]
    given = a_scenario(sla=True)
    given["desk"]["sla"] = {"policies": [{**policies[0], "calendar": None}]}
    plan = plan_of(Written(given, None), Path())
    assert [(kind.target_us, kind.promised) for kind in plan.kinds] == [(60_000_000, True)]
    assert replicate(plan, 0).broken == {}


def test_agents_are_there_when_they_are_present() -> None:
    """One agent for the first half of the time: what comes later waits in vain."""
    every = a_class(rate=0.5, service={"distribution": "deterministic", "mean": 0.1})
    agents = [{"id": "anna", "capacity": 1, "present": [[0, 50], [60, 100]]}]
    found = played(every, agents=agents, warmup=0, horizon=120, replications=1)
    assert found["classes"]["all"]["served"] < found["classes"]["all"]["arrived"]
    assert 0 < found["classes"]["all"]["p_wait"] < 0.5


def test_the_floor_of_the_bench_holds() -> None:
    found = replicate(a_floor(7, tickets=40_000), 0)
    assert found.broken == {}
    assert 900 < found.tickets < 2_000
