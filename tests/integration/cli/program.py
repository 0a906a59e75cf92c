"""Commands that run beside the test: spoken with by lines, or given their input through a pipe."""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

POINTSMAN = (sys.executable, "-m", "pointsman.cli.main")


class Program:
    """A subprocess that is spoken with by lines."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | environment,
        )  # fmt: skip
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, pattern: str) -> re.Match[str]:
        """The next line in which the pattern is found."""
        while True:
            try:
                line = self._lines.get(timeout=60)
            except queue.Empty:
                raise AssertionError(f"no line with {pattern!r} in {self.said}") from None
            assert line is not None, f"it ended without {pattern!r}: {self.said}"
            self.said.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def ends(self) -> int:
        return self.process.wait(timeout=60)


@contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[Program]:
    program = Program(command, environment)
    try:
        yield program
    finally:
        program.close()


def piped(*arguments: str, text: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command whose input is a pipe."""
    return subprocess.run(
        [*POINTSMAN, *arguments],
        check=False,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )
