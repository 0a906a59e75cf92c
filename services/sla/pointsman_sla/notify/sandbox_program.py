"""`python -m pointsman_sla.notify.sandbox_program`: the program that does tasks, each in a process forked for it.

Reads tasks as lines of JSON (`{id, job, seconds, …}`) and answers each with one (`{id, ok, …}`), in any order. An
task that takes longer than its seconds is killed. The program ends, with all tasks, when its input does.

Forked, since a receiver that hangs, or a template that does not end, is stopped surely only with its process, and since
the guard of a task must not bind who started it. Apprise is loaded once, before: a fork takes some milliseconds.
"""

import os
import selectors
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import orjson
from apprise.manager_plugins import NotificationManager

from pointsman_sla.notify import sandbox_task

ANSWER_BYTES_MAX = 1 << 18


@dataclass(slots=True)
class Running:
    """A task under way: its process, and what it answered so far."""

    id: str
    pid: int
    seconds: float
    deadline: float
    answer: bytes = b""
    late: bool = False


def main() -> int:
    """Runs until the input ends; the exit code."""
    plugins: Any = NotificationManager
    plugins().load_modules()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wanted = sys.stdin.fileno()
    os.set_blocking(wanted, False)
    with selectors.DefaultSelector() as selector:
        selector.register(wanted, selectors.EVENT_READ, None)
        unread = b""
        while True:
            running = [key.data for key in selector.get_map().values() if key.data is not None]
            rest = min((one.deadline for one in running if not one.late), default=None)
            for key, _ in selector.select(None if rest is None else max(0.0, rest - time.monotonic())):
                if key.data is not None:
                    _hear(selector, key.fd, key.data)
                    continue
                read = os.read(wanted, 1 << 16)
                if not read:
                    return _end(running)
                *lines, unread = (unread + read).split(b"\n")
                for line in lines:
                    _start(selector, orjson.loads(line))
            for one in running:
                if not one.late and one.deadline <= time.monotonic():
                    one.late = True
                    os.kill(one.pid, signal.SIGKILL)


def _start(selector: selectors.BaseSelector, given: dict[str, Any]) -> None:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        _do(given, theirs)
    os.close(theirs)
    seconds = float(given["seconds"])
    selector.register(ours, selectors.EVENT_READ, Running(given["id"], pid, seconds, time.monotonic() + seconds))


def _do(given: dict[str, Any], answers: int) -> None:
    """The forked process: does the task, answers and ends. Never returns."""
    status = 1
    try:
        # What a library prints would be taken for an answer.
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(nothing, descriptor)
        os.write(answers, orjson.dumps(sandbox_task.run(given)))
        status = 0
    finally:
        # Whatever was raised ends this process here: what follows in this program is the other one's.
        os._exit(status)


def _hear(selector: selectors.BaseSelector, ours: int, one: Running) -> None:
    """What a task's process said; its end when it says no more."""
    read = os.read(ours, 1 << 16)
    if read and len(one.answer) < ANSWER_BYTES_MAX:
        one.answer += read
        return
    selector.unregister(ours)
    os.close(ours)
    _, status = os.waitpid(one.pid, 0)
    if one.late:
        answer: dict[str, Any] = {"ok": False, "reason": f"not done within {one.seconds:g} seconds"}
    elif status != 0:
        answer = {"ok": False, "reason": "the task broke off"}
    else:
        answer = orjson.loads(one.answer)
    said = orjson.dumps({"retry_after_seconds": None, **answer, "id": one.id}) + b"\n"
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()


def _end(running: list[Running]) -> int:
    for one in running:
        os.kill(one.pid, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
