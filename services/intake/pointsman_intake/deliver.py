"""The delivery loop: replies of connectors with `send: {kind: webhook}` leave as Standard Webhooks.

A round claims due replies (`FOR UPDATE SKIP LOCKED`; of each conversation only the oldest, so that they stay in order),
sends each with a few quick tries, and reports through a slot. A claim that lapsed, because its process died, is taken
again: a receiver dedupes by `webhook-id`, the message's id. After `delivery_rounds_max` rounds the failure is final.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import stamina
import structlog

from pointsman.contracts import codec
from pointsman.contracts.topics import REQUESTS
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.group_commit import GroupCommit
from pointsman.runtime.outbound import CALL_ERRORS, Outbound, OutboundAnswer
from pointsman.runtime.outbound_queue import pause_seconds, send_due
from pointsman.runtime.secrets import SecretMissing, Secrets
from pointsman.runtime.standard_webhook import signed_headers
from pointsman.runtime.tasks import Tasks
from pointsman_intake.accept import accept_group
from pointsman_intake.connectors import Connector, ConnectorBook
from pointsman_intake.model import Arrival, Outcome, Report
from pointsman_intake.outbound_reply import reply_of
from pointsman_intake.pg_notify import PgListener
from pointsman_intake.settings import IntakeSettings
from pointsman_intake.waking import wake

log = structlog.get_logger(__name__)

QUICK_TRIES = 3

_CLAIM = """
UPDATE delivery d SET claimed_until = clock_timestamp() + make_interval(secs => $2), rounds = d.rounds + 1
WHERE (d.workspace, d.id) IN (
    SELECT q.workspace, q.id FROM delivery q
    WHERE q.state = 'queued' AND q.push AND q.due_at <= clock_timestamp()
      AND (q.claimed_until IS NULL OR q.claimed_until < clock_timestamp())
      AND NOT EXISTS (
          SELECT 1 FROM delivery earlier
          WHERE earlier.workspace = q.workspace AND earlier.connector = q.connector AND earlier.thread = q.thread
            AND earlier.state = 'queued' AND earlier.push AND earlier.number < q.number)
    ORDER BY q.due_at FOR UPDATE SKIP LOCKED LIMIT $1)
RETURNING workspace, id, connector, thread, ticket_id, body, rounds
"""

_LATER = """
UPDATE delivery SET due_at = clock_timestamp() + make_interval(secs => $3), claimed_until = NULL, reason = $4,
                    updated_at = clock_timestamp()
WHERE workspace = $1 AND id = $2 AND state = 'queued'
"""


class NotTaken(Exception):
    """The receiver did not take it. `permanent` when no later try can help; `after_seconds` when it said so;
    `lacks`: the secret of this name is missing."""

    def __init__(
        self, reason: str, *, permanent: bool = False, after_seconds: float | None = None, lacks: str | None = None
    ) -> None:
        super().__init__(reason)
        self.permanent, self.after_seconds, self.lacks = permanent, after_seconds, lacks


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it, and may have said under which id and in which conversation."""

    external_id: str | None = None
    thread: str | None = None


def reporting(settings: IntakeSettings, link: BrokerLink) -> GroupCommit[Arrival, Outcome]:
    """The slot of a process whose loops report what became of replies and files."""
    return GroupCommit(settings, service="intake", topic=REQUESTS, handle=accept_group, codec=codec, link=link)


class DeliveryLoop:
    """Runs beside the worker while its context is entered. `group` is the process's own, open as long."""

    def __init__(self, settings: IntakeSettings, group: GroupCommit[Arrival, Outcome]) -> None:
        self._settings, self._group = settings, group
        self._outbound = Outbound(
            loopback=settings.deliver_to_loopback,
            timeout_seconds=settings.delivery_timeout_seconds,
            connections_max=settings.deliveries_at_once_max,
        )
        self._tasks = Tasks("intake")

    async def __aenter__(self) -> "DeliveryLoop":
        self._pool: Any = await open_pool(self._settings, "intake", size=4, purpose="deliver")
        self._secrets = Secrets(self._settings, "intake", self._pool)
        self._book = ConnectorBook(self._pool, self._settings.config_refresh_seconds)
        self._listener = PgListener(self._settings, self._book.forget)
        self._tasks.keep(self._listener.run())
        self._tasks.keep(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._outbound.__aexit__()
        await self._pool.close()

    async def _run(self) -> None:
        with self._listener.listening("delivery") as notified:
            await send_due(self._claim, self._deliver, notified, self._settings.deliveries_at_once_max)

    async def _claim(self, count_max: int) -> list[Any]:
        rows: list[Any] = await self._pool.fetch(_CLAIM, count_max, self._settings.delivery_claim_seconds)
        return rows

    async def _deliver(self, row: Any) -> None:
        """One reply: sent, put off, or given up."""
        try:
            taken = await self._sent(row)
        except NotTaken as error:
            final = error.permanent or row["rounds"] >= self._settings.delivery_rounds_max
            log.info("reply not delivered", message=row["id"], reason=str(error), final=final, round=row["rounds"])
            if final:
                await self._report(row, "failed", reason=str(error), permanent=True)
                return
            seconds = pause_seconds(self._settings.delivery_backoff_seconds, row["rounds"], error.after_seconds)
            await self._pool.execute(_LATER, row["workspace"], row["id"], seconds, str(error)[:2000])
            if error.lacks and await self._secrets.has(row["workspace"], error.lacks):
                await wake(self._pool, row["workspace"], error.lacks)  # it was set while we failed
            return
        await self._report(row, "delivered", external_id=taken.external_id, thread=taken.thread)

    async def _report(self, row: Any, state: Any, **said: Any) -> None:
        report = Report(row["workspace"], row["connector"], state, message_id=row["id"], **said)
        at = self._group.clock.now()
        await self._group.submit(Arrival(row["workspace"], row["connector"], at, reports=(report,)))

    async def _sent(self, row: Any) -> Delivered:
        """`_send`; a fault of ours is a reason like others, so that no reply waits for ever without one."""
        try:
            return await self._send(row)
        except (NotTaken, ConnectionError, *INFRASTRUCTURE_ERRORS):
            raise
        except Exception as error:
            log.exception("reply not sent", message=row["id"])
            raise NotTaken(f"a fault of ours: {type(error).__name__}") from error

    async def _send(self, row: Any) -> Delivered:
        """Sends it, with a few quick tries. Raises `NotTaken`."""
        found = await self._book.connector(row["workspace"], row["connector"])
        if found is None:
            raise NotTaken("the connector is not configured any more")
        url, secrets = await self._address(row["workspace"], found[1])
        reply = await asyncio.to_thread(reply_of, row)
        body = orjson.dumps({"type": "reply", "timestamp": reply.get("occurred_at"), "data": reply})
        async for attempt in stamina.retry_context(
            on=_worth_a_quick_try, attempts=QUICK_TRIES, wait_initial=0.1, wait_max=1.0, timeout=None
        ):
            with attempt:
                return await self._post(url, secrets, row["id"], body)
        raise AssertionError("the last attempt raises")

    async def _address(self, workspace: str, connector: Connector) -> tuple[str, tuple[str, ...]]:
        send = connector.send
        if send is None or send.kind != "webhook":
            raise NotTaken("the connector does not send by webhook any more")
        try:
            url = await self._secrets.get(workspace, send.url_from)
            return url, await self._secrets.values(workspace, send.secret)
        except SecretMissing as error:
            raise NotTaken(str(error), lacks=error.name) from error

    async def _post(self, url: str, secrets: Sequence[str], id: str, body: bytes) -> Delivered:
        now = self._group.clock.now()
        try:
            headers = signed_headers(secrets, id, body, now)
            headers |= {"content-type": "application/json", "user-agent": "pointsman"}
            answer = await self._outbound.post(url, body, headers)
        except ValueError as error:
            raise NotTaken(f"the connector's address or secret is wrong: {error}") from error
        except CALL_ERRORS as error:
            raise NotTaken(f"no answer: {error or type(error).__name__}", after_seconds=0.0) from error
        if 200 <= answer.status < 300:
            return _taken(answer)
        raise _refused(answer)


def _worth_a_quick_try(error: Exception) -> bool:
    """No answer at all, or a server's error that named no later time."""
    return isinstance(error, NotTaken) and not error.permanent and error.after_seconds == 0.0


def _refused(answer: OutboundAnswer) -> NotTaken:
    """410 means never again (Standard Webhooks); other refusals may be repaired by a person: tried later."""
    reason = f"the receiver answered {answer.status}"
    if answer.status == 410:
        return NotTaken(reason, permanent=True)
    if answer.retry_after_seconds is not None:
        return NotTaken(reason, after_seconds=answer.retry_after_seconds)
    return NotTaken(reason, after_seconds=0.0 if answer.status >= 500 else None)


def _taken(answer: OutboundAnswer) -> Delivered:
    """A receiver may answer `{external_id?, thread?}`: the provider's names of what it made of the reply."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return Delivered()
    if not isinstance(said, dict):
        return Delivered()
    known = {name: said[name] for name in ("external_id", "thread") if isinstance(said.get(name), str)}
    return Delivered(**{name: value[:512] for name, value in known.items() if value and "\x00" not in value})
