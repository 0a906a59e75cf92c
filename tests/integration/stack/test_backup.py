"""deploy/backup.sh, and what docs/operations.md says of a restore: into a new server, which is known for another."""

import asyncio
import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pointsman.local import Postgres
from pointsman.local.postgres import binaries
from pointsman.runtime.database import connect
from pointsman.runtime.installation import verify_installation
from pointsman.runtime.migrate import migrate
from pointsman.runtime.settings import RuntimeSettings

pytestmark = pytest.mark.stack

SCRIPT = Path(__file__).parents[3] / "deploy" / "backup.sh"


def _environment(server: Postgres) -> dict[str, str]:
    return {
        "PATH": f"{binaries()}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "pointsman",
        "PGPASSWORD": server.password,
    }


def _back_up(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, folder, "14"], env=environment, text=True, capture_output=True, check=False, timeout=60
    )


async def _restore(file: Path, server: Postgres) -> None:
    psql = await asyncio.create_subprocess_exec(
        *(binaries() / "psql", "--quiet", "postgres"),
        env=_environment(server),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await psql.communicate(gzip.decompress(await asyncio.to_thread(file.read_bytes)))
    assert psql.returncode == 0, errors.decode()
    said = [line for line in errors.decode().splitlines() if "ERROR" in line]
    assert [line for line in said if "already exists" not in line] == []


async def test_what_was_backed_up_is_there_in_a_new_server(tmp_path: Path) -> None:
    async with Postgres(tmp_path / "one", durable=False) as one:
        await migrate(one.dsn, "metrics", "pointsman_metrics", password="its own")
        settings = RuntimeSettings(database=one.address_of(), database_password="its own")
        db = await connect(settings, "metrics", purpose="test")
        before = await verify_installation(db, settings)
        await db.close()
        made = await asyncio.to_thread(_back_up, tmp_path / "backups", _environment(one))
    assert made.returncode == 0, made.stderr
    (file,) = (tmp_path / "backups").iterdir()
    assert made.stdout.strip() == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    # The backup has the superuser's password too, and `psql` connects anew while it reads it.
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "password", tmp_path / "two" / "password")
    async with Postgres(tmp_path / "two", durable=False) as two:
        await _restore(file, two)
        revision = await migrate(two.dsn, "metrics", "pointsman_metrics")
        settings = RuntimeSettings(database=two.address_of(), database_password="its own")
        db = await connect(settings, "metrics", purpose="test")
        assert await db.fetchval("SELECT version_num FROM alembic_version") == revision
        assert await verify_installation(db, settings) != before
        await db.close()


async def test_a_backup_that_did_not_come_to_its_end_is_none(tmp_path: Path) -> None:
    """The last good one stays, also when it is old."""
    backups = tmp_path / "backups"
    backups.mkdir()
    old = backups / "pointsman-2020-01-01T000000Z.sql.gz"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "pg_dumpall").write_text("#!/bin/sh\necho 'CREATE ROLE one;'\n")
    (programs / "pg_dumpall").chmod(0o755)
    cut = await asyncio.to_thread(_back_up, backups, {"PATH": f"{programs}:{os.environ['PATH']}"})
    (programs / "pg_dumpall").write_text("#!/bin/sh\necho 'cluster dump complete'; exit 1\n")
    failed = await asyncio.to_thread(_back_up, backups, {"PATH": f"{programs}:{os.environ['PATH']}"})
    assert (cut.returncode, failed.returncode) == (1, 1)
    assert list(backups.iterdir()) == [old]


async def test_what_is_older_than_told_is_removed(postgres: Postgres, tmp_path: Path) -> None:
    old, kept = (tmp_path / f"pointsman-2020-01-0{day}T000000Z.sql.gz" for day in (1, 2))
    for file in (old, kept):
        file.write_bytes(b"")
    os.utime(old, (0, 0))
    made = await asyncio.to_thread(_back_up, tmp_path, _environment(postgres))
    assert made.returncode == 0, made.stderr
    assert not old.exists()
    assert kept.exists()
