"""Whoever reads the output may leave before its end, as `| head` does: no traceback, whatever the command."""

import os
import subprocess
import sys

import pytest

COMMAND = (sys.executable, "-m", "pointsman.cli.main")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["lint", "--help"], ["lint", "missing.yaml"], ["lint", "-"], ["nonsense"]], ids=" ".join
)
def test_a_reader_that_leaves_sees_no_traceback(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, text=True,
            check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
