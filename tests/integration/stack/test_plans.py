"""Statements that are asked for each batch look up a few keys of tables that grow while their plan is kept: planned
over small tables, the same connection reads no more blocks once they are large."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
import pytest

from pointsman.runtime.analysing import GREW_ROWS_MIN, analyse_grown
from pointsman.runtime.database import BY_KEY
from pointsman.testing.installation import Installation
from pointsman_intake.accept import gather as intake
from pointsman_metrics import store as metrics
from pointsman_routing import gathering as routing
from pointsman_routing import store
from pointsman_routing.api import offers
from pointsman_sla.store import loading as sla

pytestmark = pytest.mark.stack

SMALL, LARGE = 30, 20_000
BLOCKS_MORE_MAX = 40
"""For all keys of a statement: an index is a level higher, rows stand in more blocks. The tables have thousands."""

FILL = {
    "text": "'x'",
    "ARRAY": "'{}'",
    "jsonb": "'{}'",
    "json": "'{}'",
    "integer": "0",
    "bigint": "0",
    "smallint": "0",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "double precision": "0",
}


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


@dataclass(frozen=True)
class Hot:
    """A statement of a service over tables that grow: `tables` says how the n-th row of each differs from all others.
    `by_key`: on a connection of a worker or slot; others plan freely, and anew once what has doubled is analysed."""

    service: str
    statement: str
    arguments: tuple[str, ...]
    tables: dict[str, dict[str, str]]
    by_key: bool = True
    also: tuple[str, ...] = field(default=())
    more_max: int = BLOCKS_MORE_MAX


TICKETS = {"ticket": {"workspace": "'acme'", "id": "'tkt_' || n", "state": "'queued'"}}
OFFERS = {
    "offer": {
        "workspace": "'acme'",
        "id": "'off_' || n",
        "ticket_id": "'tkt_' || n",
        "agent": "'agent-' || n % 100",
        "state": "CASE WHEN n % 100 = 7 AND n < 1000 THEN 'pending' ELSE 'accepted' END",
        "change": "n",
    }
}
MESSAGES = {"message": {"workspace": "'acme'", "id": "'msg_' || n", "ticket_id": "'tkt_' || n", "direction": "'in'"}}
CLOCKS = {
    "clock": {
        "clock_id": "'clk_' || n",
        "ticket_id": "'tkt_' || n",
        "metric": "'resolution'",
        "cycle": "1",
        "state": "'running'",
    }
}
ACME = "ARRAY['acme','acme','acme']"

STATEMENTS = {
    "new and old tickets": Hot("routing", routing.TICKETS_BY_ID, (ACME, "ARRAY['tkt_1','tkt_2','none']"), TICKETS),
    "ended offers": Hot("routing", routing.OFFERS_BY_ID, (ACME, "ARRAY['off_1','off_2','none']"), OFFERS),
    "messages answered": Hot(
        "routing", routing.MESSAGES_BY_ID, (ACME, "ARRAY['msg_1','msg_2','none']"), MESSAGES | TICKETS
    ),
    "offers that ended": Hot(
        "routing",
        store.END_OFFERS,
        (
            ACME,
            "ARRAY['off_1','off_2','none']",
            "ARRAY['rejected','rejected','rejected']",
            "ARRAY[now(),now(),now()]",
            "ARRAY['','','']",
            "ARRAY[1,2,3]::bigint[]",
        ),
        OFFERS,
    ),
    "offers of agents": Hot(
        "routing",
        offers.READ_OFFERS,
        (ACME, "ARRAY['agent-7','agent-8','none']", "ARRAY[-1,1000000,-1]::bigint[]", "ARRAY['','','']"),
        TICKETS | OFFERS | {"workspace": {"workspace": "'ws-' || n"}},
        by_key=False,
        more_max=60,  # ten offers are pending, each with its ticket, where one was
        also=("INSERT INTO workspace VALUES ('acme', 0, 1, 1000000, '{}', '{}')",),
    ),
    "what intake knows of messages": Hot(
        "intake",
        intake._GATHER,
        (
            '\'{"messages":[{"workspace":"acme","connector":"x","key":"ext-1"}],"identities":[],'
            '"customers":[],"cited":[]}\'',
        ),
        {"message": {"workspace": "'acme'", "id": "'msg_' || n", "external_id": "'ext-' || n"}},
    ),
    "tickets of clocks": Hot(
        "sla", sla.TICKETS, ("ARRAY['tkt_1','tkt_2','none']",), {"ticket": {"ticket_id": "'tkt_' || n"}}
    ),
    "newest clocks of tickets": Hot("sla", sla.NEWEST_CLOCKS, ("ARRAY['tkt_1','tkt_2','none']",), CLOCKS),
    "clocks of timers": Hot("sla", sla.CLOCKS, ("ARRAY['clk_1','clk_2','none']",), CLOCKS),
    "rows of tickets": Hot(
        "metrics", metrics.READ_TICKETS, ("ARRAY['tkt_1','tkt_2','none']",), {"ticket": {"ticket_id": "'tkt_' || n"}}
    ),
    "rows of clocks": Hot("metrics", metrics.READ_CLOCKS, ("ARRAY['clk_1','clk_2','none']",), CLOCKS),
    "stretches that go on": Hot(
        "metrics",
        metrics.READ_STRETCHES,
        ("ARRAY['acme','none']",),
        {
            "agent_stretch": {
                "workspace": "'acme'",
                "agent": "'agent-' || n % 10",
                "number": "n",
                "ended_at": "CASE WHEN n > 10 THEN now() END",
            }
        },
    ),
    "newest versions": Hot(
        "metrics",
        metrics.READ_NEWEST_VERSIONS,
        ("ARRAY['ws-1','ws-2','none']",),
        {"config_version": {"workspace": "'ws-' || n", "version": "1"}},
    ),
}


async def fill(db: Any, table: str, given: dict[str, str], first: int, last: int) -> None:
    """Rows n from `first` to `last`, whatever the columns that must have a value."""
    columns = await db.fetch(
        """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL
          AND is_identity = 'NO'
        """,
        table,
    )
    values = {row["column_name"]: FILL[row["data_type"]] for row in columns} | given
    await db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} "
        f"FROM generate_series({first}, {last}) AS n"
    )


async def blocks(db: Any, arguments: tuple[str, ...]) -> int:
    """How many blocks the prepared statement reads."""
    (row,) = await db.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE hot ({', '.join(arguments)})")
    plan = orjson.loads(row[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_plan_made_for_small_tables_reads_large_ones_by_key(installation: Installation, name: str) -> None:
    """Routing read the whole workspace for each batch of new tickets: 48 ms a call."""
    hot = STATEMENTS[name]
    db = await installation.connect(hot.service)
    try:
        if hot.by_key:
            for setting, value in BY_KEY.items():
                await db.execute("SELECT set_config($1, $2, false)", setting, value)
        for table, given in hot.tables.items():
            await db.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            await fill(db, table, given, 1, SMALL)
        for statement in hot.also:
            await db.execute(statement)
        await db.execute("SET plan_cache_mode = force_generic_plan")
        await db.execute(f"PREPARE hot AS {hot.statement}")
        small = max([await blocks(db, hot.arguments) for _ in range(3)])
        for table, given in hot.tables.items():
            await fill(db, table, given, SMALL + 1, LARGE)
        if not hot.by_key:
            await db.execute("SELECT pg_stat_force_next_flush()")
            await db.fetchval("SELECT 1")
            assert set(await analyse_grown(db)) >= hot.tables.keys()
        large = await blocks(db, hot.arguments)
        assert large <= small + hot.more_max, f"{small} blocks of small tables became {large}"
    finally:
        await db.close()


async def test_a_table_that_has_doubled_is_analysed_at_once(installation: Installation) -> None:
    db: asyncpg.Connection[asyncpg.Record] = await installation.connect("routing")
    try:
        await db.execute("ALTER TABLE ticket SET (autovacuum_enabled = false)")
        await db.execute("ANALYZE")
        for first, last in ((1, GREW_ROWS_MIN), (GREW_ROWS_MIN + 1, 3 * GREW_ROWS_MIN)):
            await fill(db, "ticket", TICKETS["ticket"], first, last)
            await db.execute("SELECT pg_stat_force_next_flush()")
            await db.fetchval("SELECT 1")
            assert "ticket" in await analyse_grown(db)
            assert await db.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'ticket'::regclass") == last
        await fill(db, "ticket", TICKETS["ticket"], 3 * GREW_ROWS_MIN + 1, 3 * GREW_ROWS_MIN + 100)
        await db.execute("SELECT pg_stat_force_next_flush()")
        assert "ticket" not in await analyse_grown(db), "a little more is no reason"
    finally:
        await db.close()
