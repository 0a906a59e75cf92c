"""Everything that happened in a workspace as one list, in the order of commits: our own facts and what sla said.

A `Position` is a place in that list, and never moves: a lane has one writer, so whatever is committed later stands
behind everything that stood there before. Our record N is at (N, 0, 0); a fact of sla that came after it, before N + 1,
is at (N, change, number) by the workspace's count of changes (`clock_fact` in pointsman_routing.store).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pointsman.contracts.events import EVENT_TYPES, UNTOLD_FIELDS, UNTOLD_TYPES
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database

WINDOW_NUMBERS = 5_000
"""How many of a lane's records one query looks at, at most: other workspaces' and other types' are among them."""
PLACE_MAX = 2**31 - 1
CHANGE_MAX = 2**62
NUMBER_MAX = 2**62


class Position(NamedTuple):
    """A place in the list: after a record of ours, and after a fact of sla behind it."""

    number: int
    change: int = 0
    place: int = 0


def within(place: Position) -> bool:
    """Whether a place could have been handed out: what is computed from it, and compared with it, stays in bounds."""
    return (
        -1 <= place.number <= NUMBER_MAX and 0 <= place.change <= CHANGE_MAX and -PLACE_MAX <= place.place <= PLACE_MAX
    )


class LoggedRecord(NamedTuple):
    """One record of facts about `subject`, with the place after it. `queue` is the ticket's now."""

    position: Position
    id: str
    origin: str
    subject: str
    queue: str | None
    at: Instant
    facts: Sequence[dict[str, Any]]


class Page(NamedTuple):
    """Records in order, the place to go on from, and whether something may follow there already.

    The place is behind the last record, or behind what was looked at in vain.
    """

    records: list[LoggedRecord]
    position: Position
    more: bool


NEWEST = """
    SELECT coalesce(counter.number, 0) AS number, workspace.change
    FROM workspace LEFT JOIN counter ON counter.source = $1 AND counter.partition = workspace.lane
    WHERE workspace.workspace = $2
"""

OLDEST = """
    SELECT coalesce((SELECT number FROM fact WHERE source = $1 AND partition = $2 ORDER BY number LIMIT 1),
                    (SELECT number + 1 FROM counter WHERE source = $1 AND partition = $2))
"""
"""The number of the first record that is kept; of the next one where all were dropped."""

READ = """
    WITH ours AS (
        SELECT f.number, 0::bigint AS change, 0 AS place, f.id, 'routing' AS origin, f.subject, t.queue, f.at,
               f.body -> 'facts' AS facts
        FROM fact f LEFT JOIN LATERAL (
            SELECT queue, connector FROM ticket WHERE workspace = f.workspace AND id = f.subject LIMIT 1
        ) t ON true
        WHERE f.source = $1 AND f.partition = $2 AND f.number > $4 AND f.number <= $7 AND f.workspace = $3
          AND ($8::text[] IS NULL OR f.types && $8) AND ($9::text IS NULL OR t.connector = $9)
        ORDER BY f.number LIMIT $10
    ), clocks AS (
        SELECT c.after_number, c.change, c.number AS place, c.cause || '.' || c.number, 'sla', c.subject,
               coalesce(c.body ->> 'queue', t.queue), c.at, json_build_array(c.body)
        FROM clock_fact c LEFT JOIN LATERAL (
            SELECT queue, connector FROM ticket WHERE workspace = c.workspace AND id = c.ticket_id LIMIT 1
        ) t ON true
        WHERE c.workspace = $3 AND c.source = $1 AND c.after_number <= $7
          AND (c.after_number, c.change, c.number) > ($4, $5, $6)
          AND ($8::text[] IS NULL OR c.type = ANY($8)) AND ($9::text IS NULL OR t.connector = $9)
        ORDER BY c.after_number, c.change, c.number LIMIT $10
    )
    SELECT * FROM (SELECT * FROM ours UNION ALL SELECT * FROM clocks) AS told ORDER BY 1, 2, 3 LIMIT $10
"""


async def newest(db: Database, source: str, workspace: str) -> Position:
    """The place behind everything that is committed."""
    row = await db.fetchrow(NEWEST, source, workspace)
    return Position(0) if row is None else Position(row["number"], row["change"], PLACE_MAX)


async def oldest(db: Database, source: str, lane: int) -> Position:
    """The place before everything that is kept."""
    number = await db.fetchval(OLDEST, source, lane)
    return Position(-1) if number is None or number <= 1 else Position(number - 1)


async def read(
    db: Database,
    source: str,
    lane: int,
    workspace: str,
    after: Position,
    *,
    types: Sequence[str] | None = None,
    connector: str | None = None,
    limit: int,
) -> Page:
    """The next records after a place, at most `limit`.

    `types`: records with one of these facts. `connector`: only about tickets that this connector brought.
    """
    end = await newest(db, source, workspace)
    until = after.number + WINDOW_NUMBERS
    rows = await db.fetch(READ, source, lane, workspace, *after, until, types, connector, limit)
    found = [
        LoggedRecord(
            Position(row["number"], row["change"], row["place"]),
            row["id"],
            row["origin"],
            row["subject"],
            row["queue"],
            row["at"],
            row["facts"],
        )
        for row in rows
    ]
    if len(found) == limit:
        return Page(found, found[-1].position, True)
    if until < end.number:
        return Page(found, Position(until, CHANGE_MAX, PLACE_MAX), True)
    return Page(found, max(after, end, found[-1].position if found else after), False)


def events_of(told: LoggedRecord, workspace: str, types: frozenset[str] | None = None) -> Iterator[dict[str, Any]]:
    """A record's facts as CloudEvents 1.0; of these types, if not of all."""
    for place, fact in enumerate(told.facts):
        kind = fact["type"]
        if kind in UNTOLD_TYPES or (types is not None and kind not in types):
            continue
        yield {
            "specversion": "1.0",
            "id": told.id if told.origin == "sla" else f"{told.id}.{place}",
            "source": f"/{told.origin}/{workspace}",
            "type": kind,
            "subject": told.subject,
            "time": told.at,
            "datacontenttype": "application/json",
            "data": {name: value for name, value in fact.items() if name not in UNTOLD_FIELDS},
        }


__all__ = ["EVENT_TYPES", "LoggedRecord", "Position", "events_of", "newest", "oldest", "read"]
