"""A PostgreSQL that lets in only by TLS: the services' connections and the migrations, with `sslmode=verify-full`.

The wheel's server knows no TLS; Debian's does. Where it is not installed there is nothing to try.
"""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from pointsman.local.privileges import give, launching, unprivileged_user
from pointsman.local.process import LocalProcess, free_port
from pointsman.runtime.database import connect, open_pool
from pointsman.runtime.migrate import migrate
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.waiting import until
from tests.integration.runtime.certificates import Authority

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not BINARIES, reason="needs a PostgreSQL with TLS (Debian's package postgresql)"),
]


@dataclass(frozen=True, slots=True)
class SecuredServer:
    """`ca` signed its certificate, `stranger` did not."""

    port: int
    ca: Path
    stranger: Path

    def address(self, **parameters: object) -> str:
        given = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://127.0.0.1:{self.port}/postgres?{given}"


def _prepare(folder: Path, authority: Authority) -> tuple[str, str]:
    """A data folder with a certificate and its key, whose names it returns."""
    user = unprivileged_user()
    give(folder, user)
    initdb: list[str | Path] = [
        BINARIES[0] / "initdb",
        "-D",
        folder,
        "-U",
        "boss",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    done = subprocess.run(
        launching([*initdb, "--auth=scram-sha-256", "--pwfile=/dev/stdin"], user=user, death_signal=signal.SIGKILL),
        input="secret\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = authority.server("postgres")
    for file in files:
        placed = Path(shutil.copy(file, folder))
        placed.chmod(0o600)
        if user is not None:
            shutil.chown(placed, user.uid, user.gid)
    (folder / "pg_hba.conf").write_text("hostssl all all 127.0.0.0/8 scram-sha-256\n")
    return files[0].name, files[1].name


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[SecuredServer]:
    authority, data = Authority(tmp_path, "authority"), tmp_path / "data"
    certificate, key = await asyncio.to_thread(_prepare, data, authority)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1,127.0.0.2",
        "unix_socket_directories": "",
        "port": str(port),
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": certificate,
        "ssl_key_file": key,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = LocalProcess(
        "postgres",
        [BINARIES[0] / "postgres", "-D", data, *options],
        tmp_path,
        user=unprivileged_user(),
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
    )
    server.start()
    try:
        await server.listening(port, within_seconds=60)
        secured = SecuredServer(port, authority.file, Authority(tmp_path, "stranger").file)
        await until(lambda: _answers(secured.address(sslmode="require")))
        yield secured
    finally:
        await server.stop()


async def _answers(address: str) -> bool:
    """A server listens while it is still starting up."""
    try:
        await (await asyncpg.connect(address, user="boss", password="secret")).close()
    except asyncpg.CannotConnectNowError:
        return False
    return True


async def test_services_and_migrations_verify_a_database_that_asks_for_tls(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    verified = secured.address(sslmode="verify-full", sslrootcert=secured.ca)
    assert await migrate(verified.replace("//", "//boss@"), "metrics", "pointsman_metrics", password="its own")
    settings = RuntimeSettings(database=verified, database_password="its own")
    pool = await open_pool(settings, "metrics", size=1)
    assert await pool.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await pool.close()
    alone = await connect(settings, "metrics", purpose="test")
    assert await alone.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await alone.close()


async def test_a_database_that_cannot_prove_itself_is_not_used(secured: SecuredServer) -> None:
    """Nobody gets the password before the certificate was verified; and this server takes nobody without TLS."""
    for address in (
        secured.address(sslmode="verify-full", sslrootcert=secured.stranger),
        secured.address(sslmode="verify-full", sslrootcert=secured.ca).replace("127.0.0.1", "127.0.0.2"),
        secured.address(sslmode="disable"),
    ):
        settings = RuntimeSettings(database=address, database_password="its own")
        with pytest.raises((OSError, asyncpg.InvalidAuthorizationSpecificationError)):
            await connect(settings, "metrics", purpose="test")
