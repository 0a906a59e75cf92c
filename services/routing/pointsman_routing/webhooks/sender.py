"""Sends what is queued for webhooks: signed by Standard Webhooks, at least once, in order of each ticket.

Runs beside the routing worker, for the lanes that its process owns. A round claims due deliveries (`FOR UPDATE SKIP
LOCKED`), so that two processes that own a lane one after the other never send the same one at the same time; a claim
that lapsed, because its process died, is taken again: a receiver dedupes by `webhook-id`, the event's id.

A refusal puts the event off, with a pause that doubles; after `webhook_rounds_max` it is dead. A receiver that does not
answer, or answers 5xx or 429, is paused as a whole and then asked with one event at a time. One that took nothing for
`webhook_disable_after_seconds`, or answers 410, is disabled until a person enables it: nothing more is queued, nothing
is lost.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import structlog
from prometheus_client import Counter

from pointsman.runtime import telemetry
from pointsman.runtime.clock import Clock
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.outbound import CALL_ERRORS, Outbound, OutboundAnswer
from pointsman.runtime.outbound_queue import pause_seconds, send_due
from pointsman.runtime.secrets import SecretMissing, Secrets
from pointsman.runtime.standard_webhook import signed_headers
from pointsman.runtime.tasks import Tasks
from pointsman_routing.settings import RoutingSettings
from pointsman_routing.webhooks.queue import Outbox
from pointsman_routing.webhooks.waking import wake

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""Commits come by the hundred a second: what they told is taken together."""
PAUSE_SECONDS_MAX = 300.0
REASON_CHARACTERS_MAX = 500

SENT = Counter("pointsman_webhook_deliveries_total", "Events sent to webhooks, by what became of them.", ["result"])

CLAIM = """
    UPDATE webhook_delivery d
    SET claimed_until = clock_timestamp() + make_interval(secs => $3), rounds = d.rounds + 1
    FROM (
        SELECT due.* FROM webhook w CROSS JOIN LATERAL (
            SELECT q.workspace, q.webhook, q.id FROM webhook_delivery q
            WHERE q.workspace = w.workspace AND q.webhook = w.webhook
              AND q.state = 'queued' AND q.due_at <= clock_timestamp()
              AND (q.claimed_until IS NULL OR q.claimed_until < clock_timestamp())
              AND NOT EXISTS (
                  SELECT FROM webhook_delivery earlier
                  WHERE earlier.workspace = q.workspace AND earlier.webhook = q.webhook
                    AND earlier.subject = q.subject AND earlier.state = 'queued' AND earlier.serial < q.serial)
            ORDER BY q.serial LIMIT CASE WHEN w.pause_until IS NULL THEN $2 ELSE 1 END
            FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE w.lane = ANY($1::int[]) AND w.state = 'active'
          AND (w.pause_until IS NULL OR (w.pause_until <= clock_timestamp() AND NOT EXISTS (
              SELECT FROM webhook_delivery flying
              WHERE flying.workspace = w.workspace AND flying.webhook = w.webhook
                AND flying.claimed_until > clock_timestamp())))
        LIMIT $2
    ) AS next
    WHERE d.workspace = next.workspace AND d.webhook = next.webhook AND d.id = next.id
    RETURNING d.workspace, d.webhook, d.id, d.serial, d.event::text AS event, d.rounds
"""
ADDRESS = "SELECT url_from, secret FROM webhook WHERE workspace = $1 AND webhook = $2"
TAKEN = """
    WITH taken AS (DELETE FROM webhook_delivery WHERE workspace = $1 AND webhook = $2 AND id = $3)
    UPDATE webhook SET failures = 0, failing_since = NULL, pause_until = NULL, last_error = NULL,
                       delivered_at = clock_timestamp()
    WHERE workspace = $1 AND webhook = $2
      AND (failures > 0 OR delivered_at IS NULL OR delivered_at < clock_timestamp() - interval '1 second')
"""
PUT_OFF = """
    UPDATE webhook_delivery
    SET state = $4, reason = $5, claimed_until = NULL, updated_at = clock_timestamp(),
        due_at = clock_timestamp() + make_interval(secs => $6)
    WHERE workspace = $1 AND webhook = $2 AND id = $3 AND state = 'queued'
"""
FAILED = """
    UPDATE webhook
    SET failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()), last_error = $3,
        pause_until = CASE WHEN $4 THEN clock_timestamp() + make_interval(secs => $5) ELSE pause_until END,
        state = CASE WHEN $6 OR failing_since < clock_timestamp() - make_interval(secs => $7)
                     THEN 'disabled' ELSE state END
    WHERE workspace = $1 AND webhook = $2 AND state = 'active'
    RETURNING state
"""
DISABLED = "UPDATE webhook SET disabled_at = clock_timestamp() WHERE workspace = $1 AND webhook = $2"


class NotTaken(Exception):
    """The receiver did not take it. `down`: no other event would do better now; `gone`: it wants none any more;
    `lacks`: the secret of this name is missing."""

    def __init__(
        self,
        reason: str,
        *,
        down: bool = False,
        gone: bool = False,
        after_seconds: float | None = None,
        lacks: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.down, self.gone, self.after_seconds, self.lacks = down, gone, after_seconds, lacks


class WebhookSender:
    """Runs while its context is entered. `lanes` tells the lanes that are ours now, `bell` is set at their commits."""

    def __init__(
        self,
        settings: RoutingSettings,
        clock: Clock,
        lanes: Callable[[], Collection[int]],
        bell: asyncio.Event | None = None,
    ) -> None:
        self._settings, self._clock, self._lanes = settings, clock, lanes
        self._bell = bell or asyncio.Event()
        self._due = asyncio.Event()
        self._outbound = Outbound(
            loopback=settings.webhook_to_loopback,
            timeout_seconds=settings.webhook_timeout_seconds,
            connections_max=settings.webhooks_at_once_max,
        )
        self._tasks = Tasks("routing")

    async def __aenter__(self) -> "WebhookSender":
        self._pool: Any = await open_pool(self._settings, "routing", size=4, purpose="webhooks")
        self._secrets = Secrets(self._settings, "routing", self._pool)
        sending = send_due(self._claim, self._deliver, self._due, self._settings.webhooks_at_once_max)
        self._tasks.keep(self._fill())
        self._tasks.keep(sending)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._outbound.__aexit__()
        await self._pool.close()

    async def _fill(self) -> None:
        """Queues what is told, as it is committed. Without any webhook it looks only once a moment."""
        outbox: Outbox | None = None
        while True:
            again, any_webhook = False, False
            try:
                if outbox is None:
                    incarnation = await self._pool.fetchval("SELECT incarnation FROM installation")
                    outbox = Outbox(self._pool, f"routing@{incarnation}", self._settings.webhook_queued_max)
                again, any_webhook = await outbox.fill(self._lanes())
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("events not queued for webhooks", error=repr(error))
            if again:
                self._due.set()
                continue
            await _set_within(self._bell if any_webhook else asyncio.Event(), IDLE_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)

    async def _claim(self, count_max: int) -> list[Any]:
        rows: list[Any] = await self._pool.fetch(
            CLAIM, list(self._lanes()), count_max, self._settings.webhook_claim_seconds
        )
        return sorted(rows, key=lambda row: row["serial"])

    async def _deliver(self, row: Any) -> None:
        """One event: sent, put off, or given up."""
        try:
            await self._send(row)
        except NotTaken as error:
            await self._note_failure(row, error)
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception as error:
            # A fault of ours: the event must not wait for ever without a reason.
            log.exception("event not sent", webhook=row["webhook"], id=row["id"])
            await self._note_failure(row, NotTaken(f"a fault of ours: {type(error).__name__}", down=True))
        else:
            await self._pool.execute(TAKEN, row["workspace"], row["webhook"], row["id"])
            SENT.labels("taken").inc()
        self._due.set()

    async def _note_failure(self, row: Any, error: NotTaken) -> None:
        settings, key = self._settings, (row["workspace"], row["webhook"])
        reason = str(error)[:REASON_CHARACTERS_MAX]
        dead = row["rounds"] >= settings.webhook_rounds_max
        seconds = pause_seconds(settings.webhook_backoff_seconds, row["rounds"], error.after_seconds)
        await self._pool.execute(PUT_OFF, *key, row["id"], "dead" if dead else "queued", reason, seconds)
        SENT.labels("dead" if dead else "put off").inc()
        log.info("event not taken", workspace=key[0], webhook=key[1], id=row["id"], reason=reason, dead=dead)
        paused = min(seconds, PAUSE_SECONDS_MAX)
        state = await self._pool.fetchval(
            FAILED, *key, reason, error.down, paused, error.gone, settings.webhook_disable_after_seconds
        )
        if error.lacks and await self._secrets.has(key[0], error.lacks):
            await wake(self._pool, key[0], error.lacks)  # it was set while we failed
        if dead:
            telemetry.alarm("routing", "webhook-event-dead", workspace=key[0], webhook=key[1], id=row["id"])
        if state == "disabled":
            await self._pool.execute(DISABLED, *key)
            telemetry.alarm("routing", "webhook-disabled", workspace=key[0], webhook=key[1], reason=reason)

    async def _send(self, row: Any) -> None:
        """Raises `NotTaken`."""
        definition = await self._pool.fetchrow(ADDRESS, row["workspace"], row["webhook"])
        if definition is None:
            return
        body = row["event"].encode()
        try:
            url = await self._secrets.get(row["workspace"], definition["url_from"])
            secrets = await self._secrets.values(row["workspace"], definition["secret"])
            headers = signed_headers(secrets, row["id"], body, self._clock.now())
            headers |= {"content-type": "application/cloudevents+json", "user-agent": "pointsman"}
            answer = await self._outbound.post(url, body, headers)
        except SecretMissing as error:
            raise NotTaken(str(error), down=True, lacks=error.name) from error
        except CALL_ERRORS as error:
            raise NotTaken(f"no answer: {error or type(error).__name__}", down=True) from error
        except ValueError as error:
            raise NotTaken(f"the webhook's address or secret is wrong: {error}", down=True) from error
        if not 200 <= answer.status < 300:
            raise _refused(answer)


def _refused(answer: OutboundAnswer) -> NotTaken:
    """410 means never again (Standard Webhooks); 429 and 5xx that the receiver cannot now; others this event."""
    down = answer.status == 429 or answer.status >= 500
    return NotTaken(
        f"the receiver answered {answer.status}",
        down=down,
        gone=answer.status == 410,
        after_seconds=answer.retry_after_seconds,
    )


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Waits for the event, which is cleared, or for the time to be up."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()
