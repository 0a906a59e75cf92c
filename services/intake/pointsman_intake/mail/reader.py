"""`python -I -m pointsman_intake.mail.reader CONTROL PARENT`: the program whose forks read mail, each one at a time.

It loads what reads mail once and then forks readers, which takes milliseconds: one for each socket that comes over
CONTROL. It tells how each ended: `(number, signal, CPU microseconds)`. Forked, since a mail that takes too long, or too
much memory, is stopped surely only with its process.

A reader has so many seconds of CPU for a mail, counted by the kernel from when it begins with it, and is killed by
SIGPROF when it needs more: that it waited, or that others were busy, never counts. All of it ends with its parent.

Source: setitimer(2), ITIMER_PROF; prctl(2), PR_SET_PDEATHSIG; unix(7), SCM_RIGHTS.
"""

import ctypes
import gc
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter

from pointsman_intake.mail.message import read_mail
from pointsman_intake.parsed import NotUnderstood, ParsedMessage
from pointsman_intake.storable import kept

MEMORY_BYTES_MAX = 1 << 30
OPEN, KILL = b"O", b"K"
ASKED = struct.Struct("!cQ")
"""What the parent says over CONTROL: open a reader (with its socket) or kill it, and the reader's number."""
ENDED = struct.Struct("!QiQ")
"""What is answered when a reader ended: its number, the signal that ended it (0: none), its CPU microseconds."""
LENGTHS = struct.Struct("!IQ")
"""Before a mail and before its answer: the lengths of the JSON and of the bytes that follow."""

PARSED: TypeAdapter[ParsedMessage] = TypeAdapter(ParsedMessage)
_PR_SET_PDEATHSIG = 1
_FIRST = (
    b"From: a@example.com\r\nSubject: =?utf-8?q?a?=\r\nContent-Type: text/html; charset=x\r\n\r\n<p style='a'>"
    + "Где мой заказ? ".encode("koi8-r") * 3
)


def main(control: socket.socket, parent: int) -> int:
    """Forks and reaps until the parent is gone; the exit code."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    read_mail(_FIRST)
    gc.collect()
    gc.freeze()
    readers: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(ours, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is ours:
                    ours.recv(4_096)
                    _reap(control, readers)
                elif not _obey(control, readers, (ours, theirs)):
                    signal.set_wakeup_fd(-1)  # they end while our sockets do
                    for pid in readers:
                        os.kill(pid, signal.SIGKILL)
                    return 0


def end_with(parent: int) -> None:
    """The kernel kills this process when its parent ends in whatever way; elsewhere than on Linux it ends when it next
    looks at its socket."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _obey(control: socket.socket, readers: dict[int, int], ours: tuple[socket.socket, ...]) -> bool:
    """Does what the parent asks; False when it is gone."""
    asked, descriptors, _, _ = socket.recv_fds(control, ASKED.size, 1)
    if len(asked) < ASKED.size:
        return False
    what, number = ASKED.unpack(asked)
    if what == KILL:
        for pid in [pid for pid, known in readers.items() if known == number]:
            os.kill(pid, signal.SIGKILL)
        return True
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for inherited in (control, *ours):
                inherited.close()
            _read_mails(socket.socket(fileno=descriptors[0]), zygote)
            status = 0
        except OSError:
            pass  # the parent is gone
        finally:
            # Whatever was raised ends this process here: what follows in this program is the other one's.
            os._exit(status)
    readers[pid] = number
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _reap(control: socket.socket, readers: dict[int, int]) -> None:
    while readers:
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        control.sendall(ENDED.pack(readers.pop(pid), ended, int((used.ru_utime + used.ru_stime) * 1e6)))


# -- a reader ----------------------------------------------------------------------------------------------------------


def _read_mails(asked: socket.socket, zygote: int) -> None:
    """The forked process: reads mail until nobody asks any more."""
    for number in (signal.SIGCHLD, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    end_with(zygote)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    while lengths := _exactly(asked, LENGTHS.size):
        json_length, raw_length = LENGTHS.unpack(lengths)
        given = orjson.loads(_exactly(asked, json_length))
        raw = bytes(_exactly(asked, raw_length))
        os.nice(max(0, given["nice"] - os.nice(0)))
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, given["cpu_seconds"])
        answer, contents = _answer(raw, given)
        ended = time.process_time()
        answer |= {"cpu_seconds": ended - began, "cpu_seconds_in_all": ended}
        encoded = orjson.dumps(answer)
        signal.setitimer(signal.ITIMER_PROF, 0)
        asked.sendall(LENGTHS.pack(len(encoded), sum(map(len, contents))))
        for part in (encoded, *contents):
            asked.sendall(part)


def _answer(raw: bytes, given: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """What the mail says, its attachments' bytes apart; or why it is not understood."""
    try:
        parsed = kept(read_mail(raw, tuple(given["own_addresses"]), tuple(given["form_senders"])))
        contents = [file.content or b"" for file in parsed.files]
        files = tuple(
            replace(file, content=None, size=len(content), sha256=sha256(content).hexdigest())
            for file, content in zip(parsed.files, contents, strict=True)
        )
        return {"message": orjson.Fragment(PARSED.dump_json(replace(parsed, files=files)))}, contents
    except NotUnderstood as why:
        return {"reason": why.reason, "detail": str(why)}, []
    except Exception as error:  # whatever it is, it is kept with the mail's bytes
        return {"reason": "fault", "detail": f"reading it raised {error!r}"[:500], "trace": traceback.format_exc()}, []


def _exactly(asked: socket.socket, length: int) -> bytearray:
    """So many bytes; none when nobody asks any more."""
    found = bytearray(length)
    view, position = memoryview(found), 0
    while position < length:
        count = asked.recv_into(view[position:])
        if count == 0:
            return bytearray()
        position += count
    return found


if __name__ == "__main__":
    sys.exit(main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
