"""Migrations: a schema and a role a service; safe to start together; a newer schema is refused."""

import asyncio
import os
import sys

import asyncpg
import pytest
from tests.integration.stack.depot import SERVICE, Depot

from pointsman.local import Postgres
from pointsman.runtime.migrate import migrate
from pointsman.runtime.revisions import MigrationFailed

pytestmark = pytest.mark.stack


async def test_what_it_makes_belongs_to_the_services_role_and_schema(database: str, depot: Depot) -> None:
    assert await migrate(database, SERVICE, "pointsman_depot") == "0001"
    connection = await asyncpg.connect(database)
    owners = await connection.fetch(
        "SELECT DISTINCT schemaname, tableowner FROM pg_tables WHERE tablename = ANY($1)",
        ["lane", "fact", "alembic_version"],
    )
    await connection.close()
    assert [tuple(row) for row in owners] == [("depot", "pointsman_depot")]


async def test_it_goes_on_from_where_the_schema_is(database: str, depot: Depot) -> None:
    await migrate(database, SERVICE, "pointsman_depot")
    depot.add("0002", "0001", 'op.execute("CREATE TABLE shed (one int)")')
    assert await migrate(database, SERVICE, "pointsman_depot") == "0002"
    assert await migrate(database, SERVICE, "pointsman_depot") == "0002"


async def test_a_schema_that_is_up_to_date_is_left_without_loading_what_migrates(database: str, depot: Depot) -> None:
    await migrate(database, SERVICE, "pointsman_depot")
    program = (
        "import asyncio, sys; from pointsman.runtime.migrate import migrate; "
        f"print(asyncio.run(migrate({database!r}, {SERVICE!r}, 'pointsman_depot')), 'alembic' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(depot.folder)}
    command = (sys.executable, "-c", program)
    ran = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _ = await ran.communicate()
    assert said.decode().split() == ["0001", "False"]


async def test_processes_that_start_together_migrate_once(database: str, depot: Depot) -> None:
    assert await asyncio.gather(*(migrate(database, SERVICE, "pointsman_depot") for _ in range(6))) == ["0001"] * 6


async def test_a_failing_step_leaves_the_schema_as_it_was(database: str, depot: Depot) -> None:
    await migrate(database, SERVICE, "pointsman_depot")
    depot.add("0002", "0001", 'op.execute("CREATE TABLE shed (one int)"); op.execute("SELECT 1 / 0")')
    with pytest.raises(Exception, match="division by zero"):
        await migrate(database, SERVICE, "pointsman_depot")
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT version_num FROM depot.alembic_version") == "0001"
    assert await connection.fetchval("SELECT to_regclass('depot.shed')") is None
    await connection.close()


async def test_a_schema_newer_than_the_code_is_refused(database: str, depot: Depot) -> None:
    depot.add("0002", "0001", 'op.execute("CREATE TABLE shed (one int)")')
    await migrate(database, SERVICE, "pointsman_depot")
    depot.remove("0002")
    with pytest.raises(
        MigrationFailed, match=r"schema depot is at revision 0002, .* does not know .*0001 as the newest"
    ):
        await migrate(database, SERVICE, "pointsman_depot")


async def test_a_role_without_superuser_rights_can_migrate(postgres: Postgres, database: str, depot: Depot) -> None:
    admin = await asyncpg.connect(database)
    await admin.execute("CREATE ROLE migrator LOGIN CREATEROLE PASSWORD 'm'")
    await admin.execute(f'GRANT CREATE ON DATABASE "{database.rpartition("/")[2]}" TO migrator')
    dsn = database.replace(f"pointsman:{postgres.password}@", "migrator:m@")
    assert await migrate(dsn, SERVICE, "pointsman_depot", password="p") == "0001"
    await admin.execute("DROP SCHEMA depot CASCADE")
    await admin.execute("DROP OWNED BY migrator; DROP ROLE pointsman_depot; DROP ROLE migrator")
    await admin.close()
