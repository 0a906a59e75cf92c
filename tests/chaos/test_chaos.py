"""`pointsman chaos` as a person runs it: a few rounds hold, and whatever happens to it, it leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import psutil
import pytest

CHECKOUT = Path(__file__).parents[2]
pytestmark = pytest.mark.long

COMMAND = (sys.executable, "-m", "pointsman.cli.main", "chaos")
BROKER = os.environ.get("POINTSMAN_TEST_BROKER", "tansu")

STOPS_ROUTING_KILLS_POSTGRES_AND_THE_BROKER = 966
"""A seed whose first three rounds do that."""


def family(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if child.is_running()]


def lives(process: psutil.Process) -> bool:
    """Not when it has ended and whoever took it over has not looked yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.timeout(420)
def test_killed_servers_and_a_stopped_worker_lose_and_double_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *COMMAND,
            "--rounds",
            "3",
            "--seed",
            str(STOPS_ROUTING_KILLS_POSTGRES_AND_THE_BROKER),
            "--json",
            "--broker",
            BROKER,
        ],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        timeout=400,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    report = orjson.loads(done.stdout)
    assert report["counter_examples"] == {}
    assert report["ok"]
    assert done.returncode == 0
    assert report["rounds"] == 3
    assert report["accepted"] > 0
    assert report["killed"] == {"postgres": 1, "broker": 1}
    for name in ("lost", "duplicated", "double_owned", "over_capacity"):
        assert report[name] == 0
    for name in ("missed_breaches", "duplicate_breaches", "false_breaches_standing"):
        assert report[name] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(120)
def test_an_interrupted_run_ends_everything_that_it_started(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*COMMAND, "--rounds", "1", "--broker", BROKER],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("round 1/1"):
            break
    started = family(psutil.Process(running.pid))
    assert {"postgres", "tansu" if BROKER == "tansu" else "java"} <= {process.name() for process in started}
    # Not SIGINT: a shell has its background jobs ignore that, and this test may be in one.
    running.send_signal(signal.SIGTERM)
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 1
    assert "Traceback" not in said
    assert [process for process in started if lives(process)] == []
