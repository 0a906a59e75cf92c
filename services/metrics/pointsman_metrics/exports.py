"""The export of tickets: one row each, read page by page by its key, so that any number of them takes the same memory.

Between two pages nothing is held: neither a connection nor a transaction waits for whoever reads the download. So a row
is as it was when its page was read, not all are of one instant; what opens meanwhile comes with the last pages.
"""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from pointsman.core.instant import Instant, rfc3339

PAGE_ROWS = 500

COLUMNS: tuple[str, ...] = (
    *("ticket_id", "channel", "connector", "customer_id", "customer_tier", "started_by", "opened_at", "state"),
    *("waiting_on", "queue", "agent", "team", "category", "language", "priority", "tags", "skills", "confidence"),
    *("first_response_at", "first_response_agent", "first_response_seconds", "first_response_business_seconds"),
    *("resolved_first_at", "resolved_last_at", "resolution_seconds", "resolution_business_seconds"),
    *("outcome", "closed_at", "merged_into"),
    *("inbound_count", "reply_count", "bot_reply_count", "note_count", "offer_count", "accept_count", "decline_count"),
    *("expiry_count", "rescind_count", "assignment_count", "transfer_count", "reopen_count", "escalated_at", "left_at"),
    *("queued_seconds", "offered_seconds", "assigned_seconds", "pending_customer_seconds"),
    *("pending_third_party_seconds", "snoozed_seconds", "wrap_up_seconds", "handle_seconds"),
    *("clocks_met", "clocks_breached", "config_version"),
)

TICKETS = """
SELECT t.*, coalesce(r.met_at, t.first_response_at) AS first_response_at,
    coalesce(r.elapsed_calendar_seconds, t.first_response_seconds) AS first_response_seconds,
    r.elapsed_business_seconds AS first_response_business_seconds,
    s.elapsed_calendar_seconds AS resolution_seconds, s.elapsed_business_seconds AS resolution_business_seconds,
    t.assigned_seconds + t.wrap_up_seconds AS handle_seconds, c.*
FROM ticket t
LEFT JOIN LATERAL (
    SELECT * FROM clock WHERE ticket_id = t.ticket_id AND metric = 'first_response' AND state = 'met'
    ORDER BY cycle DESC LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT * FROM clock WHERE ticket_id = t.ticket_id AND metric = 'resolution' ORDER BY cycle DESC LIMIT 1
) s ON s.state = 'met'
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE state = 'met' AND NOT breached) AS clocks_met,
        count(*) FILTER (WHERE breached) AS clocks_breached
    FROM clock WHERE clock.ticket_id = t.ticket_id
) c ON true
WHERE t.workspace = $1 AND (t.opened_at, t.ticket_id) > ($2, $3) AND t.opened_at < $4
ORDER BY t.opened_at, t.ticket_id LIMIT $5
"""
"""The figures of responses and resolutions are those of the reports: of the cycle that was met (reports/kpis.py)."""

Row = Mapping[str, Any]


async def tickets(pool: Any, workspace: str, start: Instant, end: Instant) -> AsyncIterator[list[Row]]:
    """Pages of the workspace's tickets opened in `[start, end)`, oldest first."""
    place = (start, "")  # no ticket's id is as small
    while True:
        page: list[Row] = await pool.fetch(TICKETS, workspace, *place, end, PAGE_ROWS)
        if page:
            yield page
        if len(page) < PAGE_ROWS:
            return
        place = (page[-1]["opened_at"], page[-1]["ticket_id"])


async def as_csv(chunks: AsyncIterator[list[Row]]) -> AsyncIterator[str]:
    """CSV (RFC 4180) with a header line; lists are joined by spaces."""
    yield ",".join(COLUMNS) + "\r\n"
    async for chunk in chunks:
        out = io.StringIO()
        csv.writer(out).writerows([[_cell(row[name]) for name in COLUMNS] for row in chunk])
        yield out.getvalue()


async def as_ndjson(chunks: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    """One JSON object a line."""
    async for chunk in chunks:
        yield b"".join(
            orjson.dumps({name: row[name] for name in COLUMNS}, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
            for row in chunk
        )


def _cell(value: Any) -> Any:
    if isinstance(value, Instant):
        return rfc3339(value)
    return " ".join(value) if isinstance(value, list) else value
