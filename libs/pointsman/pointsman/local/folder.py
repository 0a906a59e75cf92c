"""Where the local stack keeps what it keeps, and what it says of itself: `.pointsman/` in the checkout.

`state.json` is written by the supervisor alone, whole, at each change; a lock that its life holds tells whether it is
still true.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from pointsman.local.process import LocalStackError

BrokerKind = Literal["tansu", "kafka"]

FOLDER_VARIABLE = "POINTSMAN_STACK_FOLDER"


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process. `port` is the one it serves on (a worker's is that of its `/metrics`); `state` is `starting`,
    `running`, `restarting`, `failing` (restarted three times within a minute) or `stopped`; `restarts` counts
    those of the last minute; `zones` is what it reads time zones from, when its `/readyz` said so."""

    name: str
    pid: int | None
    port: int | None
    state: str
    log: str
    zones: str | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The stack. `state` is `stopped`, `starting`, `running`, `stopping` or `failed` (then `error` says why)."""

    state: str
    url: str | None = None
    broker: str | None = None
    key_file: str | None = None
    processes: list[ProcessStatus] = field(default_factory=list)
    error: str | None = None

    def document(self) -> dict[str, Any]:
        """As `pointsman status --json` prints it."""
        document = asdict(self)
        if self.error is None:
            del document["error"]
        return document

    def process(self, name: str) -> ProcessStatus:
        """The process of this name. Raises `LocalStackError` when there is none."""
        for process in self.processes:
            if process.name == name:
                return process
        raise LocalStackError(f"the local stack has no process {name!r}: {', '.join(p.name for p in self.processes)}")


class StackFolder:
    """The folder's layout."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.state_file = self.root / "state.json"
        self.supervisor_pid_file = self.root / "supervisor.pid"
        self.supervisor_log = self.root / "logs" / "supervisor.log"
        self.port_file = self.root / "port"
        self.broker_address_file = self.root / "broker.address"
        self.key_file = self.root / "keys" / "tokens.jwk"
        self.secrets_key_file = self.root / "keys" / "secrets.key"
        self.secrets = self.root / "secrets"
        self._lock_file = self.root / "lock"

    @classmethod
    def here(cls) -> "StackFolder":
        """`.pointsman/` of the current folder, or what `POINTSMAN_STACK_FOLDER` names."""
        return cls(Path(os.environ.get(FOLDER_VARIABLE, ".pointsman")))

    def create(self) -> None:
        """Makes the folder, for its owner and those who may pass (PostgreSQL's user). Raises `LocalStackError`."""
        try:
            for folder in (self.root, self.root / "logs", self.secrets, self.key_file.parent):
                folder.mkdir(parents=True, exist_ok=True)
            self.secrets.chmod(0o700)
            self.key_file.parent.chmod(0o700)
        except OSError as error:
            raise LocalStackError(
                f"{error.filename} cannot be made: {error.strerror} (was the stack started by another user before?)"
            ) from error

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Holds the folder for one supervisor. Raises `LocalStackError` when another one has it."""
        with self._lock_file.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LocalStackError(f"another supervisor owns {self.root}") from None
            yield

    def is_owned(self) -> bool:
        """Whether a supervisor lives."""
        try:
            with self._lock_file.open("r") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        return False

    def write_status(self, status: StackStatus) -> None:
        replace_file(self.state_file, orjson.dumps(asdict(status), option=orjson.OPT_INDENT_2))

    def status(self) -> StackStatus:
        """What the supervisor said last, or `stopped` (`failed`, when that was the end of it) when none lives."""
        said = self._said()
        if self.is_owned():
            return said or StackStatus("starting")
        keys = str(self.key_file) if self.key_file.exists() else None
        if said is not None and said.state == "failed":
            return said
        return StackStatus("stopped", key_file=keys)

    def _said(self) -> StackStatus | None:
        try:
            said = orjson.loads(self.state_file.read_bytes())
            return StackStatus(**{**said, "processes": [ProcessStatus(**process) for process in said["processes"]]})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old or the new content, never a part."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def supervisor_command(folder: StackFolder, broker: BrokerKind, port: int | None) -> list[str | Path]:
    """The command that runs a supervisor of its own (`up --detach`)."""
    command: list[str | Path] = [sys.executable, "-m", "pointsman.local", folder.root, broker]
    return command if port is None else [*command, str(port)]
