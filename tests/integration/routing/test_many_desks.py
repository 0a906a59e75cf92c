"""What a commit and a new ticket cost does not grow with what they do not concern."""

from typing import Any

import pytest

from pointsman.runtime.database import open_pool
from pointsman.testing.installation import Installation
from pointsman_routing import gathering
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state.desk import Desk
from tests.integration.routing.test_audit import a_desk

pytestmark = pytest.mark.stack

TICKETS = 20_000


async def test_a_commit_looks_only_at_the_desks_that_its_batch_touched(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand idle workspaces made each batch 2 ms longer."""
    looked_at: list[str] = []
    committed = Desk.committed

    def counting(desk: Desk) -> None:
        looked_at.append(desk.workspace)
        committed(desk)

    async with a_desk(installation) as driver:
        for number in range(1000):
            name = f"idle-{number}"
            driver.state.desks[name] = Desk(
                name, driver.journal, driver.timers, driver.desk.classifier, IndexedMatcher()
            )
        monkeypatch.setattr(Desk, "committed", counting)
        driver.say("tkt_1")
        await driver.write()
        assert looked_at == ["acme"]
        assert driver.desk.changes.tickets == {}, "what was written is written once"


async def test_a_customer_who_never_had_an_agent_is_not_looked_for_in_all_their_tickets(
    installation: Installation,
) -> None:
    pool = await open_pool(installation.settings, "routing", size=1)
    async with a_desk(installation) as driver:
        driver.say("tkt_model")
        await driver.write()
    async with pool.acquire() as db:
        columns = await _columns(db)
        others = ", ".join(name for name in columns if name not in ("id", "customer_id"))
        await db.execute(
            f"""
            INSERT INTO ticket (id, customer_id, {others})
            SELECT 'tkt_' || number, 'faithful', {others} FROM ticket, generate_series(1, {TICKETS}) AS number
            WHERE id = 'tkt_model'
            """
        )
        assert await db.fetchval("SELECT count(*) FROM ticket WHERE last_agent IS NOT NULL") == 0
        blocks = await _blocks_read(db, gathering.LAST_AGENTS, ["acme"], ["faithful"])
        assert blocks < 20
    await pool.close()


async def _columns(db: Any) -> list[str]:
    rows = await db.fetch(
        """
        SELECT attname FROM pg_attribute
        WHERE attrelid = 'ticket'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        """
    )
    return [row["attname"] for row in rows]


async def _blocks_read(db: Any, statement: str, *arguments: Any) -> int:
    plan = (await db.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments))[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
