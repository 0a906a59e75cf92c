"""The intervals of a report: `[start, end)` cut by a grain, in the workspace's zone.

Minutes and hours are steps of 60 and 3,600 seconds on the line of instants, from the full minute or hour that the wall
clock showed at `start` or before: a night whose hour comes twice has two intervals for it, and none is left out or
longer than the others. Days, weeks (from Monday) and months begin when the wall clock first shows their first day, so
that a day in which the clock changes lasts 23 or 25 hours, or what the zone made of it.
"""

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from pointsman.core.instant import Instant
from pointsman.core.zones import day_start

STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
DAYS = {"day": 1, "week": 7, "month": 31}


class TooManyIntervals(ValueError):
    """The interval has more of the grain than is allowed."""


def anchor(start: Instant, grain: str, zone: ZoneInfo) -> Instant:
    """The full minute or hour of the wall clock, at `start` or the last one before, from which the steps count."""
    wall = start.astimezone(zone)
    past = timedelta(minutes=wall.minute if grain == "hour" else 0, seconds=wall.second, microseconds=wall.microsecond)
    return start.astimezone(UTC) - past


def edges(start: Instant, end: Instant, grain: str | None, zone: ZoneInfo, count_max: int) -> list[Instant]:
    """`start`, the bounds between two intervals in ascending order, `end`: one more than there are intervals.

    Raises `TooManyIntervals` when these are more than `count_max`.
    """
    if grain is None:
        return [start, end]
    # A week or month has the days that it has, but a day may be skipped: what is surely too much is not counted.
    longest = STEPS.get(grain) or 2 * timedelta(days=DAYS[grain])
    too_many = TooManyIntervals(f"more than {count_max} intervals: ask for a shorter interval or a coarser grain")
    if (end - start) / longest > count_max + 1:
        raise too_many
    bounds = _steps(start, end, grain, zone) if grain in STEPS else _wall(start, end, grain, zone)
    found = [start, *(at for at in bounds if start < at < end), end]
    if len(found) > count_max + 1:
        raise too_many
    return found


def _steps(start: Instant, end: Instant, grain: str, zone: ZoneInfo) -> Iterator[Instant]:
    at = anchor(start, grain, zone)
    while at < end:
        yield at
        at += STEPS[grain]


def _wall(start: Instant, end: Instant, grain: str, zone: ZoneInfo) -> Iterator[Instant]:
    """Each beginning once: a day that a zone skipped begins when the next one does."""
    last = end.astimezone(zone).date()
    day = _first_of(start.astimezone(zone).date() - timedelta(days=1), grain)
    before = None
    while day <= last:
        at = day_start(day, zone)
        if before is None or at > before:
            yield at
            before = at
        day = _next(day, grain)


def _first_of(day: date, grain: str) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _next(day: date, grain: str) -> date:
    if grain == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=DAYS[grain])
