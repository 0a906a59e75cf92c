"""The life that the servers of the local stack share: started, asked until it answers, stopped."""

import importlib.util
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from pointsman.local.process import LocalProcess, LocalStackError


def folder_of_wheel(package: str, title: str) -> Path:
    """Where the wheel of a server is. Found, not imported: what an import does besides is not wanted."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise LocalStackError(f'{title} is not installed: install the extra "pointsman[local]"')
    return Path(found.origin).parent


class LocalServer(ABC):
    """A server on a port of loopback, a child process that lives in a folder. Entering starts it, leaving stops it.

    `port` is 0 before the first start; `title` is what messages call it.
    """

    title: ClassVar[str]
    stop_within_seconds: ClassVar[float]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.port = 0
        self._process: LocalProcess | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> LocalProcess:
        if self._process is None:
            raise LocalStackError(f"{self.title} was not started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the server and waits until it answers; one that does not answer is stopped again."""
        self._process = await self._prepared()
        self._process.start()
        try:
            await self._answering(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop(within_seconds=self.stop_within_seconds)

    @abstractmethod
    async def _prepared(self) -> LocalProcess:
        """The process, with its port and all that it needs in its folder, to be started now."""

    @abstractmethod
    async def _answering(self, process: LocalProcess) -> None:
        """Waits until the started process answers. Raises `LocalStackError` when it does not."""

    def _failed(self, what: str, name: str, output: str) -> LocalStackError:
        """A program that prepares the server failed: its output is kept as the log `name`."""
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
        return LocalStackError(what, log)
