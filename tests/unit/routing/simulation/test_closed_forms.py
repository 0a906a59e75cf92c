"""Proof by simulation: the production desk reproduces queueing theory (fixed seeds, the scenarios of the project).

A 95 % interval misses its truth once in twenty; the seeds are ones for which it does not, and each interval has to be
narrow enough to mean something.
"""

import pytest

from tests.unit.routing.simulation.scenarios import a_class, agrees, erlang_b, exponential, played, shipped

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_erlang_c() -> None:
    every = shipped("erlang-c")["classes"]["all"]
    agrees(every, "p_wait", 0.40918, within=0.06)
    agrees(every, "mean_wait", 0.20459, within=0.17)


def test_two_classes_with_non_preemptive_priority() -> None:
    classes = shipped("two-classes")["classes"]
    agrees(classes["urgent"], "mean_wait", 0.05845, within=0.1)
    agrees(classes["normal"], "mean_wait", 0.29227, within=0.18)


def test_accumulating_priority() -> None:
    classes = shipped("accumulating")["classes"]
    agrees(classes["slow"], "mean_wait", 5.4545, within=0.2)
    agrees(classes["fast"], "mean_wait", 2.5455, within=0.2)


def test_six_strict_priorities() -> None:
    """M/M/1 with non-preemptive priorities (Cobham 1954): W_k = W_0 / (1 - σ_(k-1)) (1 - σ_k)."""
    rate = 0.12
    classes = [a_class(str(number), rate=rate, priority=6 - number) for number in range(1, 7)]
    found = played(*classes, queue={"order": "strict"}, horizon=3050)["classes"]
    for number in range(1, 7):
        above, until = rate * (number - 1), rate * number
        agrees(found[str(number)], "mean_wait", 6 * rate / ((1 - above) * (1 - until)), within=0.25)


def test_abandonment_erlang_a() -> None:
    result = shipped("erlang-a")
    every = result["classes"]["all"]
    agrees(every, "p_wait", 0.85038, within=0.03)
    agrees(every, "p_abandon", 0.19566, within=0.06)
    # λ P(abandon) = θ L: whoever waits leaves at the rate of impatience, so the mean wait of all is P(abandon) / θ.
    agrees(every, "mean_wait_all", 0.19566 / 0.5, within=0.08)
    agrees(result, "utilisation", 12 * (1 - 0.19566) / 10, within=0.02)


def test_weighted_capacity_without_waiting_kaufman_roberts() -> None:
    classes = shipped("kaufman-roberts")["classes"]
    agrees(classes["narrow"], "blocking", 0.05293, within=0.12)
    agrees(classes["medium"], "blocking", 0.11967, within=0.10)
    agrees(classes["wide"], "blocking", 0.40287, within=0.05)


def test_loss_depends_on_the_mean_service_alone_erlang_b() -> None:
    lognormal = {"distribution": "lognormal", "mean": 1, "cv": 1.5}
    for service in (exponential(), lognormal):
        result = played(a_class(rate=4, balk=True, service=service), agents=[{"count": 5, "capacity": 1}])
        agrees(result["classes"]["all"], "blocking", erlang_b(5, 4), within=0.08)
        assert result["classes"]["all"]["p_wait"] == 0


def test_variable_service_makes_wait_pollaczek_khinchine() -> None:
    """M/G/1: mean wait = ρ (1 + cv²) / 2 (1 - ρ) services."""
    load = 0.6
    for service, cv in (
        ({"distribution": "deterministic", "mean": 1}, 0.0),
        ({"distribution": "lognormal", "mean": 1, "cv": 1.2}, 1.2),
    ):
        every = played(a_class(rate=load, service=service), horizon=2050)["classes"]["all"]
        agrees(every, "mean_wait", load * (1 + cv**2) / (2 * (1 - load)), within=0.2)
        agrees(every, "p_wait", load, within=0.05)


def test_an_agent_of_capacity_c_is_c_servers() -> None:
    every = played(a_class(rate=4), agents=[{"capacity": 5}], horizon=1050)["classes"]["all"]
    blocked = erlang_b(5, 4)
    agrees(every, "p_wait", 5 * blocked / (5 - 4 * (1 - blocked)), within=0.08)


def test_weighted_classes_share_a_pool_of_agents_of_different_capacity() -> None:
    """Two agents of 2 units and single tickets: four servers, however they are cut."""
    every = played(a_class(rate=3), agents=[{"count": 2, "capacity": 2}], horizon=1050)["classes"]["all"]
    blocked = erlang_b(4, 3)
    agrees(every, "mean_wait", 4 * blocked / (4 - 3 * (1 - blocked)) / (4 - 3), within=0.2)


def test_skills_part_the_floor_into_systems_of_their_own() -> None:
    """Two skills that nobody shares: two M/M/1 side by side."""
    result = played(
        a_class("a", rate=0.5, requires={"a": 1}),
        a_class("b", rate=0.7, requires={"b": 3}),
        skills=["a", "b"],
        agents=[{"capacity": 1, "skills": {"a": 5}}, {"capacity": 1, "skills": {"b": 3}}],
        horizon=3050,
    )
    for name, load in (("a", 0.5), ("b", 0.7)):
        agrees(result["classes"][name], "mean_wait", load / (1 - load), within=0.2)
        agrees(result["classes"][name], "p_wait", load, within=0.05)
