"""Revisions are applied to a service's schema with Alembic, which is loaded only when there is something to do.

All before-parts are one transaction, and so are all after-parts (pointsman.runtime.after_parts). A new schema gets both
in one. A statement that waits for a table which is being used gives up soon, since everybody else who wants the table
waits behind it; then the transaction is tried again.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pointsman.runtime.after_parts import note_after_parts, run_after_parts
from pointsman.runtime.revisions import MIGRATION_KEY, MigrationFailed, unknown_to

log = structlog.get_logger(__name__)

LOCK_WAIT_MS = 1_000
"""A statement waits so long for a table: processes give up after two seconds (pointsman.runtime.database)."""
BUSY_SECONDS = 60.0
"""So long a transaction that met tables in use is tried again."""
PAUSE_SECONDS = 0.5
_BUSY = {"55P03", "40P01"}
"""The states of a lock that was not had in time, and of a deadlock."""

T = TypeVar("T")


async def bring_on(who: dict[str, Any], service: str, folder: Path, *, after: bool) -> str | None:
    """Applies the before-parts that the schema lacks, and `after` the after-parts that are due; the schema's revision.

    `who` are the administrator's arguments of a connection. Raises `MigrationFailed`.
    """
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def before(connection: Connection) -> str | None:
        return _upgrade(connection, service, config, script)

    def rest(connection: Connection) -> None:
        _act_for(connection, service)
        run_after_parts(connection, service, script)

    # asyncpg reads the address itself: its parameters (sslmode, …) and PGPASSWORD are libpq's, not SQLAlchemy's.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(**who))
    try:
        revision = await _in_transaction(engine, service, before)
        if after:
            await _in_transaction(engine, service, rest)
        return revision
    finally:
        await engine.dispose()


async def _in_transaction(engine: AsyncEngine, service: str, work: Callable[[Connection], T]) -> T:
    """The work in a transaction, tried again as long as it meets tables in use."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            async with engine.begin() as transaction:
                return await transaction.run_sync(work)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _BUSY:
                raise
            if time.monotonic() > deadline:
                raise MigrationFailed(
                    f"the tables of {service} stayed in use for {BUSY_SECONDS:g} s; nothing was changed, so try again "
                    f"when less is read: {str(error.orig).splitlines()[0]}"
                ) from error
            log.info("tables are in use: tried again", service=service)
        await asyncio.sleep(PAUSE_SECONDS)


def _act_for(connection: Connection, service: str) -> None:
    """Alone, and as the service."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_KEY})
    connection.execute(text(f'SET LOCAL ROLE "pointsman_{service}"'))
    connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))


def _upgrade(connection: Connection, service: str, config: Config, script: ScriptDirectory) -> str | None:
    _act_for(connection, service)
    heads = MigrationContext.configure(connection, opts={"version_table_schema": service}).get_current_heads()
    known = tuple(each.revision for each in script.walk_revisions())
    for current in heads:
        if current not in known:
            _refuse_if_past(connection, service, current, known)
            return current

    def steps(revision: object, _: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # what alembic.command.upgrade passes

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True, version_table_schema=service)
        environment.run_migrations()
    note_after_parts(connection, script)
    if not heads:
        run_after_parts(connection, service, script)
    return script.get_current_head()


def _refuse_if_past(connection: Connection, service: str, current: str, known: tuple[str, ...]) -> None:
    """Raises `MigrationFailed` when the newer schema is one that this release cannot work with."""
    if connection.scalar(text("SELECT to_regclass('after_part')")) is not None:
        done = connection.scalars(text("SELECT revision FROM after_part WHERE done_at IS NOT NULL ORDER BY 1"))
        if not unknown_to(known, list(done)):
            return
    raise MigrationFailed(
        f"the schema {service} is at revision {current}, which this version of Pointsman does not know "
        f"(it knows {known[0]} as the newest): start the newer version, or restore a backup"
    )
