"""`bench takeover`: nothing is missed, doubled or early while workers come and go, and how late it is then.

`POINTSMAN_BENCH_ARMED` clocks (100,000) are armed; 500 of them breach each second for a minute, in all lanes, with two
workers there. After 15 s one ends cleanly (SIGTERM), after 35 s the other is killed (SIGKILL); each is started again
five seconds later. Lateness is from the appointed instant to the instant at which the firing was decided: of what was
due within five seconds after each act, and of everything else.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant, after
from pointsman.runtime.database import open_pool
from pointsman.runtime.settings import RuntimeSettings
from pointsman_sla.bench import LEAD_SECONDS, WORKSPACES, arm, fired, worker_process

ARMED = int(os.environ.get("POINTSMAN_BENCH_ARMED", "100000"))
RATE_PER_SECOND = 500
SECONDS = 60
ACTS = {"clean": 15.0, "kill": 35.0}
"""What happens to a worker, and how many seconds after the first firing."""

BACK_SECONDS = 5.0
ACROSS_SECONDS = 5.0

LATENESS = """
    SELECT subject, made_at, (body->'facts'->0->>'breach_at')::timestamptz AS breach_at FROM fact
    WHERE starts_with(subject, $1) AND 'clock.breached' = ANY(types)
"""

OWNED = "SELECT count(*) FROM lane_lease WHERE owner IS NOT NULL AND lease_until > clock_timestamp()"

FIGURES = (
    *("armed", "fired", "missed", "doubled", "early", "lateness_p50_ms", "lateness_p99_ms"),
    *("clean_p50_ms", "clean_p99_ms", "clean_max_ms", "kill_p50_ms", "kill_p99_ms", "kill_max_ms"),
)


async def takeover(bench: Bench) -> dict[str, list[float]]:
    """The figures of as many runs."""
    samples: dict[str, list[float]] = {name: [] for name in FIGURES}
    async with bare_installation(bench) as settings:
        pool = await open_pool(settings, "sla", size=3, purpose="bench")
        lanes = [lane_of(name, settings.partitions) for name in WORKSPACES]
        far = datetime.now(UTC) + timedelta(days=1)
        count = RATE_PER_SECOND * SECONDS
        await arm(pool, lanes, "far", max(0, ARMED - count), far, timedelta(milliseconds=1))
        await pool.execute("VACUUM ANALYZE")
        for run in range(bench.runs):
            prefix = f"run{run}_"
            acted = await _one_run(pool, settings, lanes, prefix, count)
            for name, value in (await _figures(pool, prefix, count, acted)).items():
                samples[name].append(value)
        await pool.close()
    return samples


async def _one_run(
    pool: Any, settings: RuntimeSettings, lanes: list[int], prefix: str, count: int
) -> dict[str, Instant]:
    """When each act was."""
    acted: dict[str, Instant] = {}
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker_process(settings)) for _ in range(2)]
        async with asyncio.timeout(60):
            while await pool.fetchval(OWNED) < settings.partitions:  # noqa: ASYNC110  # other processes claim
                await asyncio.sleep(0.05)
        first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        await arm(pool, lanes, prefix, count, first, timedelta(seconds=1 / RATE_PER_SECOND))
        for worker, (act, seconds) in zip(workers, ACTS.items(), strict=True):
            await _until(after(first, seconds))
            acted[act] = datetime.now(UTC)
            if act == "kill":
                worker.kill()
            else:
                worker.terminate()
            await _until(after(acted[act], BACK_SECONDS))
            await stack.enter_async_context(worker_process(settings))
        await _until(after(first, SECONDS))
        await fired(pool)
    return acted


async def _figures(pool: Any, prefix: str, count: int, acted: dict[str, Instant]) -> dict[str, float]:
    rows = await pool.fetch(LATENESS, prefix)
    distinct = await pool.fetchval(
        "SELECT count(DISTINCT subject) FROM fact WHERE starts_with(subject, $1) AND 'clock.breached' = ANY(types)",
        prefix,
    )
    late = [(row["breach_at"], (row["made_at"] - row["breach_at"]).total_seconds() * 1000) for row in rows]
    across = {act: [ms for due, ms in late if at <= due <= after(at, ACROSS_SECONDS)] for act, at in acted.items()}
    others = [
        ms
        for due, ms in late
        if not any(at <= due <= after(at, ACROSS_SECONDS + BACK_SECONDS) for at in acted.values())
    ]
    figures = {
        "armed": float(ARMED),
        "fired": float(len(rows)),
        "missed": float(count - distinct),
        "doubled": float(len(rows) - distinct),
        "early": float(sum(ms < 0 for _, ms in late)),
        "lateness_p50_ms": _at(others, 0.5),
        "lateness_p99_ms": _at(others, 0.99),
    }
    for act, found in across.items():
        figures |= {f"{act}_p50_ms": _at(found, 0.5), f"{act}_p99_ms": _at(found, 0.99), f"{act}_max_ms": max(found)}
    return figures


def _at(samples: list[float], share: float) -> float:
    return sorted(samples)[int(len(samples) * share)]


async def _until(at: Instant) -> None:
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
