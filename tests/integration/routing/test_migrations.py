"""What an installation had before an upgrade it has afterwards, in the new form."""

from importlib import import_module

import asyncpg
import pytest

from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack

STATEMENTS: tuple[str, ...] = import_module("pointsman_routing.migrations.versions.0002_told").STATEMENTS


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


async def test_the_last_messages_of_a_ticket_become_ids_and_bits(installation: Installation) -> None:
    db = await asyncpg.connect(installation.dsn)
    await db.execute("CREATE SCHEMA before; SET search_path = before")
    await db.execute("CREATE TABLE clock_fact (workspace text)")
    await db.execute("CREATE TABLE ticket (workspace text, id text, recent jsonb NOT NULL, tags text[] NOT NULL)")
    await db.execute("CREATE INDEX ticket_tags ON ticket USING gin (tags)")
    pairs = '[["m1", true], ["m2", false], ["m3", true], ["m4", true]]'
    await db.execute("INSERT INTO ticket VALUES ('acme', 't1', $1, '{vip}'), ('acme', 't2', '[]', '{}')", pairs)
    for statement in STATEMENTS:
        await db.execute(statement)
    rows = await db.fetch("SELECT id, recent, inbound FROM ticket ORDER BY id")
    assert [tuple(row) for row in rows] == [("t1", ["m1", "m2", "m3", "m4"], 0b1011), ("t2", [], 0)]
    await db.close()
