"""The files of messages: stored with them, or noted to be fetched; and what became of those that were fetched."""

from collections.abc import Iterable, Sequence
from typing import Any

from pointsman.contracts.requests import AttachmentSettled
from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.model import Fetched, NewFile

_STORE = """
INSERT INTO attachment (workspace, id, connector, name, content_type, size, sha256, content, created_at, state, url,
                        message_id, ticket_id, due_at)
SELECT k.*, CASE WHEN k.state = 'fetching' THEN k.created_at END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bytea[],
            $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[])
    AS k (workspace, id, connector, name, content_type, size, sha256, content, created_at, state, url, message_id,
          ticket_id)
ON CONFLICT DO NOTHING
"""

_SETTLE = """
UPDATE attachment a SET state = k.state, reason = k.reason, claimed_until = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (workspace, id, state, reason)
WHERE a.workspace = k.workspace AND a.id = k.id AND a.state = 'fetching'
RETURNING a.workspace, a.id, a.message_id, a.ticket_id, a.name, a.content_type, a.size, a.state, a.reason
"""

_CITED = """
UPDATE attachment a SET message_id = k.message_id, ticket_id = k.ticket_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (workspace, id, message_id, ticket_id)
WHERE a.workspace = k.workspace AND a.id = k.id AND a.message_id IS NULL
"""

NOTIFY = "SELECT pg_notify('intake', 'fetch')"


async def store_files(db: Database, files: Iterable[tuple[str, str, Instant, str, str, NewFile]]) -> None:
    """Keeps these, each as (workspace, connector, when it came, its message, its ticket, the file). Whoever fetches is
    notified at the commit."""
    rows = [
        (
            workspace,
            file.attachment_id,
            connector,
            file.name,
            file.content_type,
            None if file.content is None else len(file.content),
            file.sha256,
            file.content,
            at,
            "kept" if file.url is None else "fetching",
            file.url,
            message_id,
            ticket_id,
        )
        for workspace, connector, at, message_id, ticket_id, file in files
    ]
    if not rows:
        return
    await db.execute(_STORE, *map(list, zip(*rows, strict=True)))
    if any(row[10] is not None for row in rows):
        await db.execute(NOTIFY)


async def note_cited(db: Database, cited: Iterable[tuple[str, str, str, str]]) -> None:
    """These files, each as (workspace, attachment, its message, its ticket), were posted before a message named them:
    from now on they are its own."""
    rows = sorted(set(cited))
    if rows:
        await db.execute(_CITED, *map(list, zip(*rows, strict=True)))


async def settle_files(db: Database, fetched: Sequence[Fetched], now: Instant) -> list[Emission]:
    """Notes what became of files that were fetched, each once, and says it of their messages."""
    if not fetched:
        return []
    rows = sorted({(one.workspace, one.attachment_id): one for one in fetched}.items())
    settled = await db.fetch(
        _SETTLE,
        [key[0] for key, _ in rows],
        [key[1] for key, _ in rows],
        ["kept" if one.reason is None else "failed" for _, one in rows],
        [one.reason for _, one in rows],
    )
    return [Emission(row["workspace"], row["ticket_id"], now, (_settled(row),)) for row in settled]


def _settled(row: Any) -> AttachmentSettled:
    known = ("message_id", "ticket_id", "state", "name", "content_type", "size", "reason")
    return AttachmentSettled(attachment_id=row["id"], **{name: row[name] for name in known})
