"""`bench timers`: a real worker on real servers.

One list of samples a figure, one sample a run: `POINTSMAN_BENCH_ARMED` clocks (a million) are armed
for later; then a thousand a second fire, spread evenly, then 20,000 at one instant. Lateness is from the appointed
instant to the instant at which the firing was decided; `deadline_to_alert_p99_ms` to when a reader of the topic has the
fact.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from aiokafka import TopicPartition

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.contracts.topics import SLA
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.runtime.broker import make_consumer
from pointsman.runtime.database import open_pool
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited

ARMED = int(os.environ.get("POINTSMAN_BENCH_ARMED", "1000000"))
RATE_PER_SECOND = 1_000
STEADY_SECONDS = 10
BURST = 20_000
LEAD_SECONDS = 6.0
"""How long before their instants timers are armed: they are taken up from the table, as in real life."""

WORKSPACES = tuple(f"bench-{number}" for number in range(64))
"""Those of the clocks that `arm` arms."""

SEED_TICKETS = """
    INSERT INTO ticket (ticket_id, workspace, lane, config_version, opened_at, phase, queue, mirror)
    SELECT $1 || n, 'bench-' || n % 64, ($2::int[])[n % 64 + 1], 1, now(), 'queued', 'general', '{}'
    FROM generate_series(0, $3::int - 1) AS n
"""

SEED_CLOCKS = """
    INSERT INTO clock (clock_id, ticket_id, workspace, metric, cycle, state, policy, calendar, config_version, queue,
                       priority, target_seconds, generation, started_at, due_at, breach_at, retargeted, life)
    SELECT 'clk_' || $1 || n, $1 || n, 'bench-' || n % 64, 'first_response', 1, 'running', 'standard', 'always', 1,
           'general', 'normal', 3600, 1, now(), f.at, f.at, false,
           jsonb_build_object('segments', jsonb_build_array(), 'warned', jsonb_build_array(),
                              'alerts', jsonb_build_array(),
                              'plan', jsonb_build_array(jsonb_build_array(
                                  (extract(epoch FROM f.at) * 1000000)::bigint, 'breach')))
    FROM generate_series(0, $2::int - 1) AS n, LATERAL (SELECT $3::timestamptz + n * $4::interval AS at) AS f
"""

SEED_TIMERS = """
    INSERT INTO timer (clock_id, lane, kind, generation, fire_at)
    SELECT 'clk_' || $1 || n, ($2::int[])[n % 64 + 1], 'breach', 1, $4::timestamptz + n * $5::interval
    FROM generate_series(0, $3::int - 1) AS n
"""


SOON = "SELECT true FROM timer WHERE fire_at < now() + interval '12 hours' LIMIT 1"


async def timers(bench: Bench) -> dict[str, list[float]]:
    """The figures of the timer engine."""
    samples: dict[str, list[float]] = {name: [] for name in TIMER_FIGURES}
    async with bare_installation(bench) as settings:
        pool = await open_pool(settings, "sla", size=3, purpose="bench")
        lanes = [lane_of(name, settings.partitions) for name in WORKSPACES]
        far = datetime.now(UTC) + timedelta(days=1)
        await arm(pool, lanes, "far", ARMED, far, timedelta(milliseconds=1))
        await pool.execute("VACUUM ANALYZE")
        async with worker_process(settings) as process, _listener(settings) as heard:
            for run in range(bench.runs + 1):
                figures = await _one_run(pool, lanes, f"run{run}_", heard)
                figures["worker_rss_mb"] = process.memory_info().rss / 1e6
                if run:  # the first is the warm-up
                    for name, value in figures.items():
                        samples[name].append(value)
        await pool.close()
    return samples


TIMER_FIGURES = (
    "armed",
    "lateness_p50_ms",
    "lateness_p99_ms",
    "burst_20000_seconds",
    "worker_rss_mb",
    "deadline_to_alert_p99_ms",
)


async def _one_run(pool: Any, lanes: list[int], prefix: str, heard: dict[str, Instant]) -> dict[str, float]:
    armed = await pool.fetchval("SELECT count(*) FROM timer")
    count = RATE_PER_SECOND * STEADY_SECONDS
    begin = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    await arm(pool, lanes, f"{prefix}s_", count, begin, timedelta(seconds=1 / RATE_PER_SECOND))
    await fired(pool)
    late = await pool.fetch(
        "SELECT subject, made_at, (body->'facts'->0->>'breach_at')::timestamptz AS breach_at FROM fact "
        "WHERE starts_with(subject, $1)",
        f"{prefix}s_",
    )
    lateness = sorted((row["made_at"] - row["breach_at"]).total_seconds() for row in late)
    async with asyncio.timeout(30):
        while not all(row["subject"] in heard for row in late):  # noqa: ASYNC110  # the topic sets no event
            await asyncio.sleep(0.05)
    told = sorted((heard[row["subject"]] - row["breach_at"]).total_seconds() for row in late)
    at = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    await arm(pool, lanes, f"{prefix}b_", BURST, at, timedelta(0))
    done = await fired(pool)
    return {
        "armed": float(armed),
        "lateness_p50_ms": lateness[len(lateness) // 2] * 1000,
        "lateness_p99_ms": lateness[int(len(lateness) * 0.99)] * 1000,
        "burst_20000_seconds": (done - at).total_seconds(),
        "deadline_to_alert_p99_ms": told[int(len(told) * 0.99)] * 1000,
    }


async def arm(pool: Any, lanes: list[int], prefix: str, count: int, at: Instant, apart: timedelta) -> None:
    """Arms so many clocks, the first to breach at an instant and each next one later, spread over 64 lanes given."""
    async with pool.acquire() as db, db.transaction():
        for start in range(0, count, 100_000):
            some = min(100_000, count - start)
            name, first = f"{prefix}{start}_", at + apart * start
            await db.execute(SEED_TICKETS, name, lanes, some, timeout=300)
            await db.execute(SEED_CLOCKS, name, some, first, apart, timeout=300)
            await db.execute(SEED_TIMERS, name, lanes, some, first, apart, timeout=300)


async def fired(pool: Any) -> Instant:
    """Waits until only the timers of another day are left; the instant."""
    async with asyncio.timeout(120):
        while await pool.fetchval(SOON):  # noqa: ASYNC110  # another process fires them
            await asyncio.sleep(0.002)
    return datetime.now(UTC)


@asynccontextmanager
async def worker_process(settings: RuntimeSettings) -> AsyncIterator[psutil.Process]:
    """One worker process under these settings."""
    given = {f"POINTSMAN_{name.upper()}": str(value) for name, value in settings if value is not None}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pointsman_sla", "worker", env=os.environ | given | {"POINTSMAN_LOG_LEVEL": "warning"}
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def _listener(settings: RuntimeSettings) -> AsyncIterator[dict[str, Instant]]:
    """When each subject's fact was first heard on the topic."""
    heard: dict[str, Instant] = {}
    consumer = make_consumer(settings, settings.broker)
    await consumer.start()
    name = SLA.full_name(settings.topic_prefix)
    consumer.assign([TopicPartition(name, number) for number in range(settings.partitions)])
    await consumer.seek_to_end()

    async def listen() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                now = datetime.now(UTC)
                for record in records:
                    subject = next(value for key, value in record.headers if key == "ce_subject").decode()
                    heard.setdefault(subject, now)

    listening = awaited(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await consumer.stop()
