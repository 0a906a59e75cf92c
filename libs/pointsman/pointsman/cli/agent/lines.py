"""Lines of standard input, whether it is a terminal, a pipe or a file, while other things go on."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

READ_BYTES = 4096


async def lines_of_input(descriptor: int = 0) -> AsyncIterator[str]:
    """Each line without its end, until the input ends.

    A thread of its own reads the descriptor itself: it may wait for ever without keeping the process from ending, and
    holds no lock of `sys.stdin` then.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def put(line: str | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        rest = b""
        while chunk := os.read(descriptor, READ_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                put(line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            put(rest.decode("utf-8", "replace"))
        put(None)

    threading.Thread(target=read, daemon=True, name="input").start()
    while (line := await lines.get()) is not None:
        yield line
