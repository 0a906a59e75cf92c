"""A notification's row from its claim to its end, and the lines that alerts' timelines have of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

REASON_CHARACTERS_MAX = 500

# Of a target one at a time: a receiver that hangs holds up nobody else.
CLAIM = """
    UPDATE notification n
    SET claimed_until = clock_timestamp() + make_interval(secs => $3), rounds = n.rounds + 1
    FROM (
        SELECT q.notification_id FROM notification q
        WHERE q.lane = ANY($1::int[]) AND q.state = 'queued' AND q.due_at <= clock_timestamp()
          AND (q.claimed_until IS NULL OR q.claimed_until < clock_timestamp())
          AND NOT EXISTS (
              SELECT FROM notification other
              WHERE other.workspace = q.workspace AND other.target = q.target AND other.state = 'queued'
                AND other.notification_id <> q.notification_id
                AND (other.claimed_until > clock_timestamp()
                     OR (other.due_at <= clock_timestamp()
                         AND (other.due_at, other.notification_id) < (q.due_at, q.notification_id))))
        ORDER BY q.due_at LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE n.notification_id = next.notification_id
    RETURNING n.notification_id AS id, n.workspace, n.target, n.group_key, n.kind, n.items, n.rounds, n.by_hand, n.taken
"""
KEEP_TEXT = """
    UPDATE notification SET title = $2, body = $3, remark = $4, alerts = $5, updated_at = clock_timestamp()
    WHERE notification_id = $1
"""
SENT = """
    WITH done AS (
        UPDATE notification
        SET state = 'sent', reason = NULL, claimed_until = NULL, sent_at = clock_timestamp(),
            updated_at = clock_timestamp()
        WHERE notification_id = $1 AND state = 'queued'
        RETURNING extract(epoch FROM sent_at - created_at)::float8 AS seconds
    ), told AS (
        INSERT INTO alert_event (alert_id, at, kind, comment)
        SELECT alert_id, clock_timestamp(), 'notified', $3 FROM done, unnest($2::text[]) AS told (alert_id)
    )
    SELECT seconds FROM done
"""
PUT_OFF = """
    WITH done AS (
        UPDATE notification
        SET state = $3, reason = $4, taken = $5, claimed_until = NULL, updated_at = clock_timestamp(),
            due_at = clock_timestamp() + make_interval(secs => $6)
        WHERE notification_id = $1 AND state = 'queued' RETURNING 1
    )
    INSERT INTO alert_event (alert_id, at, kind, comment)
    SELECT alert_id, clock_timestamp(), 'notification_failed', $7 FROM done, unnest($2::text[]) AS told (alert_id)
"""
SKIP = """
    UPDATE notification
    SET state = 'skipped', reason = $2, claimed_until = NULL, updated_at = clock_timestamp()
    WHERE notification_id = $1 AND state = 'queued'
"""
DROP = "DELETE FROM notification WHERE notification_id = $1 AND items = 0"
KEEP_LINKS = """
    INSERT INTO ack_link (token_hash, workspace, alert_id, target, created_at, expires_at)
    SELECT l.token_hash, $1, l.alert_id, $2, clock_timestamp(), clock_timestamp() + make_interval(secs => $3)
    FROM unnest($4::bytea[], $5::text[]) AS l (token_hash, alert_id)
"""
TIDY = (
    """
    DELETE FROM notify_item i USING notification n
    WHERE i.notification_id = n.notification_id AND n.lane = ANY($1::int[]) AND n.state <> 'queued'
      AND n.updated_at < clock_timestamp() - make_interval(days => $2)
    """,
    """
    DELETE FROM notification
    WHERE lane = ANY($1::int[]) AND state <> 'queued' AND updated_at < clock_timestamp() - make_interval(days => $2)
    """,
    """
    DELETE FROM notify_group
    WHERE lane = ANY($1::int[]) AND due_at IS NULL AND last_sent_at < clock_timestamp() - make_interval(days => $2)
    """,
)
TIDY_LINKS = "DELETE FROM ack_link WHERE expires_at < clock_timestamp()"


async def claim(pool: Any, lanes: Collection[int], count_max: int, seconds: float) -> list[Any]:
    """Due notifications, which are ours for so many seconds."""
    rows: list[Any] = await pool.fetch(CLAIM, list(lanes), count_max, seconds)
    return rows


async def keep_text(pool: Any, row: Any, title: str, body: str, remark: str | None, alerts: Sequence[str]) -> None:
    """What is being sent, for those who look later."""
    await pool.execute(KEEP_TEXT, row["id"], title, body, remark, list(alerts))


async def sent(pool: Any, row: Any, alerts: Sequence[str]) -> float | None:
    """All addresses took it; its alerts' timelines say so. How long it took since it was opened, in seconds; None when
    another has said so before."""
    seconds: float | None = await pool.fetchval(SENT, row["id"], list(alerts), f"{row['target']}: {row['id']}")
    return seconds


async def put_off(
    pool: Any, row: Any, alerts: Sequence[str], reason: str, taken: Sequence[str], seconds: float, *, dead: bool
) -> None:
    """It was not taken: again after so many seconds, or never. Timelines tell of the first failure and of the last."""
    reason = reason[:REASON_CHARACTERS_MAX]
    told = alerts if dead or row["rounds"] == 1 else ()
    comment = f"{row['target']}: {row['id']}{' is dead' if dead else ''}: {reason}"
    state = "dead" if dead else "queued"
    await pool.execute(PUT_OFF, row["id"], list(told), state, reason, list(taken), seconds, comment)


async def skip(pool: Any, row: Any, reason: str) -> None:
    """It is not sent."""
    await pool.execute(SKIP, row["id"], reason)


async def drop(pool: Any, row: Any) -> None:
    """It has nothing to say."""
    await pool.execute(DROP, row["id"])


async def keep_links(pool: Any, row: Any, hashes: Mapping[str, bytes], seconds: int) -> None:
    """Alert → the SHA-256 of the token that acknowledges it."""
    if hashes:
        await pool.execute(KEEP_LINKS, row["workspace"], row["target"], seconds, list(hashes.values()), list(hashes))


async def tidy(pool: Any, lanes: Collection[int], days: int) -> None:
    """Forgets what is old."""
    for statement in TIDY:
        await pool.execute(statement, list(lanes), days)
    await pool.execute(TIDY_LINKS)
