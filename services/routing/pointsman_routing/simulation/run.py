"""All replications of a plan, in parallel processes, and what they say together.

A replication depends on the plan, the seed and its number alone, so the result is the same for any number of processes.
"""

import gc
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from time import perf_counter
from typing import Any

from pointsman.contracts.document import Agent
from pointsman_routing import gc_tuning
from pointsman_routing.desk.state.desk import Matcher
from pointsman_routing.simulation.customers import customers
from pointsman_routing.simulation.figures import Replication, Tally, gini, summed_up, together
from pointsman_routing.simulation.people import Visit
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.replication import ContactCentre


def simulate(plan: Plan, *, processes: int | None = None, done: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """The result as the command prints it. `done` is called after each replication."""
    begin = perf_counter()
    tasks = [(plan, number) for number in range(plan.replications)]
    found: list[Replication] = in_processes(replicate, tasks, processes, done)
    result = summed_up(found, sla=plan.sla, agents=plan.agents)
    return {**result, "seconds": round(perf_counter() - begin, 3)}


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], processes: int | None, done: Callable[[], None]
) -> list[Any]:
    """`work(*task)` of each task, in their order, whichever process was the first."""
    count = min(len(tasks), processes or cores())
    if count <= 1:
        found = []
        for task in tasks:
            found.append(work(*task))
            done()
        return found
    # Fresh interpreters: nothing of the caller's (threads, event loops) is copied into them.
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_prepare) as pool:
        futures = [pool.submit(work, *task) for task in tasks]
        for _ in as_completed(futures):
            done()
        return [future.result() for future in futures]


def _prepare() -> None:
    gc_tuning.set_for_residents()
    gc.freeze()


def replicate(plan: Plan, number: int, *, matcher: Matcher | None = None) -> Replication:
    """Plays one replication."""
    tallies = [Tally() for _ in plan.kinds]
    targets = [kind.target_us for kind in plan.kinds]

    def told(visit: Visit) -> None:
        tallies[visit.kind].add(visit, targets[visit.kind])

    streams = [customers(kind, plan.unit_us, plan.seed, number) for kind in plan.kinds]
    centre = ContactCentre(plan, streams, told, matcher=matcher)
    centre.play()
    for visit in centre.still_waiting():
        told(visit)
    span_us = plan.horizon_us - plan.warmup_us
    whole = together(tallies)
    everybody = whole.figures(plan.unit_us)
    uneven = gini([load for load in _loads(plan, whole) if load is not None])
    if uneven is not None:
        everybody["gini_of_load"] = uneven
    return Replication(
        everybody=everybody,
        classes={
            kind.name: (
                {
                    "arrived": tally.arrived,
                    "served": tally.served,
                    "abandoned": tally.abandoned,
                    "blocked": tally.blocked,
                    "breached": tally.breached,
                },
                tally.figures(plan.unit_us),
                tally.agents,
            )
            for kind, tally in zip(plan.kinds, tallies, strict=True)
        },
        utilisation=centre.busy_us / centre.capacity_us if centre.capacity_us else None,
        waiting=centre.waiting_us / span_us,
        broken=centre.watch.broken,
        decisions=centre.decisions,
        tickets=centre.tickets,
    )


def _loads(plan: Plan, whole: Tally) -> list[float | None]:
    """Each agent's work over the capacity and time that they were there with; None for who never was."""
    found: list[float | None] = []
    for slug, agent in plan.document["agents"].items():
        spans = plan.hours.get(slug, ((0, plan.horizon_us),))
        there_us = sum(max(0, min(end, plan.horizon_us) - max(start, plan.warmup_us)) for start, end in spans)
        capacity = there_us * agent.get("capacity", Agent().capacity)
        found.append(whole.work_us[slug] / capacity if capacity else None)
    return found
