"""Commands as an API asks them: produce, hear the outcome, and tell the truth when there is none.

The worker writes the outcome in the batch's transaction and announces it on `outcomes`; the row is the truth and the
announcement only wakes us. When the time is up, the outcome `abandoned` is inserted under the command's id: from then
on the worker's own insert conflicts, so that the answer 503 "not applied, safe to retry" is true for good.

A command is sent again under the same id when a send failed or the broker is another: the worker settles an id once.

With an Idempotency-Key the id is derived from token, workspace, route and key, and `asked` remembers the key: a repeat
finds the outcome and answers it again, on any process; while the first is still running it is told so (409).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol

import orjson
import structlog

from pointsman.core.ids import derived_id, lane_of, random_id
from pointsman.core.instant import EPOCH, Instant, after
from pointsman.core.topic import Topic
from pointsman.runtime.broadcast import Broadcast, Heard
from pointsman.runtime.broker import BROKER_ERRORS, BrokerLink
from pointsman.runtime.clock import Clock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.http.load import aside
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited
from pointsman.runtime.transaction import ABANDONED, ABANDONED_BODY

log = structlog.get_logger(__name__)

KEY_CHARACTERS_MAX = 255
KEYS_KEPT = timedelta(hours=24)
LOOK_SECONDS = 1.0
"""How often the table is asked for outcomes that were not heard of."""
UNREACHABLE_SECONDS = 2.0
"""A broker out of reach for longer is not waited for: the command is refused before it was sent."""


class CommandBody(Protocol):
    """A command of the contracts: a frozen pydantic model with the fields that all commands carry."""

    type: ClassVar[str]

    def model_copy(self, *, update: Mapping[str, Any]) -> Any: ...


class CommandEncoder(Protocol):
    """How commands are written (pointsman.contracts.codec)."""

    def encode_command(
        self,
        command: Any,
        *,
        id: str,
        workspace: str,
        subject: str,
        at: Instant,
        source: str,
        traceparent: str | None = None,
    ) -> tuple[bytes, bytes, list[tuple[str, bytes]]]: ...


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key with what it belongs to: the token, the workspace, the route, and the digest of the body.

    The workspace too, since an operator's token is for all of them: the same key in another is another call.
    """

    key: str
    token_id: str
    workspace: str
    route: str
    body_hash: str

    @property
    def id(self) -> str:
        return derived_id("key", EPOCH, self.token_id, self.workspace, self.route, self.key)


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's outcome, or the answer to a question. A refusal is raised as `Problem` instead."""

    status: int
    body: Any
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Order:
    """A command on its way, under the id by which it is settled. Without a `partition` it goes to its workspace's."""

    command: CommandBody
    id: str
    workspace: str
    subject: str
    traceparent: str | None = None
    partition: int | None = None


@dataclass(slots=True)
class _Pending:
    """A command that waits for its outcome. `kept`: the outcome is a row, so that looking there helps."""

    id: str
    kept: bool
    outcome: "asyncio.Future[tuple[int, Any]]"
    resend: asyncio.Event = field(default_factory=asyncio.Event)


class Commander:
    """Asks the workers of one service. `process` names this process in `reply_to`."""

    def __init__(
        self,
        settings: RuntimeSettings,
        *,
        service: str,
        process: str,
        pool: Any,
        link: BrokerLink,
        broadcast: Broadcast,
        clock: Clock,
        codec: CommandEncoder,
        topic: Topic,
        outcomes: str = "outcomes",
    ) -> None:
        self._settings = settings
        self._source = f"{service}-api/{process}"
        self._process = process
        self._pool = pool
        self._link = link
        self._clock = clock
        self._codec = codec
        self._topic = topic
        self._pending: dict[str, _Pending] = {}
        broadcast.listen(outcomes, self._heard)
        link.on_change(self._broker_changed)

    async def ask(
        self,
        command: CommandBody,
        *,
        workspace: str,
        subject: str,
        key: Key | None = None,
        traceparent: str | None = None,
        partition: int | None = None,
    ) -> Answer:
        """The outcome of a command. `partition` only for commands that are about a lane and not a workspace.

        Raises `Problem`: a refusal as the worker gave it; 409 `still-running` and 422 `idempotency-key-reused` for
        keys; 503 `not-applied` when the command was certainly not applied and never will be.
        """
        kept = True
        if getattr(command, "question", False):
            id, kept = random_id("qst", self._clock.now()), False
        elif key is None:
            id = random_id("cmd", self._clock.now())
        else:
            claimed = await self._claim(key)
            if isinstance(claimed, Answer):
                return claimed
            id, command = claimed, command.model_copy(update={"body_hash": key.body_hash})
        with aside():
            return await self._run(_Order(command, id, workspace, subject, traceparent, partition), kept)

    async def tell(self, command: CommandBody, *, workspace: str, subject: str) -> None:
        """Sends a command that has no outcome; it is lost when the broker is. Raises one of `BROKER_ERRORS`."""
        await self._send(_Order(command, random_id("cmd", self._clock.now()), workspace, subject))

    async def watch(self) -> None:
        """Looks in the table for outcomes that were not heard of, and forgets old keys, until cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            try:
                await self._look([pending for pending in self._pending.values() if pending.kept])
                if looks % 600 == 1:
                    await self._pool.execute("DELETE FROM asked WHERE at < $1", self._clock.now() - KEYS_KEPT)
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("outcomes could not be looked up", error=repr(error))

    async def _claim(self, key: Key) -> Answer | str:
        """The command id to use, or the answer that the key already has. Raises `Problem` 409 and 422."""
        now = self._clock.now()
        not_after = after(now, self._settings.command_timeout_seconds)
        row = await self._pool.fetchrow(
            """
            INSERT INTO asked (id, body_hash, not_after) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET id = asked.id
            RETURNING body_hash, attempt, not_after, xmax = 0 AS mine
            """,
            key.id,
            key.body_hash,
            not_after,
        )
        if row["mine"]:
            return attempt_id(key, 0)
        if row["body_hash"] != key.body_hash:
            raise Problem(422, "idempotency-key-reused", "the Idempotency-Key was used with another body")
        id = attempt_id(key, row["attempt"])
        found = await self._pool.fetchrow("SELECT status, body FROM outcome WHERE id = $1", id)
        if found is None and now > after(row["not_after"], LOOK_SECONDS):
            # Whoever asked first is gone and cannot say what became of it: settle it now.
            found = await self._abandon(id)
        elif found is None:
            raise Problem(409, "still-running", "the first call with this key still runs", headers={"Retry-After": "1"})
        if not _is_abandoned(found["status"], found["body"]):
            return _answer(found["status"], found["body"], replayed=True)
        taken = await self._pool.fetchval(
            "UPDATE asked SET attempt = attempt + 1, not_after = $3 WHERE id = $1 AND attempt = $2 RETURNING attempt",
            key.id,
            row["attempt"],
            not_after,
        )
        if taken is None:
            raise Problem(409, "still-running", "another call with this key runs", headers={"Retry-After": "1"})
        return attempt_id(key, taken)

    async def _run(self, order: _Order, kept: bool) -> Answer:
        timeout_seconds = self._settings.command_timeout_seconds
        command = order.command.model_copy(
            update={"not_after": after(self._clock.now(), timeout_seconds), "reply_to": self._process}
        )
        order, id = replace(order, command=command), order.id
        pending = _Pending(id, kept, asyncio.get_running_loop().create_future())
        self._pending[id] = pending
        attempted = False
        try:
            async with asyncio.timeout(timeout_seconds):
                while not pending.outcome.done():
                    pending.resend.clear()
                    if self._link.out_of_reach_seconds > UNREACHABLE_SECONDS and not attempted:
                        break
                    if self._link.cluster is not None:
                        attempted = True
                        try:
                            await self._send(order)
                        except BROKER_ERRORS as error:
                            log.warning("command not sent", command=command.type, error=repr(error))
                            self._link.doubt()
                            await asyncio.sleep(0.1)
                            continue
                    await self._outcome_or_resend(pending)
        except TimeoutError:
            log.warning("no outcome in time", command=command.type, id=id)
        finally:
            del self._pending[id]
        if pending.outcome.done():
            status, body = pending.outcome.result()
            return _answer(status, body)
        if not kept:
            raise _unanswered()
        found = await self._abandon(id)
        return _answer(found["status"], found["body"])

    async def _outcome_or_resend(self, pending: _Pending) -> None:
        resend = awaited(pending.resend.wait())
        try:
            # While the broker is out of reach nothing was sent yet: look again soon.
            waits: set[asyncio.Future[Any]] = {resend, pending.outcome}
            await asyncio.wait(
                waits,
                return_when=asyncio.FIRST_COMPLETED,
                timeout=None if self._link.cluster is not None else 0.1,
            )
        finally:
            resend.cancel()

    async def _send(self, order: _Order) -> None:
        key, value, headers = self._codec.encode_command(
            order.command,
            id=order.id,
            workspace=order.workspace,
            subject=order.subject,
            at=self._clock.now(),
            source=self._source,
            traceparent=order.traceparent,
        )
        partition = order.partition
        if partition is None:
            partition = lane_of(order.workspace, self._settings.partitions)
        await (await self._link.send(self._topic, partition, key, value, headers))

    async def _abandon(self, id: str) -> Any:
        """Settles a command as abandoned, unless it has an outcome; returns the outcome that stands."""
        inserted = await self._pool.fetchrow(
            """
            INSERT INTO outcome (id, status, body) VALUES ($1, 503, $2)
            ON CONFLICT (id) DO NOTHING RETURNING status, body
            """,
            id,
            ABANDONED_BODY,
        )
        return inserted or await self._pool.fetchrow("SELECT status, body FROM outcome WHERE id = $1", id)

    async def _look(self, waiting: Sequence[_Pending]) -> None:
        if not waiting:
            return
        by_id = {pending.id: pending for pending in waiting}
        for row in await self._pool.fetch("SELECT id, status, body FROM outcome WHERE id = ANY($1)", list(by_id)):
            _settle(by_id[row["id"]], row["status"], row["body"])

    def _heard(self, heard: Heard) -> None:
        pending = self._pending.get(heard.header("ce_id"))
        if pending is not None and heard.header("reply_to") == self._process:
            value = orjson.loads(heard.arrived.value or b"{}")
            _settle(pending, value["status"], value["body"])

    def _broker_changed(self) -> None:
        if self._link.cluster is not None:
            for pending in self._pending.values():
                pending.resend.set()


def attempt_id(key: Key, attempt: int) -> str:
    """The id of the command that a key stands for, the `attempt`th time that the one before was abandoned."""
    return derived_id("cmd", EPOCH, key.id, attempt)


def _settle(pending: _Pending, status: int, body: Any) -> None:
    if not pending.outcome.done():
        pending.outcome.set_result((status, body))


def _is_abandoned(status: int, body: Any) -> bool:
    return status == 503 and (body is None or body.get("code") == ABANDONED)


def _answer(status: int, body: Any, *, replayed: bool = False) -> Answer:
    if _is_abandoned(status, body):
        raise _unanswered()
    if status >= 400:
        raise Problem.of_refusal(body, {"Idempotency-Replayed": "true"} if replayed else None)
    return Answer(status, body, replayed)


def _unanswered() -> Problem:
    return Problem(503, "not-applied", "not applied, and safe to retry", headers={"Retry-After": "1"})
