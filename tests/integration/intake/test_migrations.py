"""What an installation had before an upgrade it has afterwards, in the new form."""

from importlib import import_module
from typing import Any

import asyncpg
import pytest

from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack

FIRST: tuple[str, ...] = import_module("pointsman_intake.migrations.versions.0001_intake").TABLES


async def an_old_schema(installation: Installation) -> Any:
    """A connection to the tables as the first release made them."""
    db = await asyncpg.connect(installation.dsn)
    await db.execute("CREATE SCHEMA before; SET search_path = before")
    for statement in FIRST:
        await db.execute(statement)
    return db


async def upgrade(db: Any, name: str) -> None:
    for statement in import_module(f"pointsman_intake.migrations.versions.{name}").STATEMENTS:
        await db.execute(statement)


async def test_who_wrote_or_was_copied_takes_part_in_conversations_from_before(installation: Installation) -> None:
    db = await an_old_schema(installation)
    await db.execute("ALTER TABLE thread ADD COLUMN recipient jsonb")
    body = '{"customer": {"email": "Ada@Example.com"}, "to": ["help@acme.example"], "cc": ["bo@example.com"]}'
    values = "('acme', 'mail', $1, $1, 'tkt', 'a@x', 1, 'h', $2, NULL, $3, now())"
    await db.execute(f"INSERT INTO message VALUES {values}", "m1", "a@x", body)
    await db.execute(f"INSERT INTO message VALUES {values}", "m2", None, body.replace("Ada", "chat"))
    reply = """INSERT INTO delivery (workspace, id, connector, thread, ticket_id, customer_id, push, body, external_id,
                                     due_at, created_at, updated_at)
               VALUES ('acme', $1, 'mail', 'a@x', 'tkt', 'cus', false, $2, $3, now(), now(), now())"""
    await db.execute(reply, "r1", '{"cc": ["Cy@example.com"]}', "<out@acme.example>")
    await db.execute(reply, "r2", "{}", None)
    started = "('acme', 'mail', 'tkt_1', 'tkt_1', 'cus', 0, -1, NULL, false, '{\"email\": \"di@example.com\"}')"
    await db.execute(f"INSERT INTO thread VALUES {started}")
    await upgrade(db, "0008_taking_part")
    rows = await db.fetch("SELECT thread, address FROM participant ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        ("a@x", "ada@example.com"),
        ("a@x", "bo@example.com"),
        ("a@x", "cy@example.com"),
        ("a@x", "help@acme.example"),
        ("tkt_1", "di@example.com"),
    ]
    names = await db.fetch("SELECT reference, message_id FROM sent_as")
    assert [tuple(row) for row in names] == [("out@acme.example", "r1")]
    await db.close()
