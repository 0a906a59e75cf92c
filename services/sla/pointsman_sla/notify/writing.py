"""What the lane's transaction leaves for the sender: the items, and when their groups have a message.

A group's first message is due at once, and what comes within the window after it in one message at the window's end. A
ladder that ended (`exhausted`) is `urgent` and has groups of its own, so that nothing else delays it.
"""

from collections.abc import Sequence

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.alerts.items import Item

# Of an item that is there already nothing is written, and its group is not due again. What may be told at the lane's
# instant may be told by the database's clock as well, should that be a moment behind.
WRITE = """
    WITH new AS (
        INSERT INTO notify_item (item_id, workspace, target, group_key, kind, reason, at, not_before, queue, policy,
                                 severity, alert_id, ticket_id, clock_id, metric, cycle, priority, agent, due_at,
                                 breach_at)
        SELECT i.item_id, i.workspace, i.target, i.group_key, i.kind, i.reason, i.at,
               CASE WHEN i.not_before <= $2 THEN least(i.not_before, clock_timestamp()) ELSE i.not_before END,
               i.queue, i.policy, i.severity, i.alert_id, i.ticket_id, i.clock_id, i.metric, i.cycle, i.priority,
               i.agent, i.due_at, i.breach_at
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
                    $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
                    $17::text[], $18::int[], $19::text[], $20::text[], $21::timestamptz[], $22::timestamptz[])
             AS i (item_id, workspace, target, group_key, kind, reason, at, not_before, queue, policy, severity,
                   alert_id, ticket_id, clock_id, metric, cycle, priority, agent, due_at, breach_at)
        ON CONFLICT (item_id) DO NOTHING
        RETURNING item_id, workspace, target, group_key, kind, not_before
    )
    INSERT INTO notify_group (workspace, target, group_key, lane, urgent, within_seconds, due_at)
    SELECT new.workspace, new.target, new.group_key, $1, new.kind = 'exhausted', max(w.within_seconds),
           min(new.not_before)
    FROM new JOIN unnest($3::text[], $23::int[]) AS w (item_id, within_seconds) USING (item_id)
    GROUP BY new.workspace, new.target, new.group_key, new.kind = 'exhausted'
    ORDER BY new.workspace, new.target, new.group_key
    ON CONFLICT (workspace, target, group_key) DO UPDATE
    SET lane = excluded.lane, within_seconds = excluded.within_seconds,
        due_at = least(notify_group.due_at, greatest(
            excluded.due_at, notify_group.last_sent_at + make_interval(secs => excluded.within_seconds)))
"""


async def write_items(db: Database, lane: int, items: Sequence[Item], now: Instant) -> None:
    """Keeps the items that are not known yet and sets when their groups are due. One statement, however many."""
    if not items:
        return
    columns = [
        (
            item.id,
            item.workspace,
            item.target,
            group_key(item),
            item.kind,
            item.reason,
            item.at,
            item.not_before,
            item.queue,
            item.policy,
            item.severity,
            item.alert_id,
            item.ticket_id,
            item.clock_id,
            item.metric,
            item.cycle,
            item.priority,
            item.agent,
            item.due_at,
            item.breach_at,
            item.within_seconds,
        )
        for item in items
    ]
    await db.execute(WRITE, lane, now, *map(list, zip(*columns, strict=True)))


def group_key(item: Item) -> str:
    """What the items of one message have in common, in words: `queue billing, policy vip`."""
    parts = [f"{name} {getattr(item, name)}" for name in item.group_by if getattr(item, name) is not None]
    return ", ".join([*(["exhausted"] if item.kind == "exhausted" else []), *parts])
