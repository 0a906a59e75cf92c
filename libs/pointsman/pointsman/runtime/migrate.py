"""Migrations: one schema and one role per service, brought to the code's revision with Alembic at start.

A service's revisions are `pointsman_<service>/migrations/versions/NNNN_*.py`, plain `op.execute` of one statement each;
the first calls `create_runtime_tables`. They run in one transaction as the service's own role with its schema as
`search_path`, so that everything they make belongs to it, and no role has a grant on another's schema.

A schema that has the newest revision is left without Alembic, whose loading takes longer than all else that a migration
does: what starts finds it so nearly always.
"""

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg

from pointsman.runtime.ddl import LEASES_V4, POSITIONS_V2, PROCESSES_V3, RUNTIME_TABLES_V1, SECRET_TABLE_V1
from pointsman.runtime.login import Login, login

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection

_LOCK = 0x706F696E  # "poin": the key of the advisory lock that one migration at a time holds.


class MigrationFailed(RuntimeError):
    """The schema cannot be brought to the code's revision: why, in one line."""


class Operations(Protocol):
    """Alembic's `op`, as far as revisions need it."""

    def execute(self, statement: str) -> object: ...


def create_runtime_tables(op: Operations) -> None:
    """The runtime's tables, first form: what each service's revision 0001 begins with."""
    for statement in RUNTIME_TABLES_V1:
        op.execute(statement)


def count_what_positions_pass(op: Operations) -> None:
    """Positions that count the records decided, second form."""
    for statement in POSITIONS_V2:
        op.execute(statement)


def count_restarts(op: Operations) -> None:
    """The table of processes and their restarts, third form."""
    for statement in PROCESSES_V3:
        op.execute(statement)


def part_leases(op: Operations) -> None:
    """Leases in tables of their own, fourth form."""
    for statement in LEASES_V4:
        op.execute(statement)


def create_secret_table(op: Operations) -> None:
    """The table of a service that keeps secrets (pointsman.runtime.secret_store), first form."""
    op.execute(SECRET_TABLE_V1)


def installed_services() -> dict[str, str]:
    """Service → package, of the services installed here (those with an HTTP app)."""
    return {entry.name: entry.value.partition(".")[0] for entry in entry_points(group="pointsman.apps")}


async def migrate(admin: Login | str, service: str, package: str, *, password: str | None = None) -> str | None:
    """Brings the service's schema to the newest revision that its package knows; that revision, or None when the
    package has no migrations.

    `admin` is a role that may create roles and schemas; `password` becomes that of `pointsman_<service>`
    (None leaves it as it is). Safe when several processes start at once. Raises `MigrationFailed` when the schema is
    newer than the code.
    """
    folder = _migrations_of(package)
    who = (login(admin) if isinstance(admin, str) else admin).arguments
    connection = await asyncpg.connect(**who)
    try:
        await _prepare(connection, service, password)
        if folder is None:
            return None
        revision = await _revision_of(connection, service)
    finally:
        await connection.close()
    return revision if revision == _newest_of(folder) else await _bring_on(who, service, folder)


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]", service: str, password: str | None) -> None:
    role = f"pointsman_{service}"
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            try:
                async with connection.transaction():
                    await connection.execute(f'CREATE ROLE "{role}" LOGIN')
            except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                pass  # Roles are the server's: a migration of another database made it just now.
        if password is not None:
            quoted = await connection.fetchval("SELECT quote_literal($1)", password)
            await connection.execute(f'ALTER ROLE "{role}" PASSWORD {quoted}')
        if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            await connection.execute(f'GRANT "{role}" TO CURRENT_USER')
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{service}" AUTHORIZATION "{role}"')


def _migrations_of(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise MigrationFailed(f"the package {package} is not installed")
    folder = Path(found.origin).parent / "migrations"
    return folder if (folder / "versions").is_dir() else None


def _newest_of(folder: Path) -> str | None:
    """The newest revision's number, from the names of the files."""
    return max((path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py")), default=None)


async def _revision_of(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> str | None:
    """The schema's revision; None when it has none yet."""
    async with connection.transaction():
        await connection.execute(f'SET LOCAL ROLE "pointsman_{service}"')
        if await connection.fetchval("SELECT to_regclass($1)", f'"{service}".alembic_version') is None:
            return None
        revision: str | None = await connection.fetchval(f'SELECT version_num FROM "{service}".alembic_version')
        return revision


async def _bring_on(who: dict[str, Any], service: str, folder: Path) -> str | None:
    """Brings the schema to the newest revision; that revision."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy.ext.asyncio import create_async_engine

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    # asyncpg reads the address itself: its parameters (sslmode, …) and PGPASSWORD are libpq's, not SQLAlchemy's.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(**who))
    try:
        async with engine.begin() as transaction:
            return await transaction.run_sync(_upgrade, service, config, script)
    finally:
        await engine.dispose()


def _upgrade(connection: "Connection", service: str, config: "Config", script: "ScriptDirectory") -> str | None:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError
    from sqlalchemy import text

    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text(f'SET LOCAL ROLE "pointsman_{service}"'))
    connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
    for current in MigrationContext.configure(connection, opts={"version_table_schema": service}).get_current_heads():
        try:
            script.get_revision(current)
        except (CommandError, ResolutionError) as error:
            raise MigrationFailed(
                f"the schema {service} is at revision {current}, which this version of Pointsman does not know "
                f"(it knows {script.get_current_head()} as the newest): start the newer version, or restore a backup"
            ) from error

    def steps(revision: object, _: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # what alembic.command.upgrade passes

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True, version_table_schema=service)
        environment.run_migrations()
    return script.get_current_head()
