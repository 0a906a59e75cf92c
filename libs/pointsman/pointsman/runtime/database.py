"""Connections to PostgreSQL: each service as its own role, in its own schema, with orjson for JSON columns."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import structlog

from pointsman.runtime.login import Login, login, read_password
from pointsman.runtime.pool import BoundedPool
from pointsman.runtime.revisions import SchemaUnfit, refuse_unfit_schema
from pointsman.runtime.session_names import session_name
from pointsman.runtime.settings import RuntimeSettings

log = structlog.get_logger(__name__)

START_PATIENCE_SECONDS = 15.0
QUERIES_OF_CONNECTION_MAX = 50_000
"""Then the pool opens another in its place."""

BY_KEY = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""For connections whose every statement looks up a few keys of tables that grow while its plan is kept: a plan made
when they were small must not read them whole."""
LOOKING_UP = frozenset({"worker", "follower", "slot"})
"""The purposes of such connections."""
ANSWERING = frozenset({"api", "slot"})
"""The purposes of pools for whose connections a caller waits; work in the background may wait longer."""
WORK_WAIT_SECONDS = 30.0

INFRASTRUCTURE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection that was cut off in the middle of an operation.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.LockNotAvailableError,
    # Serialisation, deadlock, and a statement of which nobody knows whether it was completed.
    asyncpg.TransactionRollbackError,
    # A server that takes no writes (a standby after a failover), and what follows on a connection that it broke off.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InFailedSQLTransactionError,
    # Its disk, its files, its configuration.
    asyncpg.PostgresSystemError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    asyncpg.SnapshotTooOldError,
    asyncpg.ConfigFileError,
    # Who may connect to what: a password, a role or a grant that is being changed.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""Errors that say nothing about the data: the same transaction may succeed later. So none of them is ever poison."""


def role_of(service: str) -> str:
    return f"pointsman_{service}"


def password_of(settings: RuntimeSettings, service: str) -> str | None:
    """The password of the service's role: its own file's, else the one of all. Raises `OSError`."""
    if settings.database_passwords_folder is None:
        return settings.database_password
    return read_password(password_file(settings.database_passwords_folder, service))


def password_file(folder: Path, service: str) -> Path:
    """Where a folder of passwords has the service's. A folder of its own, so that it can be a volume of its own."""
    return folder / service / "password"


def login_of(settings: RuntimeSettings, service: str) -> Login:
    """The installation's database as the service's role. Raises `OSError` when its password cannot be read,
    `ValueError` when the setting is no address."""
    at = login(settings.database)
    return Login(at.address, role_of(service), password_of(settings, service) or None)


def _session(service: str, purpose: str) -> dict[str, str]:
    # A stopped process must not hold a lane's row: the server ends its transaction.
    return {
        "search_path": service,
        "application_name": session_name(service, purpose),
        "idle_in_transaction_session_timeout": "2000",
        "lock_timeout": "2000",
        "timezone": "UTC",
        "jit": "off",
        **(BY_KEY if purpose in LOOKING_UP else {}),
        # Nobody heard of what a follower wrote: what a crash of the server takes, with its position, is read again.
        **({"synchronous_commit": "off"} if purpose == "follower" else {}),
    }


async def _prepare(connection: Any, service: str) -> None:
    await refuse_unfit_schema(connection, service)
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode_json, decoder=orjson.loads, format="text"
        )


def _encode_json(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()


async def open_pool(
    settings: RuntimeSettings,
    service: str,
    *,
    size: int = 8,
    purpose: str = "worker",
    patience_seconds: float = START_PATIENCE_SECONDS,
) -> BoundedPool:
    """A pool of connections of the service's role; JSON columns take Python values, or encoded bytes as they are.

    A server that is not there yet, or recovers from a crash, is waited for; then the error is raised. Raises
    `SchemaUnfit` at once when this release cannot work with the schema.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return await _open_pool(settings, service, size, purpose)
        except SchemaUnfit:
            raise
        except (OSError, asyncpg.CannotConnectNowError) as error:
            if time.monotonic() > deadline:
                raise
            log.warning("the database is not there yet", service=service, error=repr(error))
        await asyncio.sleep(0.5)


class _Unchanged(asyncpg.Connection):
    """A connection of a pool whose users leave nothing behind: no setting, lock or listener of the session (those have
    connections of their own, see `connect`). So it need not be reset at every return, which costs a round trip."""

    def get_reset_query(self) -> str:
        return ""


async def _open_pool(settings: RuntimeSettings, service: str, size: int, purpose: str) -> BoundedPool:
    pool = BoundedPool(
        **login_of(settings, service).arguments,
        name=f"the pool {service}-{purpose}",
        wait_seconds=settings.database_wait_seconds if purpose in ANSWERING else WORK_WAIT_SECONDS,
        stuck_seconds=settings.database_stuck_seconds,
        min_size=1,
        max_size=size,
        init=partial(_prepare, service=service),
        server_settings=_session(service, purpose),
        command_timeout=30,
        max_queries=QUERIES_OF_CONNECTION_MAX,
        max_inactive_connection_lifetime=60,
        connection_class=_Unchanged,
        record_class=asyncpg.Record,
        loop=asyncio.get_running_loop(),
    )
    await pool
    return pool


async def connect(settings: RuntimeSettings, service: str, *, purpose: str) -> Any:
    """One connection outside the pool, for a session that holds a lock or listens. Raises `SchemaUnfit`."""
    connection = await asyncpg.connect(
        **login_of(settings, service).arguments,
        server_settings=_session(service, purpose),
        timeout=5,
        command_timeout=10,
    )
    try:
        await _prepare(connection, service)
    except BaseException:
        connection.terminate()
        raise
    return connection
