"""The servers of the local stack start, answer, and leave nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from pointsman.contracts.topics import TOPICS
from pointsman.local import LocalStackError, Postgres, Tansu, create_topics
from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack


async def test_an_installation_has_its_database_and_its_topics(installation: Installation) -> None:
    connection = await installation.connect("routing")
    assert await connection.fetchval("SELECT current_user") == "pointsman_routing"
    assert await connection.fetchval("SHOW search_path") == "routing"
    await connection.close()
    counts = await create_topics(installation.settings.broker, 4, installation.settings.topic_prefix)
    assert len(counts) == len(TOPICS)


async def test_another_partition_count_is_refused(installation: Installation) -> None:
    with pytest.raises(LocalStackError, match="has 4 partitions, but the installation has 5"):
        await create_topics(installation.settings.broker, 5, installation.settings.topic_prefix)


async def test_no_role_reads_another_services_schema(installation: Installation) -> None:
    admin = await installation.connect()
    await admin.execute("CREATE TABLE sla.diary (one int); ALTER TABLE sla.diary OWNER TO pointsman_sla")
    await admin.close()
    connection = await installation.connect("routing")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM sla.diary")
    await connection.close()


async def test_postgres_keeps_what_was_committed_before_it_was_killed(tmp_path: Path) -> None:
    async with Postgres(tmp_path) as server:
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.execute("CREATE TABLE kept (one int); INSERT INTO kept VALUES (1)")
        port = server.port
        server.process.signal(signal.SIGKILL)
        await server.process.ended()
        await connection.close()
        await server.start()
        assert server.port == port
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("SELECT one FROM kept") == 1
        await connection.close()


async def test_each_start_of_tansu_is_another_cluster(tmp_path: Path) -> None:
    broker = Tansu(tmp_path)
    await broker.start()
    first = broker.cluster_id, broker.port
    await broker.stop()
    async with broker:
        assert broker.cluster_id != first[0]
        assert broker.port != first[1]


async def test_a_server_that_cannot_start_says_why_and_where_its_log_is(tmp_path: Path) -> None:
    async with Postgres(tmp_path, durable=False):
        pass
    (tmp_path / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(LocalStackError, match=r"(?s)no_such_setting.*its log is .*postgres\.log"):
        async with Postgres(tmp_path, durable=False):
            pass


_ORPHAN = """
import asyncio, os, signal, sys
from pathlib import Path
from pointsman.local import Postgres, Tansu
async def main():
    folder = Path(sys.argv[1])
    async with Postgres(folder / "postgres", durable=False) as postgres, Tansu(folder / "tansu") as tansu:
        print(postgres.process.pid, tansu.process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_the_servers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _ORPHAN, tmp_path, stdout=subprocess.PIPE)
    said, _ = await killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in said.split()]
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    async with Postgres(tmp_path / "postgres", durable=False) as server:
        assert server.process.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
async def test_postgres_started_by_root_is_not_root(postgres: Postgres) -> None:
    pid = postgres.process.pid
    assert pid is not None
    assert psutil.Process(pid).uids().effective != 0
