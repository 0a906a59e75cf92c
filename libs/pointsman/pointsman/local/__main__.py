"""The detached supervisor: `python -m pointsman.local FOLDER BROKER [PORT]`, as `pointsman up --detach` starts it."""

import asyncio
import signal
import sys
from pathlib import Path

import structlog

from pointsman.local.folder import StackFolder
from pointsman.local.process import LocalStackError
from pointsman.local.supervisor import ProcessSupervisor


async def supervise(supervisor: ProcessSupervisor) -> None:
    """Runs the supervisor until SIGTERM, SIGINT or SIGHUP."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await supervisor.run(stop)


def main(folder: str, broker: str, port: str | None = None) -> None:
    """Exit code 1 when the stack cannot be started; its state file says why."""
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.dev.ConsoleRenderer(colors=False)]
    )
    if broker not in ("tansu", "kafka"):
        sys.exit(f"{broker!r} is no broker: tansu, kafka")
    supervisor = ProcessSupervisor(
        StackFolder(Path(folder)),
        broker="tansu" if broker == "tansu" else "kafka",
        port=int(port) if port else None,
        announce=lambda what: structlog.get_logger().info(what),
    )
    try:
        asyncio.run(supervise(supervisor))
    except LocalStackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
