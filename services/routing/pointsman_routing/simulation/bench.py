"""`bench simulate`: a million customers on the production desk, in as many processes as there are cores.

Twenty agents with two skills, three classes of which one is impatient, most urgent first: every ticket is opened,
assigned, resolved and watched, as `pointsman simulate` does it. Reading the scenario is not part of it, starting the
processes is.
"""

from pathlib import Path
from time import perf_counter

from pointsman.cli.bench.servers import Bench
from pointsman.contracts.document.reading import Written
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.planning import plan_of
from pointsman_routing.simulation.run import simulate

TICKETS, REPLICATIONS, RATE = 1_000_000, 40, 17.0


async def measure(bench: Bench) -> dict[str, list[float]]:
    """The samples of `bench simulate` (CLI.md), one a run."""
    rates = []
    for number in range(bench.runs):
        plan = a_floor(bench.seed + number)
        begin = perf_counter()
        result = simulate(plan)
        rates.append(result["tickets"] / (perf_counter() - begin))
        if not all(result["checks"].values()):
            raise RuntimeError("; ".join(result["counter_examples"]))
    return {"tickets_per_second": rates}


def a_floor(seed: int, tickets: int = TICKETS) -> Plan:
    """About that many customers in all replications together."""
    exponential = {"distribution": "exponential", "mean": 1}
    scenario = {
        "seed": seed,
        "replications": REPLICATIONS,
        "warmup": 20,
        "horizon": 20 + tickets / REPLICATIONS / RATE,
        "desk": {
            "skills": ["billing", "technical"],
            "queues": {"main": {"order": "urgency", "wait_target_seconds": 600}},
            "agents": [
                {"count": 12, "capacity": 1, "skills": {"billing": 5}},
                {"count": 8, "capacity": 1, "skills": {"billing": 5, "technical": 5}},
            ],
        },
        "classes": [
            {"name": "gold", "rate": 3, "service": exponential, "head_start_minutes": 20, "requires": {"billing": 3}},
            {"name": "bugs", "rate": 4, "service": exponential, "requires": {"technical": 3}},
            {
                "name": "everybody",
                "rate": RATE - 7,
                "service": {"distribution": "lognormal", "mean": 1, "cv": 1},
                "patience": {"distribution": "exponential", "mean": 5},
            },
        ],
    }
    return plan_of(Written(scenario, None), Path())
