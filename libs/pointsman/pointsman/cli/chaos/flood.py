"""Thousands of commands a second while something is killed: every one must end, with an outcome, a dead letter or
`abandoned`, and have its effect once or not at all.

No HTTP API of a few processes sends so many; so they are produced as an API would: under ids of their own, and again
under the same id when the send failed or the broker came back without its log. What the broker has acknowledged and
still has is never sent again: it must not be lost.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import asyncpg
import orjson
import structlog

from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.ledger import Ledger
from pointsman.cli.chaos.stack import PARTITIONS, ChaosStack
from pointsman.contracts.codec import encode_command
from pointsman.contracts.commands import TicketLabel
from pointsman.contracts.topics import COMMANDS
from pointsman.contracts.wire import actor
from pointsman.core.ids import lane_of
from pointsman.core.instant import Instant, after
from pointsman.runtime.broker import BROKER_ERRORS, BrokerLink
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited

log = structlog.get_logger(__name__)

PER_SECOND = 2_500
TICK_SECONDS = 0.05
PREPARED_AT_ONCE = 200
BURST_SECONDS = 2.0
IN_TIME_SECONDS = 300.0
HURRIED_SECONDS, HURRIED_SHARE = 0.5, 0.05
"""Some commands may soon not be applied any more: they end `abandoned`, unless they were quick."""
REAL_SHARE = 0.1
"""How many label a ticket that exists; the others are refused, which costs less."""
ONE_LANE_SHARE = 0.8
"""How many of a burst are of one workspace: its lane falls behind, and its batches end early."""
TICKETS_REMEMBERED = 50
TAGS = 6
SETTLE_SECONDS_MAX, UNCHANGED_SECONDS_MAX = 120.0, 30.0
ASKED_AT_ONCE_MAX = 20_000

OUTCOMES = "SELECT id, status, body ->> 'code' AS code FROM routing.outcome WHERE id = ANY($1::text[])"
DEAD_LETTERS = "SELECT headers FROM routing.dead_letter WHERE topic = 'commands'"
EFFECTS = "SELECT cause, count(*) AS count FROM routing.fact WHERE cause = ANY($1::text[]) GROUP BY cause"


@dataclass(slots=True)
class Sent:
    """A command on its way. `cluster` is the one that acknowledged it."""

    workspace: str
    record: tuple[bytes, bytes, list[tuple[str, bytes]]]
    cluster: str | None = None


class Flood:
    """`prepare` a burst and send it while a fault is made, `settle` once the load is over; entering links to the
    broker."""

    def __init__(self, stack: ChaosStack, ledger: Ledger, workspaces: Sequence[str], seed: int) -> None:
        self._stack, self._ledger, self._workspaces = stack, ledger, list(workspaces)
        self._random = random.Random(f"{seed}:flood")
        settings = {"broker": f"file:{stack.address_file}", "partitions": PARTITIONS, **stack.broker.settings}
        self._link = BrokerLink(RuntimeSettings(**settings))
        self._watching: asyncio.Task[None] | None = None
        self.sent_count = 0
        self.per_second_max = 0
        self.on_their_way: dict[str, Sent] = {}
        self.ended: dict[str, int] = {}
        """Command → the status of its outcome; 0 for a dead letter."""
        self.codes: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._watching = awaited(self._link.watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    # -- sending -------------------------------------------------------------------------------------------------------

    async def prepare(self, begins: Instant) -> "dict[str, Sent]":
        """The commands of a burst that begins then, most for one workspace."""
        flooded = self._random.choice(self._workspaces)
        tickets = [(posted.workspace, posted.ticket_id) for posted in self._ledger.posted.values()]
        ready = {}
        for place in range(int(BURST_SECONDS * PER_SECOND)):
            if place % PREPARED_AT_ONCE == 0:
                await asyncio.sleep(0)
            id, sent = self._command(flooded, tickets[-TICKETS_REMEMBERED:], after(begins, place / PER_SECOND))
            ready[id] = sent
        return ready

    async def burst(self, ready: "dict[str, Sent]") -> None:
        """Sends them within `BURST_SECONDS`, or as quickly as it goes."""
        waiting = list(ready.items())
        began = time.monotonic()
        sent = 0
        while sent < len(waiting):
            due = min(len(waiting), int((time.monotonic() - began) * PER_SECOND))
            await self._send(waiting[sent:due])
            sent = max(sent, due)
            await asyncio.sleep(TICK_SECONDS)
        self.per_second_max = max(self.per_second_max, round(sent / (time.monotonic() - began)))

    def _command(self, flooded: str, tickets: Sequence[tuple[str, str]], at: Instant) -> tuple[str, Sent]:
        self.sent_count += 1
        id = f"cmd_flood_{self.sent_count}"
        if tickets and self._random.random() < REAL_SHARE:
            workspace, ticket = self._random.choice(tickets)
        else:
            workspace = flooded if self._random.random() < ONE_LANE_SHARE else self._random.choice(self._workspaces)
            ticket = f"tkt_of_nobody_{self.sent_count}"
        hurried = self._random.random() < HURRIED_SHARE
        tag = (f"flood-{self._random.randrange(TAGS)}",)
        add = self._random.random() < 0.5
        command = TicketLabel(
            actor=actor("supervisor", "flood"),
            ticket_id=ticket,
            add_tags=tag if add else (),
            remove_tags=() if add else tag,
            not_after=after(at, HURRIED_SECONDS if hurried else IN_TIME_SECONDS),
            reply_to="flood",
        )
        record = encode_command(command, id=id, workspace=workspace, subject=ticket, at=at, source="chaos")
        return id, Sent(workspace, record)

    async def _send(self, commands: Sequence[tuple[str, Sent]]) -> None:
        self.on_their_way.update(commands)
        cluster = self._link.cluster
        for _, sent in commands:
            if cluster is None or cluster != self._link.cluster:
                return
            try:
                future = await self._link.send(COMMANDS, lane_of(sent.workspace, PARTITIONS), *sent.record)
            except BROKER_ERRORS:
                return
            future.add_done_callback(partial(_acknowledged, sent, cluster))

    async def _send_again(self) -> None:
        """What no broker acknowledged that still has its log."""
        cluster = self._link.cluster
        if cluster is not None:
            await self._send([(id, sent) for id, sent in self.on_their_way.items() if sent.cluster != cluster])

    # -- their ends ----------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Notes which commands have ended. Nothing while the database is away."""
        try:
            async with self._stack.database() as db:
                ids = list(self.on_their_way)
                for start in range(0, len(ids), ASKED_AT_ONCE_MAX):
                    for row in await db.fetch(OUTCOMES, ids[start : start + ASKED_AT_ONCE_MAX]):
                        self._end(row["id"], row["status"], row["code"])
                for row in await db.fetch(DEAD_LETTERS):
                    self._end(_id_of(row["headers"]), 0, "dead letter")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.info("not looked at", error=repr(error))

    def _end(self, id: str, status: int, code: str | None) -> None:
        if self.on_their_way.pop(id, None) is not None:
            self.ended[id] = status
            self.codes[code or "applied"] += 1

    async def settle(self) -> None:
        """Waits until every command has ended; gives up when nothing changes any more."""
        ends = time.monotonic() + SETTLE_SECONDS_MAX
        gives_up = time.monotonic() + UNCHANGED_SECONDS_MAX
        while self.on_their_way and time.monotonic() < min(ends, gives_up):
            before = len(self.on_their_way)
            await self._send_again()
            await asyncio.sleep(1.0)
            await self.look()
            if len(self.on_their_way) != before:
                gives_up = time.monotonic() + UNCHANGED_SECONDS_MAX

    async def verify(self, findings: Findings) -> None:
        """Every command has ended, and what was applied happened once."""
        for id, sent in self.on_their_way.items():
            findings.add("commands_unended", {"id": id, "workspace": sent.workspace, "cluster": sent.cluster})
        async with self._stack.database() as db:
            ids = list(self.ended)
            for start in range(0, len(ids), ASKED_AT_ONCE_MAX):
                rows = await db.fetch(EFFECTS, ids[start : start + ASKED_AT_ONCE_MAX])
                self._verify_effects(((row["cause"], row["count"]) for row in rows), findings)

    def _verify_effects(self, effects: Iterable[tuple[str, int]], findings: Findings) -> None:
        for id, count in effects:
            status = self.ended[id]
            if count > 1:
                findings.add("commands_doubled", {"id": id, "status": status, "records": count})
            elif not 200 <= status < 300:
                findings.add("commands_applied_though_refused", {"id": id, "status": status, "records": count})

    def summary(self) -> dict[str, Any]:
        """For the report: how many, how quickly at most, and how they ended."""
        return {"sent": self.sent_count, "per_second_max": self.per_second_max, "ended": dict(self.codes)}


def _acknowledged(sent: Sent, cluster: str, future: "asyncio.Future[Any]") -> None:
    if not future.cancelled() and future.exception() is None:
        sent.cluster = cluster


def _id_of(headers: Any) -> str:
    pairs = orjson.loads(headers) if isinstance(headers, (str, bytes)) else headers
    return next((str(value) for name, value in pairs if name == "ce_id"), "")
