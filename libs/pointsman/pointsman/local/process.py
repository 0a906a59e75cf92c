"""Child processes of the local stack: started with a log and a pid file, ended with their parent.

A pid file holds the pid and the start time, so that what a killed supervisor left is found at the next start and no
other process that got the same pid is ever touched.
"""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from pointsman.local.privileges import User, launching

_POLL_SECONDS = 0.02
_SAME_START_SECONDS = 1.0

_PORTS = range(15_000, 32_000)
_PORT_TRIES = 200
# The newest only, as a supervisor that replaces its broker for months must not run out of ports.
_PORTS_TOLD: deque[int] = deque(maxlen=1_000)

LOG_BYTES_MAX = 50_000_000
"""A log larger than this is set aside (as `….log.1`) when its process starts again."""


class LocalStackError(RuntimeError):
    """Something of the local stack failed: what, and where its log is, in one line."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__(f"{what}; its log is {log}" if log else what)
        self.log = log


def free_port() -> int:
    """A TCP port of loopback that nobody uses now.

    From below the range that the system gives to outgoing connections: a process that is started again on its port must
    not find a connection on it. And none that this process was told before: a stack chooses the edge's port long before
    the edge binds it, and its broker must not get that port meanwhile.
    """
    for _ in range(_PORT_TRIES):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        if port not in _PORTS_TOLD and not accepts(port) and take_port(port):
            return port
    raise LocalStackError(f"no free port from {_PORTS.start} to {_PORTS.stop - 1} was found")


def take_port(port: int) -> bool:
    """Whether the port of loopback can be bound; then `free_port` gives it to nobody else of this process."""
    if not port_is_free(port):
        return False
    _PORTS_TOLD.append(port)
    return True


def port_is_free(port: int) -> bool:
    """Whether the port of loopback can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts(port: int) -> bool:
    """Whether somebody accepts connections on the port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def last_words(log: Path, lines: int = 3) -> str:
    """The last lines of a log that say something, for an error message."""
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return "it wrote no log"
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(said[-lines:]) or "it said nothing"


async def _ended(pidfd: int) -> None:
    """Waits until the process that the descriptor stands for has ended, and closes it."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)


class LocalProcess:
    """One child process. Its output goes to `<folder>/logs/<name>.log`, its pid to `<folder>/run/<name>.pid`.

    `death_signal` is what the kernel sends it when this process ends without having stopped it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: User | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = folder / "logs" / f"{name}.log"
        self.pid_file = folder / "run" / f"{name}.pid"
        self._environment = environment
        self._user = user
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or never ran)."""
        return self._child.poll() if self._child is not None else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Starts the program, after ending what an earlier owner of the pid file left running."""
        end_leftover(self.pid_file)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            try:
                self._child = subprocess.Popen(
                    launching(self.argv, user=self._user, death_signal=self._death_signal),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self._environment} if self._environment is not None else None,
                    start_new_session=True,
                )
            except OSError as error:
                raise LocalStackError(f"{self.name} cannot be started: {error}", self.log) from error
        write_pid_file(self.pid_file, self._child.pid)

    async def ended(self) -> int:
        """Waits for the end; the exit code. Raises `LocalStackError` when it never ran."""
        if self._child is None:
            raise LocalStackError(f"{self.name} was never started")
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(ProcessLookupError):
                await _ended(os.pidfd_open(self._child.pid))
        while (code := self._child.poll()) is None:  # noqa: ASYNC110  # an exit makes no event that every system has
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def listening(self, port: int, *, within_seconds: float) -> None:
        """Waits until it accepts connections on the port. Raises `LocalStackError` when it ends or takes too long."""
        waited = 0.0
        while not accepts(port):
            if not self.running:
                raise LocalStackError(f"{self.name} ended at its start: {last_words(self.log)}", self.log)
            if waited > within_seconds:
                raise LocalStackError(f"{self.name} did not listen within {within_seconds:.0f} s", self.log)
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    async def stop(self, *, within_seconds: float = 10.0) -> None:
        """Asks it to end, and after `within_seconds` makes it."""
        if self._child is None:
            return
        if self.running:
            self.signal(self._stop_signal)
            # Of a stopped process the request would wait for ever.
            self.signal(signal.SIGCONT)
            try:
                async with asyncio.timeout(within_seconds):
                    await self.ended()
            except TimeoutError:
                self.signal(signal.SIGKILL)
                await self.ended()
        self._child.wait()
        self.pid_file.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; nothing when it has ended."""
        if self.running and self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, number)


def write_pid_file(path: Path, pid: int) -> None:
    """Notes the process and when it started."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:
        return
    path.write_text(json.dumps({"pid": pid, "started": started}))


def process_of(pid_file: Path) -> psutil.Process | None:
    """The process that the pid file notes, if it still runs and is that one."""
    try:
        noted = json.loads(pid_file.read_text())
        process = psutil.Process(int(noted["pid"]))
        same = abs(process.create_time() - float(noted["started"])) < _SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def end_leftover(pid_file: Path, *, within_seconds: float = 5.0) -> None:
    """Ends the process that the pid file notes, with its children, and removes the file."""
    process = process_of(pid_file)
    if process is not None:
        with contextlib.suppress(psutil.Error):
            family = [process, *process.children(recursive=True)]
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.send_signal(signal.SIGINT if sys.platform == "linux" else signal.SIGTERM)
                    member.resume()
            _, alive = psutil.wait_procs(family, within_seconds)
            for member in alive:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            psutil.wait_procs(alive, within_seconds)
    pid_file.unlink(missing_ok=True)
