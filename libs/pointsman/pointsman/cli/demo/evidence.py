"""What Pointsman says happened, read over HTTP when the day is over: events, clocks, rows, dead letters."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.cli.dlq import dead_letters
from pointsman.client.session import Session
from pointsman.core.instant import parse_rfc3339

EVENTS_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Breach:
    """An announced breach: of which metric, when (seconds since the epoch), how late, and whether it was withdrawn."""

    ticket_id: str
    metric: str
    cycle: int
    fired_at: float
    lateness_seconds: float
    withdrawn: bool


class EventLog:
    """All events of the workspace, in the desk's order, as far as they were read."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._cursor: str | None = None
        self.events: list[dict[str, Any]] = []

    async def read_on(self) -> None:
        """Reads what is there and was not read yet."""
        while True:
            page = await self.session.get("/routing/v1/events", after=self._cursor, limit=EVENTS_PER_PAGE)
            self._cursor = page["cursor"]
            if not page["items"]:
                return
            self.events.extend(page["items"])

    async def read_until(self, condition: Callable[[list[dict[str, Any]]], bool], within_seconds: float) -> None:
        """Reads on until the events meet the condition, or for so long."""
        deadline = time.monotonic() + within_seconds
        while True:
            await self.read_on()
            if condition(self.events) or time.monotonic() > deadline:
                return
            await asyncio.sleep(0.2)


async def read_rows(session: Session) -> list[dict[str, Any]]:
    """Metrics' row of every ticket."""
    answer = await session.call("GET", "/metrics/v1/exports/tickets", headers={"Accept": "application/x-ndjson"})
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def read_breaches(session: Session, tickets: Iterable[str]) -> list[Breach]:
    """What sla announced about these tickets."""
    found: list[Breach] = []
    for ticket in sorted(tickets):
        announced: list[dict[str, Any]] = []
        withdrawn: set[str] = set()
        for record in await session.pages("/sla/v1/facts", subject=ticket):
            for fact in record["facts"]:
                if fact["type"] == "clock.breached":
                    announced.append(fact)
                elif fact["type"] == "clock.corrected" and fact["withdraws"] == "breach":
                    withdrawn.add(fact["clock_id"])
        found.extend(
            Breach(
                ticket,
                fact["metric"],
                fact["cycle"],
                parse_rfc3339(fact["fired_at"]).timestamp(),
                fact["lateness_seconds"],
                fact["clock_id"] in withdrawn,
            )
            for fact in announced
        )
    return found


async def read_notifications(session: Session, within_seconds: float) -> list[dict[str, Any]]:
    """The notifications, once none waits to be sent (or as they are after a while)."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = await session.pages("/sla/v1/notifications")
        if not any(one["state"] == "queued" for one in found) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)


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
