"""Is a calendar open at an instant? The plain question of rules and of queue hours.

Exact at changes of the clock: a span's ends are turned into instants in the calendar's zone, an end in a gap is the
gap's end, an end that occurs twice is its first occurrence for a start and its last for an end. How much business time
lies between two instants is the sla service's arithmetic.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pointsman.contracts.document.calendars import WEEKDAYS, Calendar, Spans, minutes_of
from pointsman.core.instant import Instant


def is_open(calendar: Calendar, at: Instant, *, workspace_zone: str) -> bool:
    """Whether `at` lies in a span; a span's end does not belong to it."""
    zone = calendar.zone(workspace_zone)
    today = at.astimezone(zone).date()
    return any(
        _instant(day, start, zone, fold=0) <= at < _instant(_end_day(day, start, end), end, zone, fold=1)
        for day in (today - timedelta(days=1), today)
        for start, end in _spans_on(calendar, day)
    )


def _spans_on(calendar: Calendar, day: date) -> Spans:
    written = day.isoformat()
    if written in calendar.days:
        return calendar.days[written]
    always, week = calendar.always, calendar.week
    for begins, change in sorted(calendar.from_.items()):
        if begins <= written:
            always = always if change.always is None else change.always
            week = week if change.week is None else change.week
    if written in calendar.holidays or written[5:] in calendar.holidays:
        return ()
    if always:
        return (("00:00", "24:00"),)
    return week.get(WEEKDAYS[day.weekday()], ())


def _end_day(day: date, start: str, end: str) -> date:
    return day if minutes_of(end) > minutes_of(start) else day + timedelta(days=1)


def _instant(day: date, time: str, zone: ZoneInfo, *, fold: int) -> Instant:
    minutes = minutes_of(time)
    if minutes == 24 * 60:
        day, minutes = day + timedelta(days=1), 0
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone, fold=fold)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # The wall time is in a gap; fold=0 reads it with the offset before and lands after the gap. Wanted is its end.
        before = local.replace(fold=1).astimezone(UTC)
        after = local.replace(fold=0).astimezone(UTC)
        return _gap_end(before, after, zone)
    return instant


def _gap_end(low: Instant, high: Instant, zone: ZoneInfo) -> Instant:
    """The instant of the transition between two instants on either side of it, by halving."""
    early = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == early:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
