"""Which revisions of a service's schema this release knows, and whether it may work with the schema as it is.

A release works with a schema that has all its revisions, and with a newer one as long as no *after-part* was run that
it does not know: the before-parts of newer revisions only add (see pointsman.runtime.after_parts). Every session asks
when it begins, so that no process of an older release ever writes to a schema that has gone past it.
"""

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import asyncpg

MIGRATION_KEY = 0x706F696E  # "poin"
"""The advisory lock that one migration at a time holds."""
AFTER_PARTS_KEY = "hashtextextended('pointsman.after_parts.' || current_schema(), 0)"
"""The advisory lock that who runs after-parts holds. Who begins a session waits for it, and looks then."""

_WAIT = f"SELECT pg_advisory_xact_lock_shared({AFTER_PARTS_KEY})"
_STATE = """
    SELECT (SELECT version_num FROM alembic_version) AS revision,
           ARRAY(SELECT revision FROM after_part WHERE done_at IS NOT NULL ORDER BY revision) AS done
"""


class MigrationFailed(RuntimeError):
    """The schema cannot be brought to the code's revision: why, in one line."""


class SchemaUnfit(ConnectionError):
    """This release cannot work with the schema as it is: why, in one line. No session of it begins there."""


@cache
def installed_services() -> dict[str, str]:
    """Service → package, of the services installed here (those with an HTTP app)."""
    return {entry.name: entry.value.partition(".")[0] for entry in entry_points(group="pointsman.apps")}


def migrations_of(package: str) -> Path | None:
    """The folder of a package's migrations; None when it has none. Raises `ModuleNotFoundError`."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {package} is not installed")
    folder = Path(found.origin).parent / "migrations"
    return folder if (folder / "versions").is_dir() else None


def revisions_in(folder: Path) -> tuple[str, ...]:
    """The revisions of a folder of migrations, the oldest first: what their files' names begin with."""
    return tuple(sorted(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py")))


@cache
def known_revisions(service: str) -> tuple[str, ...]:
    """The revisions that this release has of a service's schema, the oldest first; none of a service that is not
    installed."""
    package = installed_services().get(service)
    folder = None if package is None else migrations_of(package)
    return () if folder is None else revisions_in(folder)


async def refuse_unfit_schema(session: Any, service: str) -> None:
    """Raises `SchemaUnfit` when this release cannot work with the schema that the session is in."""
    known = known_revisions(service)
    if not known:
        return
    await session.execute(_WAIT)
    try:
        state = await session.fetchrow(_STATE)
    except asyncpg.UndefinedTableError as error:
        raise SchemaUnfit(_too_old(service, "none of this version's", known)) from error
    if state["revision"] is None or (state["revision"] in known and state["revision"] != known[-1]):
        raise SchemaUnfit(_too_old(service, state["revision"] or "none", known))
    if past := unknown_to(known, state["done"]):
        raise SchemaUnfit(
            f"the schema {service} went past what this version works with (it knows {known[-1]} as the newest "
            f"revision; the after-part of {past[-1]} was run): start the newer version, or restore a backup"
        )


async def revision_of(admin: Any, service: str) -> str | None:
    """The revision that a service's schema is at; None when it has none yet."""
    async with _as_service(admin, service):
        if await admin.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await admin.fetchval("SELECT version_num FROM alembic_version")
        return revision


async def due_after_parts(admin: Any, service: str) -> list[str]:
    """The revisions of a service's schema whose after-parts are due, the oldest first."""
    async with _as_service(admin, service):
        if await admin.fetchval("SELECT to_regclass('after_part')") is None:
            return []
        rows = await admin.fetch("SELECT revision FROM after_part WHERE done_at IS NULL ORDER BY 1")
        return [row["revision"] for row in rows]


@asynccontextmanager
async def _as_service(admin: Any, service: str) -> AsyncIterator[None]:
    """A transaction of the administrator's session as the service's role, in its schema."""
    async with admin.transaction():
        await admin.execute(f'SET LOCAL ROLE "pointsman_{service}"')
        await admin.execute(f'SET LOCAL search_path TO "{service}"')
        yield


def unknown_to(known: tuple[str, ...], done: list[str]) -> list[str]:
    """The after-parts that were run and that a release which knows these revisions does not know."""
    return [revision for revision in done if revision not in known]


def _too_old(service: str, revision: str, known: tuple[str, ...]) -> str:
    return f"the schema {service} is at revision {revision}, this version needs {known[-1]}: run `pointsman migrate`"
