"""Passwords of the administrator and of each service's role, whatever characters they have."""

import asyncio
import os
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import yaml

from pointsman.local import Postgres
from pointsman.runtime.database import connect, open_pool, password_file
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Broker
from tests.integration.cli.typed import typed

pytestmark = pytest.mark.stack

CHECKOUT = Path(__file__).parents[3]
ODD = " p@ss/w:rd?#%25%zz $x ${x} ü'\"\\ "
PASSWORDS = [ODD, string.punctuation, "q/+83Jz==", "[::1]:5432/x", "пароль 密码", "%2F", "${POSTGRES_PASSWORD}"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL of its own, since roles are the whole server's."""
    postgres = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    with asyncio.Runner() as runner:
        runner.run(postgres.start())
        try:
            yield postgres
        finally:
            runner.run(postgres.stop())


async def _call(*command: str, environment: dict[str, str], folder: Path) -> None:
    """Runs a command with nothing of ours in its environment but what is given; it must do what it was asked."""
    own = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    path = f"{Path(sys.executable).parent}:{own['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, env=own | {"PATH": path} | environment, cwd=folder
    )
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()


async def _migrate(environment: dict[str, str]) -> None:
    """The command as `_call` runs it, in this process: a process of its own takes ten times as long to start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(_is_ours, list(os.environ)):
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        done = await asyncio.to_thread(typed, "migrate")
    assert done.code == 0, done.err


def _is_ours(variable: str) -> bool:
    return variable.startswith(("POINTSMAN_", "PG"))


async def _set_password(server: Postgres, role: str, password: str) -> None:
    admin = await asyncpg.connect(server.dsn)
    try:
        quoted = await admin.fetchval("SELECT quote_literal($1)", password)
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await admin.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
        await admin.execute(f"ALTER ROLE {role} PASSWORD {quoted}")
    finally:
        await admin.close()


def _setup(server: Postgres, folder: Path, password: str, **moved: str) -> tuple[list[str], dict[str, str]]:
    """The very command and variables of docker-compose.yml, with this machine's addresses and folders."""
    setup: Any = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]["setup"]
    here = {
        "postgres:5432": f"127.0.0.1:{server.port}",
        "/keys": f"{folder}/keys",
        "/passwords": f"{folder}/passwords",
        "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}": password,
        **moved,
    }

    def at_home(text: str) -> str:
        for there, place in here.items():
            text = text.replace(there, place)
        return text

    for name in ("keys/signing", "keys/sealing", "passwords"):
        (folder / name).mkdir(parents=True)
    environment = {name: at_home(value) for name, value in setup["environment"].items()}
    return [at_home(word) for word in setup["command"]], environment | {"POINTSMAN_ADMIN_USER": "boss"}


async def _sla_gets_in(server: Postgres, folder: Path) -> None:
    settings = RuntimeSettings(database=server.address_of(), database_passwords_folder=folder / "passwords")
    pool = await open_pool(settings, "sla", size=1, patience_seconds=0)
    assert await pool.fetchval("SELECT current_user") == "pointsman_sla"
    await pool.close()


async def test_setup_of_compose_takes_a_password_of_odd_characters(
    server: Postgres, broker: Broker, tmp_path: Path
) -> None:
    command, environment = _setup(server, tmp_path, ODD, **{"kafka:9092": broker.address})
    await _set_password(server, "boss", ODD)
    await _call(*command, environment=environment | {"POINTSMAN_TOPIC_PREFIX": "setup"}, folder=tmp_path)
    await _sla_gets_in(server, tmp_path)


@pytest.mark.parametrize("password", PASSWORDS)
async def test_migrate_of_compose_takes_whatever_password_postgres_got(
    password: str, server: Postgres, tmp_path: Path
) -> None:
    _, environment = _setup(server, tmp_path, password)
    await _set_password(server, "boss", password)
    await _migrate(environment)
    await _sla_gets_in(server, tmp_path)


@pytest.mark.parametrize("password", PASSWORDS)
async def test_a_services_password_may_have_any_character(password: str, server: Postgres, tmp_path: Path) -> None:
    """Its role gets it from `migrate`, of its file or of the variable for all, and its processes connect with it."""
    folder = tmp_path / "passwords"
    admin = {"POINTSMAN_ADMIN_DSN": server.dsn}
    for service in ("intake", "metrics", "routing", "sla"):
        password_file(folder, service).parent.mkdir(parents=True)
        password_file(folder, service).write_text(password + "\n", "utf-8")
    own = {"POINTSMAN_DATABASE_PASSWORDS_FOLDER": str(folder)}
    alike = {"POINTSMAN_DATABASE_PASSWORD": password}
    address = server.address_of()
    for environment, settings in (
        (own, RuntimeSettings(database=address, database_passwords_folder=folder)),
        (alike, RuntimeSettings(database=address, database_password=password)),
    ):
        await _migrate(admin | environment)
        connection = await connect(settings, "sla", purpose="test")
        assert await connection.fetchval("SELECT current_user") == "pointsman_sla"
        await connection.close()
        await _set_password(server, "pointsman_sla", "another")


async def test_each_role_has_a_password_of_its_own(server: Postgres, tmp_path: Path) -> None:
    folder = tmp_path / "passwords"
    await _set_password(server, "boss", ODD)
    address = server.address_of()
    environment = {"PGUSER": "boss", "PGPASSWORD": ODD, "POINTSMAN_DATABASE_PASSWORDS_FOLDER": str(folder)}
    for _ in range(2):
        await _call("pointsman", "migrate", address, environment=environment, folder=tmp_path)
    passwords = {path.parent.name: path.read_text("utf-8").strip() for path in folder.glob("*/password")}
    assert sorted(passwords) == ["intake", "metrics", "routing", "sla"]
    assert len(set(passwords.values())) == 4
    assert password_file(folder, "intake").stat().st_mode & 0o777 == 0o600
    settings = RuntimeSettings(database=address, database_passwords_folder=folder)
    for service, password in passwords.items():
        pool = await open_pool(settings, service, size=1, patience_seconds=0)
        assert await pool.fetchval("SELECT current_user") == f"pointsman_{service}"
        await pool.close()
        for other in passwords.keys() - {service}:
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(
                    host="127.0.0.1",
                    port=urlsplit(address).port,
                    database="pointsman",
                    user=f"pointsman_{other}",
                    password=password,
                )
