"""The supervisor keeps its processes alive, and leaves nothing behind however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from pointsman.local.folder import StackFolder, StackStatus
from pointsman.local.process import LocalStackError, process_of
from pointsman.local.supervisor import NOT_ALIVE_SECONDS, ProcessSupervisor, Program
from pointsman.local.topics import cluster_of
from pointsman.runtime.telemetry import ALARMS
from pointsman.testing.waiting import until

pytestmark = pytest.mark.stack

_SERVING = (sys.executable, "-m", "pointsman.testing.serving")
PROGRAMS = [
    Program("routing", (*_SERVING, "POINTSMAN_OPS_PORT"), "POINTSMAN_OPS_PORT"),
    Program("edge", (*_SERVING, "POINTSMAN_EDGE_PORT"), "POINTSMAN_EDGE_PORT"),
]


@asynccontextmanager
async def a_stack(
    folder: StackFolder,
    *,
    programs: Sequence[Program] = PROGRAMS,
    tansu_bytes_max: int = 10**12,
    not_alive_seconds: float = NOT_ALIVE_SECONDS,
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    supervisor = ProcessSupervisor(
        folder,
        programs=programs,
        services={},
        tansu_bytes_max=tansu_bytes_max,
        not_alive_seconds=not_alive_seconds,
    )
    running = asyncio.create_task(supervisor.run(stop))
    await until(lambda: running.done() or folder.status().state == "running")
    if running.done():
        running.result()
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    return StackFolder(tmp_path / ".pointsman")


def pid_of(status: StackStatus, name: str) -> int | None:
    return status.process(name).pid


async def test_it_says_what_runs_and_where_and_stops_all_of_it(folder: StackFolder) -> None:
    async with a_stack(folder):
        status = folder.status()
        assert [process.name for process in status.processes] == ["postgres", "broker", "routing", "edge"]
        assert {process.state for process in status.processes} == {"running"}
        assert status.url == f"http://127.0.0.1:{status.process('edge').port}"
        assert status.broker == "tansu"
        assert status.key_file is not None
        assert os.stat(status.key_file).st_mode & 0o777 == 0o600
        pids = [process.pid for process in status.processes]
    assert folder.status().state == "stopped"
    assert [pid for pid in pids if pid is not None and psutil.pid_exists(pid)] == []


async def test_the_key_and_the_data_are_the_same_after_a_restart(folder: StackFolder) -> None:
    async with a_stack(folder):
        first = folder.key_file.read_bytes()
    async with a_stack(folder):
        assert folder.key_file.read_bytes() == first


async def test_a_process_that_dies_is_started_again(folder: StackFolder) -> None:
    async with a_stack(folder):
        for name in ("routing", "postgres"):
            before = pid_of(folder.status(), name)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            await until(lambda name=name, before=before: pid_of(folder.status(), name) not in (before, None))  # type: ignore[misc]
            await until(lambda name=name: folder.status().process(name).state == "running")  # type: ignore[misc]


async def test_a_process_that_says_that_it_does_not_live_is_ended_and_started_again(folder: StackFolder) -> None:
    sick = folder.root.parent / "sick"
    programs = [Program("edge", (*_SERVING, "POINTSMAN_EDGE_PORT", str(sick)), "POINTSMAN_EDGE_PORT")]
    async with a_stack(folder, programs=programs, not_alive_seconds=1.0):
        before = pid_of(folder.status(), "edge")
        sick.touch()
        await until(lambda: not sick.exists())  # the new process removed it
        assert pid_of(folder.status(), "edge") != before


async def test_a_process_that_stands_still_is_ended_and_started_again(folder: StackFolder) -> None:
    async with a_stack(folder, not_alive_seconds=1.0):
        before = pid_of(folder.status(), "routing")
        assert before is not None
        os.kill(before, signal.SIGSTOP)
        await until(lambda: pid_of(folder.status(), "routing") not in (before, None))


async def test_a_process_that_restarts_three_times_in_a_minute_is_failing(folder: StackFolder) -> None:
    before = ALARMS.labels("supervisor", "process-restarts")._value.get()
    async with a_stack(folder):
        for count in (1, 2, 3):
            pid = pid_of(folder.status(), "routing")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda count=count: folder.status().process("routing").restarts == count)  # type: ignore[misc]
            await until(lambda pid=pid: pid_of(folder.status(), "routing") not in (pid, None))  # type: ignore[misc]
        assert folder.status().process("routing").state == "failing"
        assert folder.status().process("edge").state == "running"
    assert ALARMS.labels("supervisor", "process-restarts")._value.get() == before + 1


async def test_a_dead_tansu_comes_back_as_another_cluster_with_its_topics(folder: StackFolder) -> None:
    async with a_stack(folder):
        address = folder.broker_address_file.read_text().strip()
        cluster = await cluster_of(address)
        before = pid_of(folder.status(), "broker")
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await until(lambda: folder.broker_address_file.read_text().strip() != address)
        assert await cluster_of(folder.broker_address_file.read_text().strip()) != cluster


async def test_a_tansu_that_grew_too_large_is_replaced(folder: StackFolder) -> None:
    folder.create()
    async with a_stack(folder, tansu_bytes_max=1):
        address = folder.broker_address_file.read_text().strip()
        await until(lambda: folder.broker_address_file.read_text().strip() != address)


async def test_a_second_supervisor_is_refused(folder: StackFolder) -> None:
    async with a_stack(folder):
        with pytest.raises(LocalStackError, match="another supervisor owns"):
            await ProcessSupervisor(folder, programs=PROGRAMS, services={}).run(asyncio.Event())
        assert folder.status().state == "running"


async def test_a_process_that_cannot_start_is_named_with_its_log(folder: StackFolder) -> None:
    broken = Program("sla", (sys.executable, "-c", "raise SystemExit('no such table')"), "POINTSMAN_OPS_PORT")
    with pytest.raises(LocalStackError, match=r"sla ended at its start: no such table; its log is .*sla\.log"):
        await ProcessSupervisor(folder, programs=[broken], services={}).run(asyncio.Event())
    assert folder.status().state == "failed"


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from pointsman.local.folder import StackFolder
from pointsman.local.supervisor import ProcessSupervisor
async def main():
    stop = asyncio.Event()
    folder = StackFolder(Path(sys.argv[1]))
    running = asyncio.create_task(ProcessSupervisor(folder, programs=[], services={}).run(stop))
    while folder.status().state != "running":
        await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_a_killed_supervisor_leaves_nothing_that_hinders_the_next(folder: StackFolder) -> None:
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED, folder.root, stdout=subprocess.PIPE)
    assert await killed.wait() == -signal.SIGKILL
    assert folder.status().state == "stopped"
    async with a_stack(folder):
        assert folder.status().state == "running"
    assert [file for file in folder.root.glob("**/run/*.pid") if process_of(file)] == []
