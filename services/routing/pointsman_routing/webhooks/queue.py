"""From the list of events into the queue of each webhook that wants them."""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from pointsman.contracts.document import Document
from pointsman.runtime.logic import Database
from pointsman_routing import event_log
from pointsman_routing.event_log import LoggedRecord, Position

RECORDS_AT_ONCE_MAX = 200
IDLE_NUMBERS_MAX = 1_000
"""A place that moved only over what nobody wants is stored once it moved so far."""

DEFINE = """
    INSERT INTO webhook (workspace, webhook, lane, url_from, secret, events, queues, source, number, change, place)
    SELECT $1, given.webhook, $2, given.url_from, given.secret, string_to_array(given.events, ','),
           coalesce(string_to_array(nullif(given.queues, ''), ','), '{}'), $3, $4, 0, 0
    FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS given (webhook, url_from, secret, events, queues)
    ON CONFLICT (workspace, webhook) DO UPDATE
    SET lane = excluded.lane, url_from = excluded.url_from, secret = excluded.secret, events = excluded.events,
        queues = excluded.queues, state = 'active', failures = 0, failing_since = NULL, pause_until = NULL,
        disabled_at = NULL
    WHERE (webhook.lane, webhook.url_from, webhook.secret, webhook.events, webhook.queues) IS DISTINCT FROM
          (excluded.lane, excluded.url_from, excluded.secret, excluded.events, excluded.queues)
"""
FORGET = "DELETE FROM webhook WHERE workspace = $1 AND NOT webhook = ANY($2::text[])"

ACTIVE = """
    SELECT workspace, webhook, lane, events, queues, source, number, change, place,
           (SELECT count(*) FROM (
               SELECT FROM webhook_delivery d
               WHERE d.workspace = w.workspace AND d.webhook = w.webhook AND d.state = 'queued' LIMIT $2
           ) AS waiting) AS queued
    FROM webhook w WHERE lane = ANY($1::int[]) AND state = 'active'
"""
MOVE = """
    UPDATE webhook SET source = $3, number = $4, change = $5, place = $6
    WHERE workspace = $1 AND webhook = $2 AND (source, number, change, place) = ($7, $8, $9, $10)
    RETURNING 1
"""
QUEUE = """
    INSERT INTO webhook_delivery (workspace, webhook, id, subject, type, event, due_at, queued_at, updated_at)
    SELECT $1, $2, given.id, given.subject, given.type, given.event::json, clock_timestamp(), clock_timestamp(),
           clock_timestamp()
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
         AS given (id, subject, type, event, place)
    ORDER BY given.place
    ON CONFLICT DO NOTHING
"""


async def define(db: Database, workspace: str, lane: int, document: Document, source: str, number: int) -> None:
    """The webhooks of a new version, in its transaction: a new one begins behind the record `number`, one that is not
    named any more is forgotten with what waits. One whose definition changed is tried again at once."""
    hooks = document.webhooks
    await db.execute(FORGET, workspace, list(hooks))
    if not hooks:
        return
    await db.execute(
        DEFINE,
        workspace,
        lane,
        source,
        number,
        list(hooks),
        [hook.url_from for hook in hooks.values()],
        [hook.secret for hook in hooks.values()],
        [",".join(hook.events) for hook in hooks.values()],
        [",".join(hook.queues) for hook in hooks.values()],
    )


class Outbox:
    """Queues events for the webhooks of some lanes. `source` is the one that this service's facts have now.

    Several processes may do so at once: a place is moved only from where it was read.
    """

    def __init__(self, pool: Any, source: str, queued_max: int) -> None:
        self._pool, self._source, self._queued_max = pool, source, queued_max
        self._passed: dict[tuple[str, str], tuple[Position, Position]] = {}

    async def fill(self, lanes: Collection[int]) -> tuple[bool, bool]:
        """Queues what came since. (Whether something was queued or more follows, whether there is any webhook.)"""
        hooks = await self._pool.fetch(ACTIVE, list(lanes), self._queued_max)
        again = False
        for hook in hooks:
            if hook["queued"] < self._queued_max:
                again = await self._queue(hook) or again
        return again, bool(hooks)

    async def _queue(self, hook: Any) -> bool:
        key = hook["workspace"], hook["webhook"]
        stored = Position(hook["number"], hook["change"], hook["place"])
        known, passed = self._passed.get(key, (stored, stored))
        after = passed if known == stored else stored
        page = await event_log.read(
            self._pool,
            hook["source"],
            hook["lane"],
            hook["workspace"],
            after,
            types=hook["events"],
            limit=RECORDS_AT_ONCE_MAX,
        )
        events = _wanted(page.records, hook)
        source, position = hook["source"], page.position
        if source != self._source and not page.more:
            # The database was restored from a backup: what the former source told is read to its end.
            source, position = self._source, Position(-1)
        elif not events and position.number - stored.number < IDLE_NUMBERS_MAX:
            self._passed[key] = (stored, position)
            return page.more
        async with self._pool.acquire() as db, db.transaction():
            moved = await db.fetchval(MOVE, *key, source, *position, hook["source"], *stored)
            if moved and events:
                await db.execute(
                    QUEUE,
                    *key,
                    [event["id"] for event in events],
                    [event["subject"] for event in events],
                    [event["type"] for event in events],
                    [orjson.dumps(event, option=orjson.OPT_UTC_Z).decode() for event in events],
                )
        return bool(events) or page.more


def _wanted(records: Sequence[LoggedRecord], hook: Any) -> list[dict[str, Any]]:
    """The events of these types; with `queues` only those of tickets and alerts that are or come into one of them."""
    types, queues = frozenset(hook["events"]), frozenset(hook["queues"])
    found: list[dict[str, Any]] = []
    for record in records:
        named = {
            record.queue,
            *(fact.get(name) for fact in record.facts for name in ("queue", "from_queue", "to_queue")),
        }
        if not queues or queues & named:
            found += event_log.events_of(record, hook["workspace"], types)
    return found
