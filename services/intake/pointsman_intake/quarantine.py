"""The quarantine: mail and webhooks that nobody understood, whole, so that they can be looked at and read again."""

from typing import Any

import orjson

from pointsman.core.ids import random_id
from pointsman.core.instant import Instant
from pointsman.core.storable import mended
from pointsman.runtime.logic import Database
from pointsman_intake.model import Raw
from pointsman_intake.parsed import NotUnderstood

_PUT = """
INSERT INTO quarantine (workspace, id, connector, source, reason, detail, content_type, headers, body, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10)
"""


async def put_in_quarantine(
    db: Database, workspace: str, connector: str, source: str, raw: Raw, why: NotUnderstood, at: Instant
) -> str:
    """Keeps the bytes; returns the row's id. `source` is `email` or `hook`."""
    id = random_id("qua", at)
    headers = orjson.dumps(raw.headers).decode()
    await db.execute(
        _PUT, workspace, id, connector, source, why.reason, mended(str(why)), raw.content_type, headers, raw.body, at
    )
    return id


async def open_row(db: Database, workspace: str, id: str) -> Any:
    """The row, while it is open; None otherwise."""
    return await db.fetchrow(
        "SELECT * FROM quarantine WHERE workspace = $1 AND id = $2 AND state = 'open'", workspace, id
    )
