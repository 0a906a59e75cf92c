"""The holidays of an iCal file (RFC 5545), as dates with names.

Every event is a holiday, on each date on which it takes place by the calendar's own clock; the time of day does not
matter, and an end at midnight does not touch the next date. Read are `DTSTART` with `DTEND` or `DURATION`, `RRULE`
(daily or rarer), `RDATE`, `EXDATE`, single occurrences changed by `RECURRENCE-ID`, and `STATUS:CANCELLED`, which is no
holiday. Times with a zone are taken in it, times without one in the calendar's.

The package `icalendar` reads the text, `dateutil` the rules. Deterministic: the years come in.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from typing import Any

from pointsman.contracts.document.parts import DAYS_MAX

EVENTS_MAX = 2_000
CPU_SECONDS_MAX = 5.0
"""What the files of a document may cost. A rule that never comes true is looked for until the year 9999: seconds."""
NAME_CHARACTERS_MAX = 200

FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_READ = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_DAY = timedelta(days=1)
_MIDNIGHT, _DAYS_END = dt_time.min, dt_time.max

When = date | datetime
ToWall = Callable[[datetime], datetime]
"""An instant as the calendar's wall clock shows it, without a zone."""


class IcalRefused(ValueError):
    """The text is no iCal file, or more than is read of one. Says what, and the line in the text where it can."""


def ical_dates(text: str, to_wall: ToWall, years: range, *, cpu_seconds_max: float = CPU_SECONDS_MAX) -> dict[str, str]:
    """`YYYY-MM-DD` → the names of its events, in the order of dates, of the given years. Raises `IcalRefused`.

    A date with several events has all their names; one without a `SUMMARY` has an empty name.
    """
    if cpu_seconds_max <= 0:
        raise IcalRefused(f"the files before it took all of the {CPU_SECONDS_MAX} seconds that a document has for them")
    began = time.thread_time()
    names: dict[date, dict[str, None]] = {}
    events = _events(text)
    moved = _moved(event for _, event in events)
    for line, event in events:
        name = _text(event.get("SUMMARY"))
        where = f"line {line}, {name!r}" if name else f"line {line}"
        try:
            for day in _days(event, moved.get(_text(event.get("UID")), ()), to_wall, years):
                names.setdefault(day, {})[name] = None
                if len(names) > DAYS_MAX:
                    raise ValueError(f"these are more than {DAYS_MAX} dates")
        except _WRONG as error:
            raise IcalRefused(f"{where}: {error}") from error
        if time.thread_time() - began > cpu_seconds_max:
            raise IcalRefused(f"{where}: these events take too long to unfold: has one a rule that never comes true?")
    return {day.isoformat(): _joined(names[day]) for day in sorted(names)}


_WRONG = (ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError)
"""How the two packages, and we, say that a value is wrong."""


def _joined(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if name)[:NAME_CHARACTERS_MAX]


def _events(text: str) -> list[tuple[int, Any]]:
    """(line, event) of each event that the calendars of the text have, in order."""
    # A tenth of a second to load, in processes of which few ever need it.
    import icalendar

    lines = text.removeprefix("\ufeff").split("\n")
    kept = [line.rstrip().upper() for line in lines]  # a space in front continues the line before
    filled = [line for line in kept if line]
    if not filled or filled[0] != "BEGIN:VCALENDAR":
        raise IcalRefused("is not an iCal file: it does not begin with BEGIN:VCALENDAR")
    if filled[-1] != "END:VCALENDAR":
        raise IcalRefused("is not a whole iCal file: it does not end with END:VCALENDAR")
    begins = [number for number, line in enumerate(kept, 1) if line == "BEGIN:VEVENT"]
    if len(begins) > EVENTS_MAX:
        raise IcalRefused(f"has {len(begins)} events; at most {EVENTS_MAX} are read")
    try:
        calendars = icalendar.Calendar.from_ical(text.removeprefix("\ufeff"), multiple=True)
    except _WRONG as error:
        raise IcalRefused(f"is not an iCal file: {error}"[:300]) from error
    events = [event for calendar in calendars for event in calendar.subcomponents if event.name == "VEVENT"]
    if len(events) != len(begins):
        raise IcalRefused("is not an iCal file: its BEGIN and END lines do not match")
    return list(zip(begins, events, strict=True))


def _moved(events: Iterable[Any]) -> dict[str, set[When]]:
    """Per UID the occurrences that have an event of their own."""
    found: dict[str, set[When]] = {}
    for event in events:
        replaced = event.get("RECURRENCE-ID")
        if replaced is not None:
            found.setdefault(_text(event.get("UID")), set()).add(_instant(replaced.dt))
    return found


def _days(event: Any, moved: Iterable[When], to_wall: ToWall, years: range) -> Iterator[date]:
    """Every date of the years on which the event takes place. Raises `_WRONG` for what is."""
    for name, problem in event.errors:
        if name in _READ:
            raise ValueError(f"{name}: {problem}")
    _refuse_unread(event)
    if _text(event.get("STATUS")).upper() == "CANCELLED":
        return
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    for start, length in _occurrences(event, moved, last + 2 * _DAY):
        begins, ends = _wall(start, to_wall), _wall(_after(start, length), to_wall)
        final = ends - timedelta(microseconds=1) if ends > begins else begins
        day = max(begins.date(), first)
        while day <= min(final.date(), last):
            yield day
            day += _DAY


def _refuse_unread(event: Any) -> None:
    if "DTSTART" not in event:
        raise ValueError("an event has a DTSTART")
    if "EXRULE" in event:
        raise ValueError("EXRULE is not read; name the dates by EXDATE")
    if "RECURRENCE-ID" in event:
        if "RANGE" in event["RECURRENCE-ID"].params:
            raise ValueError("RECURRENCE-ID with a RANGE is not read")
        if "RRULE" in event:
            raise ValueError("a changed occurrence has no RRULE")
    for name in ("DTSTART", "DTEND"):
        value = event.get(name)
        if isinstance(value, list):
            raise ValueError(f"{name} is there twice")
        if value is not None and isinstance(value.dt, datetime) and value.dt.tzinfo is None and "TZID" in value.params:
            raise ValueError(f"{name}: {value.params['TZID']!r} is no zone of the IANA database or of this file")


def _occurrences(event: Any, moved: Iterable[When], until: date) -> Iterator[tuple[When, timedelta]]:
    """(start, length) of every occurrence that starts at or before `until`."""
    start: When = event["DTSTART"].dt
    length = _length(event, start)
    excluded = {_instant(one) for one, _ in _listed(event.get("EXDATE"))}
    excluded.update(moved)
    found: dict[When, tuple[When, timedelta]] = {_instant(start): (start, length)}
    for one, own in _listed(event.get("RDATE")):
        found[_instant(one)] = (one, length if own is None else own)
    for key, occurrence in found.items():
        if key not in excluded and _date(occurrence[0]) not in excluded and _date(occurrence[0]) <= until:
            yield occurrence
    for rule in _each(event.get("RRULE")):
        for one in _recurring(rule, start, until):
            key = _instant(one)
            if key not in found and key not in excluded and _date(one) not in excluded:
                yield one, length


def _recurring(rule: Any, start: When, until: date) -> Iterator[When]:
    """The starts that a rule gives, in order, by the wall clock of the start's zone."""
    # Loaded where the first rule is read.
    from dateutil.rrule import rrulestr
    from icalendar import vRecur

    parts = {key.upper(): value for key, value in rule.items()}
    if parts["FREQ"][0] not in FREQUENCIES or any(len(parts.get(by, ())) > 1 for by in _WITHIN_DAY):
        raise ValueError("an event that repeats more often than daily is no holiday")
    if min(parts.get("INTERVAL", [1])) < 1:
        raise ValueError("RRULE: an INTERVAL is at least 1")
    count, end = parts.pop("COUNT", [None])[0], parts.pop("UNTIL", [None])[0]
    whole_day = not isinstance(start, datetime)
    for by in _WITHIN_DAY if whole_day else ():
        parts.pop(by, None)
    zone = start.tzinfo if isinstance(start, datetime) else None
    begin = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, _MIDNIGHT)
    limit = datetime.combine(until, _DAYS_END)
    if isinstance(end, datetime):
        limit = min(limit, (end.astimezone(zone) if end.tzinfo and zone else end).replace(tzinfo=None))
    elif end is not None:
        limit = min(limit, datetime.combine(end, _DAYS_END))
    written: str = vRecur(parts).to_ical().decode()  # type: ignore[no-untyped-call]
    for place, one in enumerate(rrulestr(written, dtstart=begin)):
        if one > limit or place == count:
            return
        yield one.date() if whole_day else one.replace(tzinfo=zone)


_WITHIN_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")


def _length(event: Any, start: Any) -> timedelta:
    """How long each occurrence lasts; never negative."""
    length = timedelta() if isinstance(start, datetime) else _DAY
    if "DTEND" in event:
        end = event["DTEND"].dt
        if isinstance(end, datetime) != isinstance(start, datetime):
            raise ValueError("DTSTART and DTEND are both dates, or both times")
        if isinstance(start, datetime) and (start.tzinfo is None) != (end.tzinfo is None):
            raise ValueError("DTSTART and DTEND have both a zone, or neither")
        length = end - start
    elif "DURATION" in event:
        length = event["DURATION"].dt
    return max(length, timedelta())


def _after(start: When, length: timedelta) -> When:
    try:
        return start + length
    except OverflowError:
        return date.max if not isinstance(start, datetime) else datetime.max.replace(tzinfo=start.tzinfo) - _DAY


def _wall(at: When, to_wall: ToWall) -> datetime:
    """As the calendar's clock shows it: a date's midnight, a time with a zone turned, one without as it is."""
    if not isinstance(at, datetime):
        return datetime.combine(at, _MIDNIGHT)
    return at if at.tzinfo is None else to_wall(at)


def _instant(at: When) -> When:
    """What tells occurrences apart, whatever zone they are written in."""
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo is not None else at


def _date(at: When) -> date:
    return at.date() if isinstance(at, datetime) else at


def _listed(value: Any) -> Iterator[tuple[When, timedelta | None]]:
    """(start, its own length if it is a period) of `RDATE` and `EXDATE`, which may be there several times."""
    for one in _each(value):
        for item in one.dts:
            given = item.dt
            if isinstance(given, tuple):
                start, end = given
                yield start, end if isinstance(end, timedelta) else end - start
            else:
                yield given, None


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _text(value: Any) -> str:
    """A property's text in one line; of several the first, of none empty."""
    first = value[0] if isinstance(value, list) else value
    return " ".join(str(first or "").split())[:NAME_CHARACTERS_MAX]
