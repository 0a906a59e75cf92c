"""What an installation had before an upgrade it has afterwards, in the new form."""

from importlib import import_module
from typing import Any

import asyncpg
import pytest

from pointsman.testing.installation import Installation
from pointsman_intake.accept.customers import Customers
from pointsman_intake.accept.gather import gather
from pointsman_intake.model import Inbound, Person
from tests.integration.intake.test_accepting import NOW, a_message

pytestmark = pytest.mark.stack

FIRST: tuple[str, ...] = import_module("pointsman_intake.migrations.versions.0001_intake").TABLES


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


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


async def test_ids_from_before_are_their_connectors_and_whoever_comes_first_is_meant(
    installation: Installation,
) -> None:
    db = await an_old_schema(installation)
    for id in ("cus_1", "cus_2"):
        await db.execute("INSERT INTO customer VALUES ('acme', $1, 'Ada', NULL, NULL, NULL, NULL, 1, now(), now())", id)
    known = [("id", "u1", "cus_1"), ("email", "ada@example.com", "cus_1"), ("handle", "bo", "cus_2")]
    for row in known:
        await db.execute("INSERT INTO identity VALUES ('acme', $1, $2, $3)", *row)
    for connector in ("site-chat", "plain"):
        await db.execute("INSERT INTO thread VALUES ('acme', $1, 't', 'tkt', 'cus_1', 1)", connector)
    await db.execute("ALTER TABLE thread ADD COLUMN recipient jsonb")
    for name in ("0008_taking_part", "0009_places", "0011_acquaintance"):
        await upgrade(db, name)

    async def who(message: Inbound) -> str | None:
        customers = Customers(await gather(db, [message]))
        chosen = customers.choose(message, f"cus_new_{message.external_id}")
        await customers.write(db, NOW)
        return chosen

    def by(external_id: str, connector: str = "site-chat", **person: str) -> Inbound:
        return a_message(external_id, connector=connector, person=Person(**person))

    assert await who(by("m1", id="U1")) == "cus_1"
    assert await who(by("m2", id="u1")) == "cus_new_m2"
    assert await who(by("m3", id="U1")) == "cus_1"
    assert await who(by("m4", connector="plain", id="u1")) == "cus_1"
    assert await who(by("m5", connector="plain", id="U1")) == "cus_new_m5"
    assert await who(by("m6", connector="elsewhere", id="u1")) == "cus_new_m6"
    assert await who(by("m7", connector="elsewhere", email="ADA@example.com")) == "cus_1"
    assert await who(by("m8", connector="elsewhere", handle="Bo")) == "cus_2", "of no connector: anybody's"
    assert await who(by("m9", connector="plain", handle="bo")) == "cus_new_m9"
    await db.close()
