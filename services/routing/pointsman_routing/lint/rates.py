"""How much work comes in: rates as a person writes them, or those of the busiest hour in an export of tickets.

A file of rates is CSV with the columns `category`, `language`, `per_hour`, `handle_seconds`, and optionally `channel`.
An export (`pointsman export tickets.csv`) has `opened_at` instead of `per_hour`: then the hour of the week in which
most tickets were opened counts, with its mean over the weeks of the file.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pointsman.contracts.document import CATCH_ALL, Document
from pointsman.contracts.shapes import Channel
from pointsman.core.zones import zone_of

CHANNELS: tuple[Channel, ...] = ("email", "chat", "social")
WRITTEN = ("category", "language", "per_hour", "handle_seconds")
EXPORTED = ("category", "language", "opened_at", "handle_seconds")
ROWS_MAX = 5_000_000
WEEK_SECONDS = 7 * 86_400


class RatesError(ValueError):
    """The rates cannot be read: which line, and why."""


class Rate(NamedTuple):
    """Tickets alike: how many an hour, and for how many seconds each is in somebody's hands."""

    category: str
    language: str
    channel: Channel
    per_hour: float
    handle_seconds: float


def read_rates(lines: Iterable[str], document: Document) -> list[Rate]:
    """The rates of a CSV of either form. Raises `RatesError`."""
    rows = csv.DictReader(lines)
    try:
        names = rows.fieldnames or ()
        if set(WRITTEN) <= set(names):
            return [_written(row, rows.line_num, document) for row in rows]
        if set(EXPORTED) <= set(names):
            return _busiest_hour(_exported(rows), document)
    except csv.Error as error:
        raise RatesError(f"line {rows.line_num}: {error}") from error
    raise RatesError(f"line 1: the columns are {', '.join(WRITTEN)} (and channel), or those of an export of tickets")


def _written(row: dict[str, str], line: int, document: Document) -> Rate:
    category, language = row["category"] or "", row["language"] or ""
    if category not in document.category_names:
        raise RatesError(f"line {line}: the document has no category {category!r}")
    if language and language not in (*document.languages, "und"):
        raise RatesError(f"line {line}: the document has no language {language!r}")
    per_hour, seconds = (_number(row, name, line) for name in ("per_hour", "handle_seconds"))
    return Rate(category, language, _channel(row.get("channel"), line), per_hour, seconds)


def _channel(written: str | None, line: int) -> Channel:
    if not written:
        return "email"
    for channel in CHANNELS:
        if channel == written:
            return channel
    raise RatesError(f"line {line}: {written!r} is no channel: {', '.join(CHANNELS)}")


def _number(row: dict[str, str], name: str, line: int) -> float:
    try:
        number = float(row[name])
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < 1e9:
        raise RatesError(f"line {line}: {name} is no number from 0 on: {row[name]!r}")
    return number


class _Ticket(NamedTuple):
    opened_at: datetime
    category: str
    language: str
    channel: Channel
    handle_seconds: float


def _exported(rows: "csv.DictReader[str]") -> Iterator[_Ticket]:
    for number, row in enumerate(rows):
        if number >= ROWS_MAX:
            raise RatesError(f"line {rows.line_num}: more than {ROWS_MAX} tickets")
        try:
            opened_at = datetime.fromisoformat(row["opened_at"])
            if opened_at.tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            raise RatesError(f"line {rows.line_num}: opened_at is no instant: {row['opened_at']!r}") from None
        seconds = _number(row, "handle_seconds", rows.line_num) if row["handle_seconds"] else 0.0
        channel = _channel(row.get("channel"), rows.line_num)
        yield _Ticket(opened_at, row["category"] or CATCH_ALL, row["language"] or "", channel, seconds)


def _busiest_hour(tickets: Iterable[_Ticket], document: Document) -> list[Rate]:
    """The rates in the hour of the week in which most were opened. Categories that the document no longer has count as
    those that nothing recognised; tickets that nobody handled do not count for how long one takes."""
    zone = zone_of(document.timezone)
    known, spoken = frozenset(document.category_names), frozenset(document.languages)
    by_hour: dict[int, Counter[tuple[str, str, Channel]]] = {}
    seconds: dict[tuple[str, str, Channel], list[float]] = {}
    first: datetime | None = None
    last: datetime | None = None
    for ticket in tickets:
        category = ticket.category if ticket.category in known else CATCH_ALL
        kind = (category, ticket.language if ticket.language in spoken else "", ticket.channel)
        local = ticket.opened_at.astimezone(zone)
        by_hour.setdefault(local.weekday() * 24 + local.hour, Counter())[kind] += 1
        if ticket.handle_seconds > 0:
            seconds.setdefault(kind, []).append(ticket.handle_seconds)
        first = ticket.opened_at if first is None else min(first, ticket.opened_at)
        last = ticket.opened_at if last is None else max(last, ticket.opened_at)
    if first is None or last is None:
        return []
    weeks = max(1, math.ceil((last - first).total_seconds() / WEEK_SECONDS))
    busiest = max(sorted(by_hour), key=lambda hour: by_hour[hour].total())
    return [
        Rate(*kind, count / weeks, sum(taken := seconds.get(kind, [0.0])) / len(taken))
        for kind, count in sorted(by_hour[busiest].items())
    ]
