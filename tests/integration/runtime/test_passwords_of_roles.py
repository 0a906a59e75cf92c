"""A password for each service's role: made once by `migrate`, known to nobody else, whatever characters it has."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from pointsman.local import Postgres
from pointsman.runtime.database import connect, open_pool, password_file
from pointsman.runtime.settings import RuntimeSettings

pytestmark = pytest.mark.stack

ODD = "p@ss/w:rd?#%25 ü'\"\\"


async def test_each_role_has_a_password_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator's is in PGPASSWORD: no address has a password in it, so that no character can break one."""
    folder = tmp_path / "passwords"
    password_file(folder, "sla").parent.mkdir(parents=True)
    password_file(folder, "sla").write_text(ODD + "\n", "utf-8")
    async with Postgres(tmp_path / "postgres", durable=False) as postgres:
        admin = await asyncpg.connect(postgres.dsn)
        await admin.execute("CREATE ROLE boss LOGIN SUPERUSER PASSWORD $$" + ODD + "$$")
        await admin.close()
        monkeypatch.setenv("PGPASSWORD", ODD)
        monkeypatch.setenv("POINTSMAN_DATABASE_PASSWORDS_FOLDER", str(folder))
        address = postgres.address_of()
        for _ in range(2):
            command = (sys.executable, "-m", "pointsman.cli.main", "migrate", address.replace("//", "//boss@"))
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            _, told = await process.communicate()
            assert process.returncode == 0, told.decode()
        monkeypatch.delenv("PGPASSWORD")
        monkeypatch.delenv("POINTSMAN_DATABASE_PASSWORDS_FOLDER")
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
        alike = RuntimeSettings(database=address, database_password=ODD)
        connection = await connect(alike, "sla", purpose="test")
        await connection.close()
