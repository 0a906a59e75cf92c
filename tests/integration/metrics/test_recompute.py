"""Rows are a function of the facts: however records are batched and lanes move, recomputing gives the same rows."""

from dataclasses import fields
from typing import Any

import pytest

from pointsman_metrics.fold.agent import Stretch
from pointsman_metrics.fold.clock import Clock
from pointsman_metrics.fold.ticket import Handling, Ticket, Unresolved
from tests.integration.metrics.folding import fold, many_lives

pytestmark = pytest.mark.stack

TABLES = {"ticket": Ticket, "clock": Clock, "handling": Handling, "unresolved": Unresolved, "agent_stretch": Stretch}


async def _rows(pool: Any) -> dict[str, list[Any]]:
    return {
        table: [tuple(row) for row in await pool.fetch(f"SELECT * FROM {table} ORDER BY {table}")] for table in TABLES
    }


async def test_the_same_facts_give_the_same_rows_however_they_are_batched(pool: Any) -> None:
    records = many_lives(60, seed=5)
    await fold(pool, records, batch_size=1_000)
    whole = await _rows(pool)
    assert len(whole["ticket"]) == 60
    for batch_size, restart_every in ((1, 3), (7, 0), (64, 1)):
        for table in TABLES:
            await pool.execute(f"DELETE FROM {table}")
        await fold(pool, records, batch_size=batch_size, restart_every=restart_every)
        assert await _rows(pool) == whole


@pytest.mark.parametrize(("table", "row"), TABLES.items())
async def test_a_tables_columns_are_its_rows_fields_in_order(pool: Any, table: str, row: type) -> None:
    columns = await pool.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum", table
    )
    assert [column["attname"] for column in columns] == [field.name for field in fields(row)]
