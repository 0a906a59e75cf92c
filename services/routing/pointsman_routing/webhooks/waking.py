"""A webhook that waits because its secret was missing or wrong is tried at once when an admin sets it."""

from pointsman.runtime.logic import Database

# The webhook's row is the lock that a failure waits for, too.
_WAKE = """
    WITH woken AS (
        UPDATE webhook SET pause_until = NULL
        WHERE workspace = $1 AND $2 IN (url_from, secret) AND state = 'active'
        RETURNING webhook
    )
    UPDATE webhook_delivery d SET due_at = clock_timestamp(), rounds = 0
    FROM woken
    WHERE d.workspace = $1 AND d.webhook = woken.webhook AND d.state = 'queued' AND d.reason IS NOT NULL
"""


async def wake(db: Database, workspace: str, name: str) -> None:
    """Makes due what waits for the webhooks that are called at, or signed with, the secret of this name."""
    await db.execute(_WAKE, workspace, name)
