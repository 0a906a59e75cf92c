"""Is a calendar open at an instant, and when does that change? The plain questions of rules and of queue hours.

An instant counts when the wall clock of the zone in force shows, at that instant, a time inside a span: exact at every
change of the clock, since an hour that does not exist cannot be inside and one that comes twice is twice. How much
business time lies between two instants is the sla service's arithmetic; a test holds both to the same answers.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pointsman.contracts.document.calendars import WEEKDAYS, Calendar, Spans, minutes_of
from pointsman.core.instant import Instant
from pointsman.core.zones import zone_of

HORIZON_DAYS = 3660
"""How far ahead a change is looked for: ten years."""

_DAY_MINUTES = 24 * 60
_ALL_DAY: Spans = (("00:00", "24:00"),)
_LOOK = timedelta(hours=6)
"""No zone changes its offset twice within this time."""


def is_open(calendar: Calendar, at: Instant, *, workspace_zone: str) -> bool:
    """Whether `at` lies in a span; a span's end does not belong to it."""
    wall = at.astimezone(zone_at(calendar, at, workspace_zone))
    today, minute = wall.date(), wall.hour * 60 + wall.minute
    return any(
        start <= minute + past < end
        for day, past in ((today, 0), (today - timedelta(days=1), _DAY_MINUTES))
        for start, end in _minutes_on(calendar, day)
    )


def next_change(calendar: Calendar, at: Instant, *, workspace_zone: str) -> Instant | None:
    """The first instant after `at` at which the calendar opens (if it is shut at `at`) or shuts (if it is open).

    None when it stays as it is for ten years. Linear in the days until then.
    """
    if calendar.always_open:
        return None
    zones = [zone_of(name) for name in dict.fromkeys(name for _, name in _zones(calendar, workspace_zone))]
    before = is_open(calendar, at, workspace_zone=workspace_zone)
    first = at.astimezone(UTC).date() - timedelta(days=2)
    for place in range(HORIZON_DAYS):
        day = first + timedelta(days=place)
        if not before and not any(_spans_on(calendar, day + timedelta(step)) for step in (-1, 0, 1)):
            continue  # Nothing opens on such days; most of a shut calendar's are.
        for candidate in sorted({each for zone in zones for each in _edges(calendar, day, zone)}):
            if candidate > at and is_open(calendar, candidate, workspace_zone=workspace_zone) != before:
                return _earliest(calendar, at, candidate, day, zones, workspace_zone, before)
    return None


def _earliest(
    calendar: Calendar, at: Instant, found: Instant, day: date, zones: list[ZoneInfo], zone: str, before: bool
) -> Instant:
    """The earliest change up to the one found: the edges of a day reach, by zones and spans over midnight, into the
    next ones, whose own may come before."""
    near = {each for one in zones for step in range(4) for each in _edges(calendar, day + timedelta(step), one)}
    return min(each for each in near if at < each <= found and is_open(calendar, each, workspace_zone=zone) != before)


def _edges(calendar: Calendar, day: date, zone: ZoneInfo) -> Iterator[Instant]:
    """Every instant of a day of this zone at which the calendar may open or shut: the ends of spans, the changes of
    the clock, and midnight, at which another zone may come into force."""
    minutes = {0} | {edge for span in _minutes_on(calendar, day) for edge in span}
    for minute in sorted(minutes):
        yield from _occurrences(day + timedelta(days=minute // _DAY_MINUTES), minute % _DAY_MINUTES, zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=14)
    for look in range(7):
        low, high = midnight + look * _LOOK, midnight + (look + 1) * _LOOK
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            yield _transition(low, high, zone)


def _zones(calendar: Calendar, workspace_zone: str) -> list[tuple[str, str]]:
    """(from this date on, zone), the first from ever."""
    zones = [("", calendar.tz or workspace_zone)]
    zones += [(day, change.tz) for day, change in sorted(calendar.from_.items()) if change.tz is not None]
    return zones


def zone_at(calendar: Calendar, at: Instant, workspace_zone: str) -> ZoneInfo:
    """A zone is in force from the beginning, by its own clock, of the date of its change."""
    if not calendar.from_:
        return calendar.zone(workspace_zone)
    in_force = workspace_zone
    for begins, name in _zones(calendar, workspace_zone):
        if not begins or at >= next(iter(_occurrences(date.fromisoformat(begins), 0, zone_of(name)))):
            in_force = name
    return zone_of(in_force)


def _minutes_on(calendar: Calendar, day: date) -> list[tuple[int, int]]:
    """The spans that open on the day, in minutes since its 00:00; an end may lie on the next day."""
    spans = ((minutes_of(start), minutes_of(end)) for start, end in _spans_on(calendar, day))
    return [(start, end if end > start else end + _DAY_MINUTES) for start, end in spans]


def _spans_on(calendar: Calendar, day: date) -> Spans:
    written = day.isoformat()
    if written in calendar.days:
        return calendar.days[written]
    if calendar.is_holiday(written):
        return ()
    week = calendar.week_on(written)
    return _ALL_DAY if week is None else week.get(WEEKDAYS[day.weekday()], ())


def _occurrences(day: date, minute: int, zone: ZoneInfo) -> Iterator[Instant]:
    """The instants at which the wall clock shows this time: one, two when the hour comes twice, or the end of the gap
    in which it does not exist."""
    first = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    second = first.replace(fold=1)
    one, two = first.astimezone(UTC), second.astimezone(UTC)
    if one == two:
        yield one
    elif one < two:
        yield from (one, two)
    else:
        yield _transition(two, one, zone)


def _transition(low: Instant, high: Instant, zone: ZoneInfo) -> Instant:
    """The instant between two on either side of it at which the zone's offset changes, by halving."""
    early = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == early:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
