"""After each before-part a schema has all that the older release uses, and whatever way it came, it ends the same."""

from importlib import import_module
from pathlib import Path
from shutil import copyfile

import asyncpg
import pytest
from tests.integration.stack.depot import PACKAGE, SERVICE, Depot
from tests.integration.stack.shape import Shape, felt, shape_of
from tests.unit.house.test_revisions import FIRST_OF_THE_RULE

from pointsman.local import Postgres
from pointsman.runtime.migrate import migrate

pytestmark = pytest.mark.stack


async def the_shape(database: str) -> Shape:
    admin = await asyncpg.connect(database)
    try:
        return await shape_of(admin, SERVICE)
    finally:
        await admin.close()


@pytest.mark.parametrize("service", sorted(FIRST_OF_THE_RULE))
async def test_each_before_part_leaves_what_the_older_release_uses_and_all_ways_end_the_same(
    service: str, postgres: Postgres, database: str, depot: Depot
) -> None:
    """The service's revisions are applied to the depot's schema one after another, as releases would."""
    folder = Path(str(import_module(f"pointsman_{service}.migrations.versions").__file__)).parent
    files = sorted(folder.glob("[0-9]*.py"))
    depot.remove("0001")
    before = [path for path in files if path.name[:4] < FIRST_OF_THE_RULE[service]]
    for path in before:
        copyfile(path, depot.versions / path.name)
    stepped = f"{database}_stepped"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f"CREATE DATABASE {stepped.rpartition('/')[2]}")
    try:
        for each in (database, stepped):
            await migrate(each, SERVICE, PACKAGE)
        for path in files[len(before) :]:
            older = await the_shape(database)
            copyfile(path, depot.versions / path.name)
            await migrate(database, SERVICE, PACKAGE)
            assert felt(older, await the_shape(database)) == [], path.name
            await migrate(stepped, SERVICE, PACKAGE, after=True)
        await migrate(database, SERVICE, PACKAGE, after=True)
        upgraded = await the_shape(database)
        assert upgraded == await the_shape(stepped), "all before-parts and then all after-parts, or one by one"
        superuser = await asyncpg.connect(database)
        await superuser.execute(f"DROP SCHEMA {SERVICE} CASCADE")
        await superuser.close()
        await migrate(database, SERVICE, PACKAGE)
        assert upgraded == await the_shape(database), "as a new installation has it"
    finally:
        await admin.execute(f"DROP DATABASE {stepped.rpartition('/')[2]} WITH (FORCE)")
        await admin.close()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE worker", "worker is gone or another"),
        ("ALTER TABLE worker DROP COLUMN owner_key", "worker.owner_key is gone"),
        ("ALTER TABLE worker RENAME COLUMN owner_key TO key", "worker.owner_key is gone"),
        ("ALTER TABLE worker ALTER COLUMN owner_key TYPE numeric", "worker.owner_key is made or typed otherwise"),
        ("ALTER TABLE dead_letter ALTER COLUMN state DROP DEFAULT", "dead_letter.state is made or typed otherwise"),
        ("ALTER TABLE dead_letter ALTER COLUMN key SET NOT NULL", "dead_letter.key is null otherwise"),
        ("ALTER TABLE worker ADD COLUMN place text NOT NULL", "worker.place must be given"),
        ("ALTER TABLE worker ADD CHECK (owner_key > 0)", "worker: CHECK ((owner_key > 0))"),
        ("CREATE UNIQUE INDEX one ON worker (owner_key)", "worker: CREATE UNIQUE INDEX ON"),
        ("ALTER TABLE outcome DROP CONSTRAINT outcome_pkey", "outcome: CREATE UNIQUE INDEX ON"),
    ],
)
async def test_what_would_be_felt_is_seen(statement: str, told: str, database: str, depot: Depot) -> None:
    await migrate(database, SERVICE, PACKAGE)
    older = await the_shape(database)
    admin = await asyncpg.connect(database, server_settings={"search_path": SERVICE})
    await admin.execute(statement)
    await admin.close()
    assert any(line.startswith(told) for line in felt(older, await the_shape(database)))


async def test_what_only_adds_is_felt_by_nobody(database: str, depot: Depot) -> None:
    await migrate(database, SERVICE, PACKAGE)
    older = await the_shape(database)
    admin = await asyncpg.connect(database, server_settings={"search_path": SERVICE})
    await admin.execute(
        """
        CREATE TABLE shed (one int PRIMARY KEY CHECK (one > 0)); CREATE INDEX worker_key ON worker (owner_key);
        ALTER TABLE worker ADD COLUMN place text, ADD COLUMN size int NOT NULL DEFAULT 0
        """
    )
    await admin.close()
    assert felt(older, await the_shape(database)) == []
