"""Replies that wait because a secret of their connector was missing or wrong leave at once when an admin sets it."""

from pointsman.runtime.logic import Database

_WAKE = """
WITH newest AS (
    SELECT connectors FROM config WHERE workspace = $1 ORDER BY version DESC LIMIT 1
), concerned AS (
    SELECT c.key AS connector FROM newest, jsonb_each(newest.connectors) AS c
    WHERE $2 IN (c.value #>> '{send,url_from}', c.value #>> '{send,secret}')
)
UPDATE delivery d SET due_at = clock_timestamp(), rounds = 0
FROM concerned
WHERE d.workspace = $1 AND d.connector = concerned.connector AND d.state = 'queued' AND d.push AND d.reason IS NOT NULL
RETURNING d.connector
"""


async def wake(db: Database, workspace: str, name: str) -> None:
    """Makes due what waits for connectors that send to, or sign with, the secret of this name, and notifies whoever
    sends it, at the commit."""
    for connector in sorted({row["connector"] for row in await db.fetch(_WAKE, workspace, name)}):
        await db.execute("SELECT pg_notify('intake', $1)", f"delivery:{workspace}/{connector}")
