"""`bench floor`: a large floor of agents, on the services as `pointsman up` starts them.

- `release_to_offer_*_ms`: a thousand agents on long polls, each with one ticket at a time that takes five seconds, and
  customers who never stop: 200 tickets a second are accepted and resolved. From the call that resolves a ticket to the
  offer of the next in the agent's hand. `resolved_per_second` is what was reached. `lease_renewal_ms` is the mean time
  of the renewals of routing's leases meanwhile, `lease_renewal_at_rest_ms` before.
- `renewals_worker_share`, `renewals_api_share`: ten thousand agents renew their presence once a minute; what routing's
  worker and the process of the APIs spend on it, as a share of one core, less what they spend with nobody there.
"""

import asyncio
import time
from collections.abc import Sequence

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from pointsman.cli.bench.pipeline import Lab, percentiles
from pointsman.cli.bench.servers import Bench, whole_stack
from pointsman.cli.output import say

AGENTS = 1_000
TICKET_SECONDS = 5.0
WORKING_SECONDS = 20.0
BACKLOG = 7_000
RENEWING = 10_000
RENEWED_EVERY_SECONDS = 60.0
RENEWALS_SECONDS = 30.0
SETTLED_SECONDS = 5.0
PROCESSES = {"worker": "routing", "api": "edge"}


async def figures(bench: Bench) -> dict[str, list[float]]:
    """The samples of every figure."""
    samples: dict[str, list[float]] = {}
    async with whole_stack(bench) as folder:
        for number in range(bench.runs):
            lab = ManyAgents(bench, folder, number)
            for figure in (lab.release_to_offer_of_many, lab.renewals):
                say(f"run {number + 1} of {bench.runs}: {figure.__name__.replace('_', ' ')}")
                await figure(samples)
    return samples


class ManyAgents(Lab):
    """One run on the stack."""

    async def release_to_offer_of_many(self, samples: dict[str, list[float]]) -> None:
        at_rest = await self._renewals()
        await asyncio.sleep(SETTLED_SECONDS)
        begun = await self._renewals()
        samples.setdefault("lease_renewal_at_rest_ms", []).append(_mean_ms(at_rest, begun))
        async with self._workspace("floor", agents=AGENTS, capacity=1) as (workspace, session):
            await self._post(session, BACKLOG)
            async with self._apps(workspace, AGENTS, "work", TICKET_SECONDS) as results:
                began = time.monotonic()
                await asyncio.sleep(TICKET_SECONDS + WORKING_SECONDS)
                took = time.monotonic() - began - TICKET_SECONDS
        samples.setdefault("lease_renewal_ms", []).append(_mean_ms(begun, await self._renewals()))
        percentiles(samples, "release_to_offer", results["releases_ms"])
        samples.setdefault("resolved_per_second", []).append(len(results["releases_ms"]) / took)

    async def renewals(self, samples: dict[str, list[float]]) -> None:
        async with self._workspace("renewals", agents=RENEWING) as (workspace, _):
            idle = await self._shares(SETTLED_SECONDS)
            async with self._apps(workspace, RENEWING, "renew", RENEWED_EVERY_SECONDS):
                await asyncio.sleep(SETTLED_SECONDS)
                busy = await self._shares(RENEWALS_SECONDS)
        for name, at_rest, renewing in zip(PROCESSES, idle, busy, strict=True):
            samples.setdefault(f"renewals_{name}_share", []).append(max(0.0, renewing - at_rest))

    async def _renewals(self) -> tuple[float, float]:
        """How many renewals of leases routing's worker has made, and their seconds in all."""
        port = self._folder.status().process("routing").port
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        samples = {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples
                   if s.name.startswith("pointsman_lease_renewal_seconds")}  # fmt: skip
        return samples["pointsman_lease_renewal_seconds_count"], samples["pointsman_lease_renewal_seconds_sum"]

    async def _shares(self, seconds: float) -> Sequence[float]:
        """The share of one core that each process took over so many seconds."""
        status = self._folder.status()
        processes = [psutil.Process(status.process(name).pid) for name in PROCESSES.values()]
        before, began = [_spent(process) for process in processes], time.monotonic()
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        return [(_spent(process) - was) / took for process, was in zip(processes, before, strict=True)]


def _mean_ms(before: tuple[float, float], after: tuple[float, float]) -> float:
    return 1000 * (after[1] - before[1]) / max(1.0, after[0] - before[0])


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
