"""Edits and deletions, on the messages that they are about.

A message is shown as its latest edit says, and a deleted one says nothing, nor do its edits: their words are gone from
the table. Both are computed from what there is by now, so that it does not matter in which order, or how often, a
message, its edits and its deletion come. Of edits of the same instant the one with the greater id is the latest. The
files are those of the latest edit that brought some, else the message's own.
"""

from collections.abc import Iterable

from pointsman.runtime.logic import Database
from pointsman_routing.desk.state.model import Inbound
from pointsman_routing.rows import columns_of

AMENDING = frozenset({"edit", "delete"})

# `LIMIT` keeps the look-up of each by the index, whatever size the table had when the plan was made.
AMENDED = """
    SELECT k.* FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, id) CROSS JOIN LATERAL (
        SELECT 1 FROM message m
        WHERE m.workspace = k.workspace AND m.connector = k.connector AND m.replaces = k.id
          AND m.kind IN ('edit', 'delete') LIMIT 1
    ) AS amendment
"""

EDIT = """
    WITH asked AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, id)
    ), latest AS (
        SELECT asked.*, edit.*, files.attachments FROM asked CROSS JOIN LATERAL (
            SELECT text, html, truncated, occurred_at FROM message e
            WHERE e.workspace = asked.workspace AND e.connector = asked.connector AND e.replaces = asked.id
              AND e.kind = 'edit'
            ORDER BY e.occurred_at DESC, length(e.external_id) DESC, e.external_id DESC LIMIT 1
        ) AS edit LEFT JOIN LATERAL (
            SELECT attachments FROM message e
            WHERE e.workspace = asked.workspace AND e.connector = asked.connector AND e.replaces = asked.id
              AND e.kind = 'edit' AND e.attachments <> '[]'
            ORDER BY e.occurred_at DESC, length(e.external_id) DESC, e.external_id DESC LIMIT 1
        ) AS files ON true
    )
    UPDATE message m
    SET text = latest.text, reply_text = NULL, html = latest.html, truncated = latest.truncated,
        attachments = coalesce(latest.attachments, m.attachments),
        edited_at = latest.occurred_at
    FROM latest
    WHERE m.workspace = latest.workspace AND m.connector = latest.connector AND m.external_id = latest.id
"""

DELETE = """
    WITH asked AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, id)
    ), deleted AS (
        SELECT asked.*, deletion.at FROM asked CROSS JOIN LATERAL (
            SELECT min(occurred_at) AS at FROM message d
            WHERE d.workspace = asked.workspace AND d.connector = asked.connector AND d.replaces = asked.id
              AND d.kind = 'delete'
        ) AS deletion WHERE deletion.at IS NOT NULL
    ), said AS (
        SELECT m.workspace, m.id, deleted.at FROM deleted JOIN message m
            ON m.workspace = deleted.workspace AND m.connector = deleted.connector AND m.external_id = deleted.id
        UNION ALL
        SELECT m.workspace, m.id, deleted.at FROM deleted JOIN message m
            ON m.workspace = deleted.workspace AND m.connector = deleted.connector AND m.replaces = deleted.id
        WHERE m.kind = 'edit'
    )
    UPDATE message m
    SET text = '', reply_text = NULL, html = NULL, attachments = '[]', truncated = false, deleted_at = said.at
    FROM said WHERE m.workspace = said.workspace AND m.id = said.id
"""


async def amend(db: Database, inbound: Iterable[tuple[str, Inbound]]) -> None:
    """Applies what is known of edits and deletions to these messages, (workspace, message), which are in the table, and
    to those that they are about."""
    keys = set()
    for workspace, each in inbound:
        message = each.message
        keys.add((workspace, message.connector, message.external_id))
        if message.kind in AMENDING and message.replaces is not None:
            keys.add((workspace, message.connector, message.replaces))
    amended = await db.fetch(AMENDED, *columns_of(sorted(keys))) if keys else ()
    if amended:
        columns = columns_of(amended)
        await db.execute(EDIT, *columns)
        await db.execute(DELETE, *columns)
