"""Every table says when its rows go, and they do: facts were only made by partition and nothing dropped them, outcomes
went slower than they came, and alerts' timelines and agents' states grew for ever."""

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from pointsman.runtime.maintenance import tidy
from pointsman.runtime.retention import ByDay, GoesWith, Stands, Swept, SweptBy, retention_of
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from pointsman_sla.settings import SlaSettings
from tests.integration.runtime.rows import a_row, count

pytestmark = pytest.mark.stack

SERVICES = sorted(installed_services())
TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition AND c.relname <> 'alembic_version'
"""


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def settings_of(installation: Installation, **changes: Any) -> RuntimeSettings:
    """Those of every service at once: sla's have all that retention asks for."""
    return SlaSettings(**{**installation.settings.model_dump(), **changes})


async def swept(installation: Installation, service: str, *, rows_at_once: int = 10_000, **changes: Any) -> Any:
    """(what one pass removed, a connection)."""
    pool = await asyncpg.create_pool(
        installation.settings.database, user=f"pointsman_{service}", password=installation.settings.database_password,
        server_settings={"search_path": service}, min_size=1, max_size=1,
    )  # fmt: skip
    try:
        return await tidy(pool, service, settings_of(installation, **changes), rows_at_once=rows_at_once)
    finally:
        await pool.close()


# -- the declarations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_declares_its_retention(installation: Installation, service: str) -> None:
    """A new table fails here until `retention.py` of its service says when its rows go."""
    db = await installation.connect(service)
    declared = [each.table for each in retention_of(service)]
    assert len(declared) == len(set(declared)), "each once"
    assert {row["relname"] for row in await db.fetch(TABLES)} == set(declared)
    await db.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_each_declaration_is_true(installation: Installation, service: str) -> None:
    db = await installation.connect(service)
    settings = settings_of(installation)
    declared = {each.table: each for each in retention_of(service)}
    for each in declared.values():
        if isinstance(each, Stands):
            assert len(each.bounded_by) > 5, each.table
        elif isinstance(each, SweptBy):
            assert f"DELETE FROM {each.table}" in inspect.getsource(import_module(each.module)), each.table
        elif isinstance(each, GoesWith):
            other = declared[each.other]
            assert isinstance(other, Swept)
            assert f"DELETE FROM {each.table} " in other.statement, each.table
        elif isinstance(each, ByDay):
            assert getattr(settings, each.days) > 0
        else:
            assert each.after
            prepared = await db.prepare(each.statement)
            assert len(prepared.get_parameters()) == (1 if each.days is None else 2), each.table
            assert each.days is None or getattr(settings, each.days) > 0
    await db.close()


# -- what every service has --------------------------------------------------------------------------------------------


async def test_all_old_outcomes_go_in_one_pass_however_many(installation: Installation) -> None:
    """A pass removed 20,000 at most, 33 a second: more came in than went."""
    db = await installation.connect("routing")
    await db.execute(
        """
        INSERT INTO outcome (id, status, at)
        SELECT 'old' || n, 200, now() - interval '25 hours' FROM generate_series(1, 50001) AS n
        UNION ALL SELECT 'new' || n, 200, now() - interval '23 hours' FROM generate_series(1, 7) AS n
        """
    )
    removed = await swept(installation, "routing", rows_at_once=5_000)
    assert removed["outcome"] == 50_001
    assert await count(db, "outcome") == 7
    await db.close()


async def test_what_every_service_keeps_ends(installation: Installation) -> None:
    db = await installation.connect("intake")
    for place, (days, state) in enumerate([(91, "replayed"), (89, "replayed"), (400, "open"), (731, "open")]):
        await a_row(db, "dead_letter", id=f"d{place}", state=state, at=ago(days), closed_at=ago(days))
    for place, days in enumerate((91, 89)):
        await a_row(db, "skipped", record_offset=place, at=ago(days))
    for place, hours in enumerate((26, 24)):
        await a_row(db, "asked", id=f"a{place}", at=ago(hours / 24))
        await a_row(db, "revoked_token", token_id=f"t{place}", expires_at=ago(hours / 24 - 0.05))
    for place, minutes in enumerate((11, 9)):
        await a_row(db, "worker", owner=f"w{place}", lease_until=ago(minutes / 1440))
    removed = await swept(installation, "intake")
    assert {table: removed[table] for table in ("dead_letter", "skipped", "asked", "revoked_token", "worker")} == {
        "dead_letter": 2, "skipped": 1, "asked": 1, "revoked_token": 1, "worker": 1,
    }  # fmt: skip
    assert {row["id"] for row in await db.fetch("SELECT id FROM dead_letter")} == {"d1", "d2"}
    await db.close()


async def make_day(db: Any, days: int, *, sent: int) -> str:
    day = ago(days).date()
    name = f"fact_{day:%Y%m%d}"
    await db.execute(
        f"CREATE TABLE {name} PARTITION OF fact FOR VALUES FROM ('{day}Z') TO ('{day + timedelta(days=1)}Z')"
    )
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    for number in (1, 2):
        await a_row(db, "fact", source=f"s{days}", partition=0, number=number, at=at, made_at=at)
    await a_row(db, "sent", source=f"s{days}", partition=0, cluster="c", number=sent)
    return name


async def test_days_of_facts_are_dropped_when_all_were_sent(installation: Installation) -> None:
    db = await installation.connect("routing")
    old, unsent, young = [await make_day(db, days, sent=sent) for days, sent in ((32, 2), (33, 1), (29, 2))]
    for number, days in ((1, 40), (2, 40), (3, 1)):
        await a_row(db, "fact", source="stray", partition=0, number=number, at=ago(days), made_at=ago(days))
    await a_row(db, "sent", source="stray", partition=0, cluster="c", number=1)
    with capture_logs() as logs:
        removed = await swept(installation, "routing", facts_days=30)
    assert removed["fact"] == 1
    (said,) = [line for line in logs if line.get("alarm")]
    assert (said["alarm"], said["partition"], said["source"]) == ("facts-unsent", unsent, "s33")
    left = {row["inhrelid"] for row in await db.fetch("SELECT inhrelid::regclass::text FROM pg_inherits")}
    assert {unsent, young} <= left
    assert old not in left
    assert await count(db, "fact", "source = 'stray'") == 2, "one of them was not sent, one is young"
    await db.close()


async def test_a_day_that_is_being_read_is_dropped_later_and_nobody_waits(installation: Installation) -> None:
    db, reader = await installation.connect("routing"), await installation.connect("routing")
    name = await make_day(db, 32, sent=2)
    async with reader.transaction():
        await reader.fetch(f"SELECT * FROM {name}")
        async with asyncio.timeout(10):
            assert "fact" not in await swept(installation, "routing", facts_days=30)
        await a_row(db, "fact", source="live", partition=0, number=1, at=ago(0), made_at=ago(0))
    assert (await swept(installation, "routing", facts_days=30))["fact"] == 1
    await db.close()
    await reader.close()


async def test_of_many_processes_one_sweeps_and_none_fails(installation: Installation) -> None:
    db = await installation.connect("sla")
    await db.execute(
        "INSERT INTO outcome (id, status, at) SELECT n::text, 200, now() - interval '2 days' "
        "FROM generate_series(1, 3000) AS n"
    )
    passes = await asyncio.gather(*(swept(installation, "sla", rows_at_once=100) for _ in range(8)))
    assert sum(each.get("outcome", 0) for each in passes) == 3_000
    assert await db.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                             "(SELECT oid FROM pg_database WHERE datname = current_database())") == 0  # fmt: skip
    await db.close()


# -- the services' own -------------------------------------------------------------------------------------------------

DAYS_KEPT = {"acme": 30, "globex": 730}


async def test_routing_forgets_closed_tickets_as_their_workspaces_say(installation: Installation) -> None:
    db = await installation.connect("routing")
    for workspace, days in DAYS_KEPT.items():
        document = f'{{"retention": {{"closed_tickets_days": {days}}}}}' if days != 730 else "{}"
        await a_row(db, "config_version", workspace=workspace, version=1, document=document)
        for id, state, closed in (("t1", "closed", 31), ("t2", "closed", 29), ("t3", "resolved", 40)):
            at = {"opened_at": ago(50), "closed_at": ago(closed)}
            await a_row(db, "ticket", workspace=workspace, id=id, state=state, **at)
            await a_row(db, "message", workspace=workspace, id=f"m{id}", ticket_id=id, direction="in")
            await a_row(db, "offer", workspace=workspace, id=f"o{id}", ticket_id=id, state="accepted")
            await a_row(db, "assignment", workspace=workspace, ticket_id=id)
            await a_row(db, "clock_fact", workspace=workspace, ticket_id=id, subject=id, change=int(id[1]))
        for change, days_ago in ((1, 50), (2, 40), (3, 31), (4, 10)):
            await a_row(db, "agent_state", workspace=workspace, agent="anna", change=change, at=ago(days_ago))
    removed = await swept(installation, "routing", rows_at_once=1)
    assert (removed["ticket"], removed["agent_state"]) == (1, 2)
    for table in ("ticket", "message", "offer", "assignment", "clock_fact"):
        assert await count(db, table, "workspace = 'acme'") == 2, table
        assert await count(db, table, "workspace = 'globex'") == 3, table
    kept = await db.fetch("SELECT change FROM agent_state WHERE workspace = 'acme' ORDER BY 1")
    assert [row["change"] for row in kept] == [3, 4], "how she stood before the first decision that is kept"
    await db.close()


async def test_sla_forgets_tickets_alerts_and_the_timelines_of_alerts_that_stay_open(
    installation: Installation,
) -> None:
    db = await installation.connect("sla")
    await a_row(db, "config_version", workspace="acme", version=1, body='{"retention": {"closed_tickets_days": 30}}')
    for id, phase, ended in (("t1", "closed", 31), ("t2", "closed", 29), ("t3", "resolved", 40)):
        await a_row(db, "ticket", workspace="acme", ticket_id=id, phase=phase, opened_at=ago(50))
        ends = {"ended_at": ago(ended), "state": "met"}
        await a_row(db, "clock", workspace="acme", clock_id=f"c{id}", ticket_id=id, **ends)
        await a_row(db, "timer", clock_id=f"c{id}")
    for id, state, resolved in (("a1", "resolved", 401), ("a2", "resolved", 399), ("a3", "firing", None)):
        at = None if resolved is None else ago(resolved)
        names = {"workspace": "acme", "severity": "breach", "queue": id, "state": state, "resolved_at": at}
        await a_row(db, "alert", alert_id=id, **names)
        for place, days in ((1, 500), (2, 300)):
            await a_row(db, "alert_clock", alert_id=id, clock_id=f"c{place}", left_at=ago(days))
            await a_row(db, "alert_event", alert_id=id, at=ago(days), kind="joined")
    await a_row(db, "silence", silence_id="s1", ended_at=ago(401))
    await a_row(db, "silence", silence_id="s2", ended_at=None)
    removed = await swept(installation, "sla", rows_at_once=2)
    assert (removed["ticket"], removed["alert"], removed["silence"]) == (1, 1, 1)
    for table in ("ticket", "clock", "timer"):
        assert await count(db, table) == 2, table
    for table in ("alert_clock", "alert_event"):
        rows = await db.fetch(f"SELECT alert_id FROM {table} ORDER BY 1")
        assert [row["alert_id"] for row in rows] == ["a2", "a3"], "what is younger, of those that are kept"
    await db.close()


async def test_metrics_forgets_what_reports_reach_back_to_no_more(installation: Installation) -> None:
    db = await installation.connect("metrics")
    await a_row(db, "config_version", workspace="acme", version=1, closed_tickets_days=30)
    for id, state, closed in (("t1", "closed", 31), ("t2", "closed", 29), ("t3", "assigned", None)):
        ended = None if closed is None else ago(closed)
        at = {"opened_at": ago(50), "closed_at": ended}
        await a_row(db, "ticket", workspace="acme", ticket_id=id, state=state, **at)
        for table in ("handling", "unresolved"):
            await a_row(db, table, workspace="acme", ticket_id=id, number=1)
        await a_row(db, "clock", workspace="acme", clock_id=f"c{id}", ticket_id=id)
        await a_row(db, "agent_stretch", workspace="acme", agent=id, ended_at=ended)
    removed = await swept(installation, "metrics")
    assert removed == {"ticket": 1, "agent_stretch": 1}
    for table in ("ticket", "handling", "unresolved", "clock", "agent_stretch"):
        assert await count(db, table) == 2, table
    await db.close()


async def test_intake_forgets_what_was_said_on_closed_tickets(installation: Installation) -> None:
    db = await installation.connect("intake")
    await a_row(db, "config", workspace="acme", version=1, closed_tickets_days=30)
    for id, came, closed in (("t1", 31, True), ("t2", 29, True), ("t3", 40, False)):
        names = {"workspace": "acme", "connector": "mail", "thread": f"th{id}", "ticket_id": id}
        await a_row(db, "thread", closed=closed, **names)
        await a_row(db, "message", id=f"m{id}", external_id=id, received_at=ago(came), **names)
        await a_row(db, "delivery", id=id, state="sent", created_at=ago(came), **names)
        await a_row(db, "attachment", workspace="acme", id=id, created_at=ago(came))
    waiting = {"workspace": "acme", "connector": "mail", "thread": "tht1", "ticket_id": "t1"}
    await a_row(db, "delivery", id="w", state="queued", created_at=ago(40), **waiting)
    await a_row(db, "quarantine", workspace="acme", id="q1", source="hook", state="discarded", closed_at=ago(91))
    await a_row(db, "quarantine", workspace="acme", id="q2", source="hook", state="open", at=ago(91))
    removed = await swept(installation, "intake")
    assert removed == {"message": 1, "delivery": 1, "attachment": 2, "quarantine": 1}
    assert {row["ticket_id"] for row in await db.fetch("SELECT ticket_id FROM thread")} == {"t2", "t3"}
    assert {row["ticket_id"] for row in await db.fetch("SELECT ticket_id FROM message")} == {"t2", "t3"}
    assert {row["id"] for row in await db.fetch("SELECT id FROM delivery")} == {"t2", "t3", "w"}
    await db.close()
