"""The readers of this process: mail is read in processes that can be killed, and no mail waits for another's bomb.

A program of its own (`mail.reader`) forks them. A reader has a limit of CPU for each mail, which counts from when it
begins with it; one that needs more is killed, its mail is too slow, and another takes its place. Small mails have
readers of their own. Mails that wait are taken by when they came and how large they are, so that a small one does not
wait behind many large ones, and a large one not for ever.
"""

import asyncio
import heapq
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from itertools import count
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Histogram

from pointsman.runtime.http.problems import Problem
from pointsman.runtime.tasks import Tasks, within
from pointsman_intake.mail.reader import ASKED, ENDED, KILL, LENGTHS, OPEN, PARSED
from pointsman_intake.parsed import NotUnderstood, ParsedMessage
from pointsman_intake.settings import IntakeSettings

log = structlog.get_logger(__name__)

QUICK_BYTES_MAX = 32_768
"""A mail up to this size is small."""
QUICK_READERS, LARGE_READERS = 2, 2
QUICK_SECONDS_PER_MEGABYTE, LARGE_SECONDS_PER_MEGABYTE = 30.0, 1.0
"""So much later does a mail count as come for its size."""
LARGE_NICE = 10
MEGABYTE = 1_048_576
WAITING_BYTES_MAX = 256 * MEGABYTE
WARM_UP_SECONDS = 1.0
END_SECONDS = 2.0
TRIES = 2

CPU = Histogram(
    "pointsman_mail_read_cpu_seconds",
    "CPU time of reading one mail, killed readers included.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
ENDED_READERS = Counter(
    "pointsman_mail_readers_ended_total", "Readers that ended with a mail in hand, by why.", ["reason"]
)

# Nothing of ours is handed on: a reader needs no secret.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


class ReaderEnded(Exception):
    """The process that read it ended; `signal` is what ended it (0: none)."""

    def __init__(self, ended_by: int) -> None:
        super().__init__(f"the process that read it ended ({_name_of(ended_by)})")
        self.signal = ended_by


@dataclass(slots=True)
class _Reader:
    """A process with which we talk, and the CPU that its mails took."""

    number: int
    reading: asyncio.StreamReader
    writing: asyncio.StreamWriter
    cpu_seconds: float = 0.0


@dataclass(slots=True)
class _Lane:
    """So many readers, and who waits for one: (when it is their turn, order, what to tell)."""

    nice: int
    left: int
    seconds_per_megabyte: float
    idle: list[_Reader] = field(default_factory=list)
    waiting: list[tuple[float, int, "asyncio.Future[None]"]] = field(default_factory=list)


class Readers:
    """An async context manager. The program is started when a mail comes, or a while after its process began."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._settings = settings
        self._quick, self._large = (
            _Lane(0, QUICK_READERS, QUICK_SECONDS_PER_MEGABYTE),
            _Lane(LARGE_NICE, LARGE_READERS, LARGE_SECONDS_PER_MEGABYTE),
        )
        self._order, self._numbers = count(), count(1)
        self._ended: dict[int, asyncio.Future[tuple[int, int]]] = {}
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._tasks = Tasks("intake")
        self._bytes = 0

    async def __aenter__(self) -> "Readers":
        self._tasks.start(self._warm_up())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        for lane in (self._quick, self._large):
            for reader in lane.idle:
                reader.writing.close()
            lane.idle.clear()
        if self._control is not None:
            self._control.close()
        process, self._process = self._process, None
        if process is not None and not await within(process.wait(), END_SECONDS):
            process.kill()
            await process.wait()

    async def read(
        self,
        raw: bytes,
        own_addresses: Sequence[str],
        form_senders: Sequence[str] = (),
        *,
        cpu_seconds: float | None = None,
    ) -> ParsedMessage:
        """What the mail says, as it can be kept. Raises `NotUnderstood`, and `Problem` 503 when too much waits or no
        process can be had; nothing was written then.

        `cpu_seconds` instead of the settings' limit, for a person who wants a mail read again.
        """
        if self._bytes + len(raw) > WAITING_BYTES_MAX:
            raise Problem(503, "overloaded", "too much mail waits to be read; repeat the call", headers=_RETRY)
        settings = self._settings
        if cpu_seconds is None:
            beyond = max(0, len(raw) - MEGABYTE) / MEGABYTE
            cpu_seconds = settings.email_cpu_seconds_max + beyond * settings.email_cpu_seconds_per_megabyte
        self._bytes += len(raw)
        try:
            given = {"own_addresses": own_addresses, "form_senders": form_senders, "cpu_seconds": cpu_seconds}
            return await self._read(raw, given)
        finally:
            self._bytes -= len(raw)

    async def _read(self, raw: bytes, given: dict[str, Any]) -> ParsedMessage:
        """In one reader; in another when that ended, or stood still, through no fault of the mail that we can see."""
        ended: ReaderEnded | None = None
        for _ in range(TRIES):
            try:
                return await self._read_once(raw, given)
            except ReaderEnded as why:
                if why.signal == signal.SIGPROF:
                    ENDED_READERS.labels("too-slow").inc()
                    cpu_seconds = given["cpu_seconds"]
                    raise NotUnderstood("too-slow", f"reading it takes more than {cpu_seconds:g} s of CPU") from why
                ended = why
                log.warning("a reader ended", error=str(why), bytes=len(raw))
                ENDED_READERS.labels("ended").inc()
                self._dismiss_idle(self._lane_of(raw))
            except (TimeoutError, OSError) as error:
                log.warning("a mail was not read", error=repr(error), bytes=len(raw))
                ENDED_READERS.labels("stood still").inc()
        if ended is not None:
            raise NotUnderstood("reader-ended", str(ended))
        raise Problem(503, "unavailable", "no process could read the mail; repeat the call", headers=_RETRY)

    async def _read_once(self, raw: bytes, given: dict[str, Any]) -> ParsedMessage:
        lane = self._lane_of(raw)
        reader = await self._take(lane, time.monotonic() + len(raw) / MEGABYTE * lane.seconds_per_megabyte)
        whole = False
        try:
            async with asyncio.timeout(self._settings.email_parse_seconds_max + given["cpu_seconds"]):
                message = await self._ask(reader, raw, given | {"nice": lane.nice})
            whole = True
            return message
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ReaderEnded(await self._why(reader)) from error
        except NotUnderstood:
            whole = True
            raise
        finally:
            self._give_back(lane, reader, whole=whole)

    async def _ask(self, reader: _Reader, raw: bytes, given: dict[str, Any]) -> ParsedMessage:
        asked = orjson.dumps(given)
        reader.writing.writelines((LENGTHS.pack(len(asked), len(raw)), asked, raw))
        await reader.writing.drain()
        lengths = LENGTHS.unpack(await reader.reading.readexactly(LENGTHS.size))
        answer = orjson.loads(await reader.reading.readexactly(lengths[0]))
        contents = await reader.reading.readexactly(lengths[1])
        CPU.observe(answer["cpu_seconds"])
        reader.cpu_seconds = answer["cpu_seconds_in_all"]
        if "message" in answer:
            return _message(answer["message"], contents)
        if "trace" in answer:
            log.error("reading a mail raised", error=answer["detail"], trace=answer["trace"])
        raise NotUnderstood(answer["reason"], answer["detail"])

    # -- who is free, and whose turn it is -----------------------------------------------------------------------------

    async def _take(self, lane: _Lane, turn: float) -> _Reader:
        if lane.left == 0:
            free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(lane.waiting, (turn, next(self._order), free))
            try:
                await free
            except asyncio.CancelledError:
                if free.done() and not free.cancelled():
                    self._free(lane)
                raise
        else:
            lane.left -= 1
        try:
            while lane.idle:
                reader = lane.idle.pop()
                if reader.number in self._ended:
                    return reader
                reader.writing.close()
            return await self._open()
        except BaseException:
            self._free(lane)
            raise

    def _give_back(self, lane: _Lane, reader: _Reader, *, whole: bool) -> None:
        """`whole`: the reader has answered and can be asked again."""
        if whole:
            lane.idle.append(reader)
        else:
            reader.writing.close()
            self._say(KILL, reader.number)
        self._free(lane)

    def _lane_of(self, raw: bytes) -> _Lane:
        return self._quick if len(raw) <= QUICK_BYTES_MAX else self._large

    def _dismiss_idle(self, lane: _Lane) -> None:
        """What ended one reader may have ended all: the next mail, and this one again, gets a reader that is new."""
        while lane.idle:
            reader = lane.idle.pop()
            reader.writing.close()
            self._say(KILL, reader.number)

    def _free(self, lane: _Lane) -> None:
        """One more may have a reader."""
        while lane.waiting:
            _, _, free = heapq.heappop(lane.waiting)
            if not free.done():
                free.set_result(None)
                return
        lane.left += 1

    # -- the program that forks them -----------------------------------------------------------------------------------

    async def _warm_up(self) -> None:
        """Starts the program before it is needed, but not while the process itself begins."""
        await asyncio.sleep(WARM_UP_SECONDS)
        try:
            for lane in (self._quick, self._large):
                self._give_back(lane, await self._take(lane, 0.0), whole=True)
        except OSError as error:  # the first mail tries again
            log.warning("the readers of mail were not started", error=repr(error))

    async def _open(self) -> _Reader:
        """A new reader. Raises `OSError` when there can be none."""
        number = next(self._numbers)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                await self._hand_over(number, theirs)
            except BaseException:  # whoever asked may have gone as well
                ours.close()
                raise
        self._ended[number] = asyncio.get_running_loop().create_future()
        reading, writing = await asyncio.open_unix_connection(sock=ours)
        return _Reader(number, reading, writing)

    async def _hand_over(self, number: int, theirs: socket.socket) -> None:
        """Has a reader forked that has this end of the pair. Raises `OSError`."""
        for _ in range(TRIES):
            async with self._starting:
                if self._control is None:
                    await self._start()
            if self._say(OPEN, number, theirs):
                return
        raise ConnectionError("the program that forks the readers has ended")

    async def _start(self) -> None:
        control, theirs = socket.socketpair()
        control.setblocking(False)
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-m", "pointsman_intake.mail.reader", str(theirs.fileno()), str(os.getpid()),
                    stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),), env=ENVIRONMENT,
                    start_new_session=True,
                )  # fmt: skip
            except BaseException:
                control.close()
                raise
        self._control = control
        self._tasks.start(self._listen(control, self._process))

    def _say(self, what: bytes, number: int, descriptor: socket.socket | None = None) -> bool:
        """Whether the program could be told."""
        if self._control is None:
            return False
        descriptors = [] if descriptor is None else [descriptor.fileno()]
        try:
            socket.send_fds(self._control, [ASKED.pack(what, number)], descriptors)
        except OSError:
            self._control = None
            return False
        return True

    async def _listen(self, control: socket.socket, process: asyncio.subprocess.Process) -> None:
        """How readers ended, until the program does."""
        loop = asyncio.get_running_loop()
        unread = b""
        with control:
            while True:
                try:
                    more = await loop.sock_recv(control, 4_096)
                except ConnectionError:
                    more = b""
                if not more:
                    break
                unread += more
                while len(unread) >= ENDED.size:
                    number, ended_by, cpu = ENDED.unpack(unread[: ENDED.size])
                    unread = unread[ENDED.size :]
                    future = self._ended.pop(number, None)
                    if future is not None and not future.done():
                        future.set_result((ended_by, cpu))
        if self._control is control:
            self._control = None
        for future in self._ended.values():
            if not future.done():
                future.set_result((0, 0))
        self._ended.clear()
        log.error("the program that forks the readers of mail ended", status=await process.wait())

    async def _why(self, reader: _Reader) -> int:
        """The signal that ended the reader, as the program tells it; 0 when it does not."""
        future = self._ended.get(reader.number)
        if future is None:
            return 0
        try:
            async with asyncio.timeout(END_SECONDS):
                ended_by, cpu = await asyncio.shield(future)
        except TimeoutError:
            return 0
        CPU.observe(max(0.0, cpu / 1e6 - reader.cpu_seconds))
        return ended_by


_RETRY = {"Retry-After": "1"}


def _message(given: dict[str, Any], contents: bytes) -> ParsedMessage:
    read = PARSED.validate_python(given)
    files, position = [], 0
    for file in read.files:
        end = position + (file.size or 0)
        files.append(replace(file, content=contents[position:end]))
        position = end
    at = None if read.occurred_at is None else read.occurred_at.astimezone(UTC)
    return replace(read, files=tuple(files), occurred_at=at)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "without a signal"
