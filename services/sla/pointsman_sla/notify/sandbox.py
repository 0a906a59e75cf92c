"""What is rendered and sent for this process, in a program of its own (`sandbox_program`), restarted when it ended."""

import asyncio
import sys
from collections.abc import Mapping
from itertools import count
from typing import Any

import orjson
import structlog

from pointsman.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

GRACE_SECONDS = 5.0
ANSWER_BYTES_MAX = 1 << 20

# Nothing of ours is handed on: no secret, no proxy, no file of passwords that a library looks for.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "NETRC": "/dev/null",
    "NO_PROXY": "*",
}


class Sandbox:
    """An async context manager. `loopback`: whether addresses of this host may be told."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._ids = count(1)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading = Tasks("sla")
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> "Sandbox":
        return self

    async def __aexit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()
        await asyncio.gather(*self._reading)

    async def start(self) -> None:
        """Starts the program, which takes most of a second; else the first task does."""
        await self._running()

    async def tell(
        self, address: str, title: str, body: str, type: str, notification: str, seconds: float
    ) -> dict[str, Any]:
        """`{ok, reason, retry_after_seconds}` of telling one address, within the seconds."""
        return await self._ask(
            "tell", seconds, address=address, title=title, body=body, type=type, notification=notification
        )

    async def render(
        self, templates: Mapping[str, str], variables: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """`{ok, texts}` or `{ok, reason}` of rendering templates."""
        return await self._ask("render", seconds, templates=templates, variables=variables)

    async def _ask(self, job: str, seconds: float, **given: Any) -> dict[str, Any]:
        process = await self._running()
        id = str(next(self._ids))
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[id] = future
        task = {"id": id, "job": job, "seconds": seconds, "loopback": self._loopback, **given}
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(task, option=orjson.OPT_UTC_Z) + b"\n")
        try:
            async with asyncio.timeout(seconds + GRACE_SECONDS):
                return await future
        except TimeoutError:
            return _failed(f"not done within {seconds + GRACE_SECONDS:g} seconds")
        finally:
            self._asked.pop(id, None)

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-m", "pointsman_sla.notify.sandbox_program",
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                    env=ENVIRONMENT, limit=ANSWER_BYTES_MAX, start_new_session=True,
                )  # fmt: skip
                self._reading.start(self._read(self._process))
            return self._process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Its answers, until it ends; what was not answered then has failed."""
        assert process.stdout is not None
        asked = self._asked
        async for line in process.stdout:
            answer = orjson.loads(line)
            future = asked.get(answer.pop("id"))
            if future is not None and not future.done():
                future.set_result(answer)
        status = await process.wait()
        if self._process is process:
            log.error("the sandbox ended", status=status)
            self._process = None
        for future in asked.values():
            if not future.done():
                future.set_result(_failed("the process that sends ended"))


def _failed(reason: str) -> dict[str, Any]:
    return {"ok": False, "reason": reason, "retry_after_seconds": None}
