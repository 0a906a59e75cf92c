"""Notifications that wait because the secret with their addresses was missing or wrong are told at once when an admin
sets it."""

from pointsman.runtime.logic import Database

_WAKE = """
    WITH newest AS (
        SELECT body FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1
    ), concerned AS (
        SELECT t.key AS target
        FROM newest, jsonb_each(coalesce(nullif(newest.body #> '{sla,notify}', 'null'), '{}')) AS t
        WHERE t.value ->> 'url_from' = $2
    )
    UPDATE notification n SET due_at = clock_timestamp(), rounds = 0
    FROM concerned
    WHERE n.workspace = $1 AND n.target = concerned.target AND n.state = 'queued' AND n.reason IS NOT NULL
"""


async def wake(db: Database, workspace: str, name: str) -> None:
    """Makes due what waits for the targets whose addresses are in the secret of this name."""
    await db.execute(_WAKE, workspace, name)
