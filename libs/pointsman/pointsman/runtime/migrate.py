"""Migrations: one schema and one role per service, brought to the code's revision with Alembic at start.

A service's revisions are `pointsman_<service>/migrations/versions/NNNN_*.py`, plain `op.execute` of one statement each;
the first calls `create_runtime_tables`. They run as the service's own role with its schema as `search_path`, so that
everything they make belongs to it, and no role has a grant on another's schema.

A schema that has the newest revision is left without Alembic (pointsman.runtime.applying), whose loading takes longer
than all else that a migration does: what starts finds it so nearly always.
"""

from typing import Protocol

import asyncpg

from pointsman.runtime.ddl import (
    AFTER_PARTS_V5,
    LEASES_V4,
    POSITIONS_V2,
    PROCESSES_V3,
    RUNTIME_TABLES_V1,
    SECRET_TABLE_V1,
)
from pointsman.runtime.login import Login, login
from pointsman.runtime.revisions import (
    MIGRATION_KEY,
    MigrationFailed,
    due_after_parts,
    migrations_of,
    revision_of,
    revisions_in,
)


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


def create_after_parts(op: Operations) -> None:
    """The after-parts of revisions, fifth form. From this revision on a before-part only adds."""
    for statement in AFTER_PARTS_V5:
        op.execute(statement)


def create_secret_table(op: Operations) -> None:
    """The table of a service that keeps secrets (pointsman.runtime.secret_store), first form."""
    op.execute(SECRET_TABLE_V1)


async def migrate(
    admin: Login | str, service: str, package: str, *, password: str | None = None, after: bool = False
) -> str | None:
    """Brings the service's schema to the newest revision that its package knows; the revision that it is at, which may
    be a newer one that this release works with; None when the package has no migrations.

    `admin` is a role that may create roles and schemas; `password` becomes that of `pointsman_<service>`
    (None leaves it as it is). `after`: the after-parts that are due, too. Safe when several processes start at once.
    Raises `MigrationFailed` when this release cannot work with a newer schema, when a process of an older release has
    need of what an after-part takes away (the before-parts are applied then), or when tables stay in use.
    """
    try:
        folder = migrations_of(package)
    except ModuleNotFoundError as error:
        raise MigrationFailed(str(error)) from error
    who = (login(admin) if isinstance(admin, str) else admin).arguments
    connection = await asyncpg.connect(**who)
    try:
        await _prepare(connection, service, password)
        if folder is None:
            return None
        revision = await revision_of(connection, service)
        is_done = revision in revisions_in(folder)[-1:] and not (after and await due_after_parts(connection, service))
    finally:
        await connection.close()
    if is_done:
        return revision
    from pointsman.runtime.applying import bring_on

    return await bring_on(who, service, folder, after=after)


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]", service: str, password: str | None) -> None:
    role = f"pointsman_{service}"
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_KEY)
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
