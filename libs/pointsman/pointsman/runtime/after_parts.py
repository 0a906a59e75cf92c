"""What an upgrade does only when no process of the older release runs any more.

A revision has two parts. `upgrade()` is its *before-part*: it only adds, so that processes of the release before go on,
stopped and started as they may be. `after()`, where there is one, is its *after-part*: it drops, renames and tightens
what they needed. `after_part` has a row for each, from the moment that its before-part is applied; `done_at` is null
as long as it is due.

After-parts run in the order of their revisions, after any number of later before-parts. Who runs them holds an
advisory lock before looking for sessions of older releases, and whoever begins a session waits for that lock and
looks then: so either finds the other.
"""

from collections.abc import Callable

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from pointsman.runtime.revisions import AFTER_PARTS_KEY, MigrationFailed
from pointsman.runtime.session_names import read_session_name

_SESSIONS = """
    SELECT application_name, host(client_addr) AS address, date_trunc('second', min(backend_start)) AS since
    FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, :prefix)
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def after_parts_of(script: ScriptDirectory) -> dict[str, Callable[[], None]]:
    """Revision → its after-part, of those that have one, the oldest first."""
    revisions = reversed(list(script.walk_revisions()))
    return {each.revision: each.module.after for each in revisions if hasattr(each.module, "after")}


def note_after_parts(connection: Connection, script: ScriptDirectory) -> None:
    """Those of the revisions that are applied are due."""
    for revision in after_parts_of(script):
        connection.execute(
            text("INSERT INTO after_part (revision) VALUES (:revision) ON CONFLICT DO NOTHING"), {"revision": revision}
        )


def run_after_parts(connection: Connection, service: str, script: ScriptDirectory) -> None:
    """Runs those that are due, in the transaction of the connection, whose role and `search_path` are the service's.

    Raises `MigrationFailed` when a session of a release lives that does not know the last of them.
    """
    connection.execute(text(f"SELECT pg_advisory_xact_lock({AFTER_PARTS_KEY})"))
    parts = after_parts_of(script)
    due = [revision for revision in _due(connection) if revision in parts]
    if not due:
        return
    if older := _older_sessions(connection, service, due[-1]):
        raise MigrationFailed(
            f"the after-parts of {service} ({', '.join(due)}) have to wait, an older version still runs: "
            f"{'; '.join(older)}. End it, and run `pointsman migrate --after` again"
        )
    with Operations.context(MigrationContext.configure(connection)):
        for revision in due:
            parts[revision]()
            done = "UPDATE after_part SET done_at = clock_timestamp() WHERE revision = :revision"
            connection.execute(text(done), {"revision": revision})


def _due(connection: Connection) -> list[str]:
    if connection.scalar(text("SELECT to_regclass('after_part')")) is None:
        return []
    rows = connection.execute(text("SELECT revision FROM after_part WHERE done_at IS NULL ORDER BY 1"))
    return [str(row.revision) for row in rows]


def _older_sessions(connection: Connection, service: str, revision: str) -> list[str]:
    """The sessions of the service whose code does not know the revision, a line each."""
    older = []
    for row in connection.execute(text(_SESSIONS), {"prefix": f"pointsman-{service}-"}):
        named = read_session_name(row.application_name)
        if named is not None and (named.revision is None or named.revision < revision):
            knows = "which says no revision" if named.revision is None else f"which knows revision {named.revision}"
            older.append(
                f"{named.who}, {knows}, from {row.address or 'this host'} since {row.since:%Y-%m-%dT%H:%M:%SZ}"
            )
    return older
