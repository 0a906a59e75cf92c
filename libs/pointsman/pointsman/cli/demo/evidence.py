"""What Pointsman says happened, read over HTTP when the day is over: events, clocks, rows, dead letters."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.cli.dlq import dead_letters
from pointsman.client.session import Session

EVENTS_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Breach:
    """An announced breach: of which metric, how late it was announced, and whether it was withdrawn."""

    ticket_id: str
    metric: str
    lateness_seconds: float
    withdrawn: bool


async def read_events(session: Session) -> list[dict[str, Any]]:
    """All events of the workspace, in the desk's order."""
    events: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await session.get("/routing/v1/events", after=cursor, limit=EVENTS_PER_PAGE)
        events.extend(page["items"])
        if not page["items"]:
            return events
        cursor = page["cursor"]


async def read_rows(session: Session) -> list[dict[str, Any]]:
    """Metrics' row of every ticket."""
    answer = await session.call("GET", "/metrics/v1/exports/tickets", headers={"Accept": "application/x-ndjson"})
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def read_breaches(session: Session, tickets: Iterable[str]) -> list[Breach]:
    """What sla announced about these tickets."""
    found: list[Breach] = []
    for ticket in sorted(tickets):
        breached: dict[str, dict[str, Any]] = {}
        announced: list[dict[str, Any]] = []
        withdrawn: set[str] = set()
        for record in await session.pages("/sla/v1/facts", subject=ticket):
            for fact in record["facts"]:
                if fact["type"] == "clock.breached":
                    breached[fact["clock_id"]] = fact
                    announced.append(fact)
                elif fact["type"] == "clock.corrected" and fact["withdraws"] == "breach":
                    withdrawn.add(fact["clock_id"])
        found.extend(
            Breach(ticket, fact["metric"], fact["lateness_seconds"], fact["clock_id"] in withdrawn)
            for fact in announced
        )
    return found


async def read_attainment(session: Session, start: str, end: str) -> dict[str, int]:
    """Clocks met and breached, over all metrics, as the report counts them."""
    report = await session.call("GET", "/metrics/v1/reports/attainment", params={"from": start, "to": end})
    rows = report.json()["rows"]
    return {name: sum(row[name] for row in rows) for name in ("met", "breached")}


async def read_dead_letters(session: Session) -> int:
    """How many of the workspace's records no service could read or decide."""
    return len(await dead_letters(session))


async def read_quarantined(session: Session) -> int:
    """How many of the workspace's messages nobody could understand."""
    return len(await session.pages("/intake/v1/quarantine"))
