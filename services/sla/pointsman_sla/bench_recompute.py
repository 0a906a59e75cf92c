"""`bench recompute`: open tickets' clocks laid anew by a real worker on real servers, while timers fire in their lane.

Each of `POINTSMAN_BENCH_TICKETS` open tickets (100,000), all in one lane, has a first response and a resolution in
office hours with holidays, and a past with a pause. A version with other targets is recomputed; meanwhile 50 clocks a
second breach in the same lane. Lateness is from the appointed instant to the instant at which the firing was decided.
"""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.contracts import codec, desk
from pointsman.contracts.recomputing import ClocksRecompute
from pointsman.contracts.shapes import Actor, Customer
from pointsman.contracts.topics import COMMANDS
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman.runtime.broker import make_producer
from pointsman.runtime.database import open_pool
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.bench import LEAD_SECONDS, arm, worker_process
from pointsman_sla.bench_calendar import CALENDAR
from pointsman_sla.clocks.lifecycle import advance
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.policy import Book, part_of, read_book
from pointsman_sla.near_timers import Near
from pointsman_sla.state import Placed, SlaState
from pointsman_sla.store.writing import write_changes

TICKETS = int(os.environ.get("POINTSMAN_BENCH_TICKETS", "100000"))
FIRINGS_PER_SECOND = 50
FIRINGS_SECONDS = 180
WORKSPACE = "recomputed"
LIVES = 500
"""How many different lives the tickets have."""

CHUNK = 5_000

INSERT_CONFIG = "INSERT INTO config_version (workspace, version, body, applied_at) VALUES ($1, $2, $3, now())"

FINISHED = "SELECT begun_at, finished_at, counts FROM job WHERE version = $1 AND finished_at IS NOT NULL"

LATENESS = """
    SELECT extract(epoch FROM made_at - breach_at) AS late
    FROM fact, LATERAL (SELECT (body->'facts'->0->>'breach_at')::timestamptz AS breach_at) AS b
    WHERE starts_with(subject, $1) AND breach_at BETWEEN $2 AND $3 ORDER BY late
"""


async def recompute(bench: Bench) -> dict[str, list[float]]:
    """The figures; seconds are from the job's beginning to its end."""
    samples: dict[str, list[float]] = {
        name: [] for name in ("tickets", "seconds", "tickets_per_second", "lateness_p50_ms", "lateness_p99_ms")
    }
    async with bare_installation(bench) as settings:
        pool = await open_pool(settings, "sla", size=3, purpose="bench")
        lane = lane_of(WORKSPACE, settings.partitions)
        await pool.execute(INSERT_CONFIG, WORKSPACE, 1, _part(1))
        await _open_tickets(pool, lane, settings.partitions)
        await pool.execute("VACUUM ANALYZE")
        producer = make_producer(settings, settings.broker)
        await producer.start()
        async with worker_process(settings):
            for run in range(bench.runs + 1):
                version = run + 2
                await pool.execute(INSERT_CONFIG, WORKSPACE, version, _part(version))
                first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
                count, apart = FIRINGS_PER_SECOND * FIRINGS_SECONDS, timedelta(seconds=1 / FIRINGS_PER_SECOND)
                await arm(pool, [lane] * 64, f"run{run}_", count, first, apart)
                await asyncio.sleep(LEAD_SECONDS)
                await _ask(producer, settings, lane, version)
                job = await _finished(pool, version)
                seconds = (job["finished_at"] - job["begun_at"]).total_seconds()
                late = await pool.fetch(LATENESS, f"run{run}_", job["begun_at"], job["finished_at"])
                await pool.execute(
                    "DELETE FROM timer USING clock c WHERE c.clock_id = timer.clock_id AND c.workspace <> $1", WORKSPACE
                )
                if not run:
                    continue  # the warm-up
                samples["tickets"].append(float(TICKETS))
                samples["seconds"].append(seconds)
                samples["tickets_per_second"].append(TICKETS / seconds)
                samples["lateness_p50_ms"].append(float(late[len(late) // 2]["late"]) * 1000)
                samples["lateness_p99_ms"].append(float(late[int(len(late) * 0.99)]["late"]) * 1000)
        await producer.stop()
        await pool.close()
    return samples


def _part(version: int) -> dict[str, Any]:
    targets = {"first_response": {"default": 36_000 + version}, "resolution": {"default": 360_000 + version}}
    policy = {"name": "standard", "calendar": "office", "targets": targets, "pause_on": {"resolution": ["customer"]}}
    return part_of({"timezone": "Europe/Rome", "calendars": {"office": CALENDAR}, "sla": {"policies": [policy]}})


async def _open_tickets(pool: Any, lane: int, partitions: int) -> None:
    book = read_book(1, _part(1))
    lives = [_life(book, datetime.now(UTC) - timedelta(minutes=number)) for number in range(LIVES)]
    async with pool.acquire() as db:
        for begin in range(0, TICKETS, CHUNK):
            journal = Journal()
            state = SlaState(journal, lane, datetime.now(UTC), Near(journal, (0, "")), AlertBook(journal))
            for number in range(begin, min(TICKETS, begin + CHUNK)):
                life = lives[number % LIVES]
                id = f"tkt_{number:07}"
                clocks = {
                    metric: replace(clock, id=f"clk_{metric}_{number:07}") for metric, clock in life.clocks.items()
                }
                state.changed_tickets[id] = replace(life, id=id, clocks=clocks)
                for clock in clocks.values():
                    state.changed_clocks[clock.id] = Placed(id, WORKSPACE, clock)
            await write_changes(db, state)


def _life(book: Book, at: Instant) -> Ticket:
    """A ticket that was opened, assigned, pending on the customer, and waits for an agent again."""
    opened = desk.TicketOpened(
        ticket_id="tkt", channel="email", connector="mail", thread="t", customer=Customer(id="c1"), opened_at=at,
        message_id="msg", config_version=1,
    )  # fmt: skip
    anna = Actor(kind="agent", id="anna")
    labels = desk.TicketClassified(ticket_id="tkt", language="en", category="other", priority="normal", queue="general")
    pended = desk.TicketPended(ticket_id="tkt", agent="anna", waiting_on="customer", by=anna)
    woken = desk.TicketWoken(ticket_id="tkt", reason="message")
    ticket: Ticket | None = None
    for seconds, facts in ((0, (opened, labels)), (10, (pended,)), (20, (woken,))):
        course = advance(ticket, WORKSPACE, facts, at + timedelta(seconds=seconds), lambda version: book)
        assert course is not None
        ticket = course.finished()
    assert ticket is not None
    return ticket


async def _ask(producer: Any, settings: Any, lane: int, version: int) -> None:
    command = ClocksRecompute(actor=Actor(kind="admin", id="ada"))
    key, value, headers = codec.encode_command(
        command, id=f"cmd_{version}", workspace=WORKSPACE, subject="clocks", at=datetime.now(UTC), source="bench"
    )
    name = COMMANDS.full_name(settings.topic_prefix)
    await producer.send_and_wait(name, value=value, key=key, partition=lane, headers=headers)


async def _finished(pool: Any, version: int) -> Any:
    async with asyncio.timeout(FIRINGS_SECONDS):
        while (row := await pool.fetchrow(FINISHED, version)) is None:  # noqa: ASYNC110  # another process works
            await asyncio.sleep(0.05)
    return row
