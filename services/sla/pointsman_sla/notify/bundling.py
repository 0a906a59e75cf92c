"""From groups that are due to notifications: in one short transaction, so that the lane never waits for a sender.

A notification is opened empty, and takes its items up afterwards: what is committed to the group meanwhile either is
taken up as well or has made the group due again. So nothing is lost and nothing told twice, whoever is killed when.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pointsman.core.ids import random_id
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.notify.targets import NotifyTarget, Targets

GROUPS_AT_ONCE_MAX = 200
HOUR = timedelta(hours=1)

WORKSPACES = """
    SELECT DISTINCT workspace FROM notify_group WHERE lane = ANY($1::int[]) AND due_at <= clock_timestamp()
"""
DUE = """
    SELECT workspace, target, group_key, lane, urgent, clock_timestamp() AS now FROM notify_group
    WHERE lane = ANY($1::int[]) AND due_at <= clock_timestamp() AND workspace = ANY($2::text[])
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""
# Of the newest messages of each target, at most as many as it may have in an hour: how many, and the oldest of them.
RECENT = """
    SELECT t.workspace, t.target, count(n.created_at) AS messages, min(n.created_at) AS oldest
    FROM unnest($1::text[], $2::text[], $3::int[]) AS t (workspace, target, per_hour_max)
    LEFT JOIN LATERAL (
        SELECT created_at FROM notification
        WHERE workspace = t.workspace AND target = t.target AND created_at > $4::timestamptz - interval '1 hour'
          AND kind = 'message' AND NOT urgent AND state <> 'skipped'
        ORDER BY created_at DESC LIMIT t.per_hour_max
    ) AS n ON true
    GROUP BY t.workspace, t.target
"""
OPENED = """
    WITH opened AS (
        INSERT INTO notification (notification_id, workspace, target, group_key, lane, kind, state, urgent, due_at,
                                  created_at, updated_at)
        SELECT o.id, o.workspace, o.target, o.group_key, o.lane, 'message', 'queued', o.urgent, $1, $1, $1
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::boolean[])
             AS o (id, workspace, target, group_key, lane, urgent)
        RETURNING workspace, target, group_key
    )
    UPDATE notify_group g SET due_at = NULL, last_sent_at = $1 FROM opened
    WHERE (g.workspace, g.target, g.group_key) = (opened.workspace, opened.target, opened.group_key)
"""
PUT_OFF = """
    UPDATE notify_group g SET due_at = p.due_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS p (workspace, target, group_key, due_at)
    WHERE (g.workspace, g.target, g.group_key) = (p.workspace, p.target, p.group_key)
"""
TAKEN_UP = "SELECT items FROM notification WHERE notification_id = $1 FOR UPDATE"
TAKE_UP = """
    WITH told AS (
        UPDATE notify_item SET notification_id = $1
        WHERE workspace = $2 AND target = $3 AND group_key = $4 AND notification_id IS NULL AND not_before <= $5
        RETURNING 1
    )
    UPDATE notification SET items = (SELECT count(*) FROM told) WHERE notification_id = $1 RETURNING items
"""
COME_AGAIN = """
    UPDATE notify_group g
    SET due_at = least(g.due_at, greatest(rest.not_before, g.last_sent_at + make_interval(secs => g.within_seconds)))
    FROM (
        SELECT min(not_before) AS not_before FROM notify_item
        WHERE workspace = $1 AND target = $2 AND group_key = $3 AND notification_id IS NULL
    ) AS rest
    WHERE (g.workspace, g.target, g.group_key) = ($1, $2, $3) AND rest.not_before IS NOT NULL
"""


@dataclass
class _Room:
    """How many more messages a target may have this hour, and when it may have the next."""

    messages: int
    again_at: Instant


async def open_due(pool: Any, targets: Targets, lanes: Collection[int]) -> tuple[int, int]:
    """Opens a notification for each group that is due; (opened, put off). What the target is not told now, since its
    hours are over or the limit of the hour is reached, is put off. A group of a target that is gone is opened too, so
    that it is seen to be skipped."""
    workspaces = [row["workspace"] for row in await pool.fetch(WORKSPACES, list(lanes))]
    if not workspaces:
        return 0, 0
    async with pool.acquire() as db:
        known = await targets.read(db, workspaces)
        async with db.transaction():
            groups = await db.fetch(DUE, list(lanes), list(known), GROUPS_AT_ONCE_MAX)
            if not groups:
                return 0, 0
            now: Instant = groups[0]["now"]
            opened, put_off = _sorted(groups, await _rooms(db, targets, groups, now), targets, now)
            if opened:
                keys = [_key(group) for group in opened]
                ids = [random_id("ntf", now) for _ in opened]
                names = [list(names) for names in zip(*keys, strict=True)]
                places = [group["lane"] for group in opened], [group["urgent"] for group in opened]
                await db.execute(OPENED, now, ids, *names, *places)
            if put_off:
                await db.execute(PUT_OFF, *map(list, zip(*((*_key(group), at) for group, at in put_off), strict=True)))
    return len(opened), len(put_off)


def _key(group: Any) -> tuple[str, str, str]:
    return group["workspace"], group["target"], group["group_key"]


def _sorted(
    groups: Sequence[Any], rooms: dict[tuple[str, str], _Room], targets: Targets, now: Instant
) -> tuple[list[Any], list[tuple[Any, Instant]]]:
    """The groups that have their message now, and the others with when they come again."""
    opened: list[Any] = []
    put_off: list[tuple[Any, Instant]] = []
    for group in groups:
        target = targets.get(group["workspace"], group["target"])
        if target is None or group["urgent"]:
            opened.append(group)
            continue
        told_at, room = target.next_hours(now), rooms[group["workspace"], group["target"]]
        if told_at > now:
            put_off.append((group, told_at))
        elif room.messages <= 0:
            put_off.append((group, room.again_at))
        else:
            room.messages -= 1
            opened.append(group)
    return opened, put_off


async def _rooms(db: Database, targets: Targets, groups: Sequence[Any], now: Instant) -> dict[tuple[str, str], _Room]:
    wanted: dict[tuple[str, str], NotifyTarget] = {}
    for group in groups:
        target = targets.get(group["workspace"], group["target"])
        if target is not None:
            wanted[group["workspace"], group["target"]] = target
    rows = await db.fetch(
        RECENT,
        [workspace for workspace, _ in wanted],
        [name for _, name in wanted],
        [target.per_hour_max for target in wanted.values()],
        now,
    )
    return {
        key: _Room(wanted[key].per_hour_max - row["messages"], (row["oldest"] or now) + HOUR)
        for row in rows
        for key in [(row["workspace"], row["target"])]
    }


async def take_up(pool: Any, notification: Any) -> int:
    """The notification takes up its group's items, once; how many. What may not be told yet makes its group due."""
    async with pool.acquire() as db, db.transaction():
        items: int | None = await db.fetchval(TAKEN_UP, notification["id"])
        if items is None:
            now: Instant = await db.fetchval("SELECT clock_timestamp()")
            items = await db.fetchval(TAKE_UP, notification["id"], *_key(notification), now)
            await db.execute(COME_AGAIN, *_key(notification))
    return items or 0
