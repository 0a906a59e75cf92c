"""Edits, reactions and statuses that overtake their message: parked for an hour, and taken with it.

Providers send webhooks side by side. What only joins a conversation and finds none waits under the id of the message
that it is about; a report on a reply waits under the provider's id of the reply, until somebody tells us that id. Who
parks and who brings what is waited for wait for each other on that id (`pointsman_intake.accept.threads`).
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.gather import Key, keyed, text_of
from pointsman_intake.accept.threads import awaited
from pointsman_intake.model import Inbound, Person, Report

_PARK = """
INSERT INTO parked (workspace, connector, waits_for, kind, body, at)
SELECT workspace, connector, waits_for, kind, body, $2
FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, waits_for text, kind text, body json)
"""

_TAKE = """
DELETE FROM parked p USING json_to_recordset($1::text::json) AS k (workspace text, connector text, key text)
WHERE p.workspace = k.workspace AND p.connector = k.connector AND p.waits_for = k.key AND p.kind = $2
RETURNING p.number, p.body
"""


async def park_messages(db: Database, messages: Sequence[Inbound], now: Instant) -> None:
    """Keeps these until what they are about comes."""
    await _park(db, "message", [(one, awaited(one)) for one in messages], now)


async def park_reports(db: Database, reports: Sequence[tuple[Report, str]], now: Instant) -> None:
    """Keeps these reports, each under the provider's id that it names."""
    await _park(db, "report", reports, now)


async def parked_messages(db: Database, keys: Sequence[Key]) -> list[Inbound]:
    """What waits for the messages of these ids, in the order in which it came; it waits no more."""
    return [_inbound(body) for body in await _take(db, "message", keys)]


async def parked_reports(db: Database, keys: Sequence[Key]) -> list[Report]:
    """What waits for replies of these ids, in the order in which it came; it waits no more."""
    return [Report(**body) for body in await _take(db, "report", keys)]


async def _park(db: Database, kind: str, waiting: Sequence[tuple[Inbound | Report, str]], now: Instant) -> None:
    rows = [
        {
            "workspace": one.workspace,
            "connector": one.connector,
            "waits_for": waits_for,
            "kind": kind,
            "body": asdict(one),
        }
        for one, waits_for in waiting
    ]
    if rows:
        await db.execute(_PARK, text_of(rows), now)


async def _take(db: Database, kind: str, keys: Sequence[Key]) -> list[dict[str, Any]]:
    if not keys:
        return []
    rows = await db.fetch(_TAKE, keyed(sorted(set(keys))), kind)
    return [row["body"] for row in sorted(rows, key=lambda row: row["number"])]


def _inbound(body: dict[str, Any]) -> Inbound:
    body.pop("identities")
    tuples = {name: tuple(body[name]) for name in ("cites", "names")}
    at = datetime.fromisoformat(body["received_at"])
    return Inbound(**body | tuples | {"person": Person(**body["person"]), "received_at": at, "files": ()})
