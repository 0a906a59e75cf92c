"""`pointsman up` as a person uses it: the whole stack in a folder, twice, killed, and down again."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from pointsman.core.zones import ZONES
from pointsman.local.folder import StackFolder
from pointsman.local.process import process_of
from pointsman.testing.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


async def pointsman(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs the command in the folder: exit code, standard output, standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pointsman.cli.main",
        *arguments,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


@pytest.mark.long
async def test_up_status_up_again_killed_up_again_and_down(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / ".pointsman")
    try:
        code, out, err = await pointsman(tmp_path, "up", "--detach")
        assert (code, out) == (0, ""), err
        code, out, _ = await pointsman(tmp_path, "status", "--json")
        status = orjson.loads(out)
        assert (code, status["state"], status["broker"]) == (0, "running", "tansu")
        assert {process["name"] for process in status["processes"]} == {
            *("postgres", "broker", "intake", "routing", "sla", "metrics", "edge"),
        }
        async with httpx.AsyncClient(base_url=status["url"], trust_env=False) as client:
            assert (await client.get("/readyz")).text == f"ready\nzones {ZONES}\n"
        zones = {process["name"]: process["zones"] for process in status["processes"]}
        assert zones == {**dict.fromkeys(zones, str(ZONES)), "postgres": None, "broker": None}

        code, _, err = await pointsman(tmp_path, "up")
        assert code == 0
        assert f"already up at {status['url']}" in err

        supervisor = process_of(folder.supervisor_pid_file)
        assert supervisor is not None
        supervisor.send_signal(signal.SIGKILL)
        await until(lambda: not folder.is_owned())
        code, out, _ = await pointsman(tmp_path, "status", "--json")
        assert (code, orjson.loads(out)["state"]) == (1, "stopped")

        code, _, err = await pointsman(tmp_path, "up", "--detach")
        assert code == 0, err
        again = folder.status()
        assert again.url == status["url"], "the address that people have stays good"
    finally:
        code, _, err = await pointsman(tmp_path, "down")
    assert (code, err) == (0, "The local stack is down.\n")
    assert [one.name for one in again.processes if one.pid is not None and psutil.pid_exists(one.pid)] == []
    code, _, err = await pointsman(tmp_path, "logs", "postgres")
    assert code == 0, err


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        code, _, err = await pointsman(tmp_path, "up", "--detach", "--port", str(port))
    assert code == 1
    assert err == f"pointsman: port {port} is taken: choose another with --port\n"


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".pointsman").write_text("in the way")
    code, _, err = await pointsman(tmp_path, "up", "--detach")
    assert code == 1
    assert err.startswith(f"pointsman: {tmp_path}/.pointsman")
    assert err.count("\n") == 1
