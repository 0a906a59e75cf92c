"""A calendar's definition (WORKSPACE.md, `calendars`), read strictly, and the hours of each of its days.

A span belongs to the day on which it opens; a closing time at or before the opening one is on the next day. Which of
several things says the hours of a date: `days`, then the holidays (`holidays`, and the dates of `holidays_of` and
`ical`), then `always` or the week, each as it stands after the changes (`from`) up to that date.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Literal

from pointsman.core.zones import UnknownZone, zone_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_SECONDS = 86_400
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?")

Span = tuple[int, int]
"""(opens, closes) in seconds of wall time since the day's 00:00; `closes` may lie on the next day."""

Unusual = Literal["holiday", "special day"]
"""Why a day has other hours than its weekday."""

_FULL_DAY: tuple[Span, ...] = ((0, DAY_SECONDS),)


class CalendarError(ValueError):
    """The definition is wrong: what, and where in it."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in force from one date on."""

    week: tuple[tuple[Span, ...], ...]
    always: bool
    holidays: frozenset[int]
    yearly: frozenset[tuple[int, int]]
    days: Mapping[int, tuple[Span, ...]]

    def of(self, day: int) -> tuple[Span, ...]:
        """The spans that open on the day (days since 1970-01-01)."""
        unusual = self.unusual(day)
        if unusual is None:
            return self.ordinary(day)
        return self.days[day] if unusual == "special day" else ()

    def ordinary(self, day: int) -> tuple[Span, ...]:
        """The spans of its weekday."""
        return _FULL_DAY if self.always else self.week[(day + 3) % 7]

    def unusual(self, day: int) -> Unusual | None:
        """Why the day has not the hours of its weekday; None: it has."""
        if day in self.days:
            return "special day"
        if day in self.holidays:
            return "holiday"
        if self.yearly:
            there = date.fromordinal(day + _EPOCH_ORDINAL)
            if (there.month, there.day) in self.yearly:
                return "holiday"
        return None


_EMPTY = Hours(week=((),) * 7, always=False, holidays=frozenset(), yearly=frozenset(), days={})


@dataclass(frozen=True, slots=True)
class Definition:
    """A calendar: its zone and its hours from each date on (days since 1970-01-01, ascending; the first from ever)."""

    zones: tuple[tuple[int, str], ...]
    changes: tuple[tuple[int, Hours], ...]

    def in_force(self, day: int) -> Hours:
        """The hours that hold on the day."""
        for first, hours in reversed(self.changes):
            if day >= first:
                return hours
        return _EMPTY

    def hours(self, day: int) -> tuple[Span, ...]:
        """The spans that open on the day."""
        return self.in_force(day).of(day)

    @property
    def always(self) -> bool:
        """Whether every instant counts."""
        if len(self.changes) != 1:
            return False
        hours = self.changes[0][1]
        whole = hours.always or all(spans == _FULL_DAY for spans in hours.week)
        return whole and not (hours.holidays or hours.yearly or hours.days)


_EVER = -10_000_000
_KNOWN = {"tz", "week", "holidays", "days", "from", "always", "holidays_of", "ical", "name"}


def read_definition(raw: Mapping[str, Any]) -> Definition:
    """Reads a calendar as the workspace document writes it; UTC when it names no zone. Raises `CalendarError`, naming
    the place."""
    if not isinstance(raw, Mapping):
        raise CalendarError("a calendar is an object")
    unknown = set(raw) - _KNOWN
    if unknown:
        raise CalendarError(f"/{min(map(str, unknown))}: no such key in a calendar")
    zones = [(_EVER, _zone(raw.get("tz") or "UTC", "/tz"))]
    hours = _read_hours(_EMPTY, raw, "")
    changes = [(_EVER, hours)]
    later = raw.get("from") or {}
    if not isinstance(later, Mapping):
        raise CalendarError("/from: not an object of dates")
    for first, key, change in sorted((_date(str(key), "/from"), str(key), value) for key, value in later.items()):
        if not isinstance(change, Mapping) or set(change) - {"week", "holidays", "days", "always", "tz"}:
            raise CalendarError("/from: a change has week, holidays, days, always or tz")
        hours = _read_hours(hours, change, f"/from/{key}")
        changes.append((first, hours))
        zone = _zone(change.get("tz") or zones[-1][1], "/from")
        if zone != zones[-1][1]:
            zones.append((first, zone))
    return Definition(zones=tuple(zones), changes=tuple(changes))


def _zone(name: Any, where: str) -> str:
    try:
        zone_of(str(name))
    except UnknownZone as error:
        raise CalendarError(f"{where}: {error}") from error
    return str(name)


def _read_hours(before: Hours, raw: Mapping[str, Any], where: str) -> Hours:
    hours = before
    if raw.get("week") is not None:
        hours = replace(hours, week=_read_week(raw["week"], f"{where}/week"), always=False)
    if raw.get("always") is not None:
        if not isinstance(raw["always"], bool):
            raise CalendarError(f"{where}/always: is true or false")
        hours = replace(hours, always=raw["always"])
    if any(raw.get(key) is not None for key in ("holidays", "holidays_of", "ical")):
        dates, yearly = _read_holidays(raw.get("holidays") or (), f"{where}/holidays")
        elsewhere = _read_dates(raw, "holidays_of", where) | _read_dates(raw, "ical", where)
        hours = replace(hours, holidays=dates | elsewhere, yearly=yearly)
    if raw.get("days") is not None:
        if not isinstance(raw["days"], Mapping):
            raise CalendarError(f"{where}/days: not an object of dates")
        days = {
            _date(str(key), f"{where}/days"): _read_spans(spans, f"{where}/days/{key}")
            for key, spans in raw["days"].items()
        }
        hours = replace(hours, days={**hours.days, **days})
    return hours


def _read_week(raw: Any, where: str) -> tuple[tuple[Span, ...], ...]:
    if not isinstance(raw, Mapping):
        raise CalendarError(f"{where}: not an object of weekdays")
    unknown = set(raw) - set(DAYS)
    if unknown:
        raise CalendarError(f"{where}/{min(map(str, unknown))}: a weekday is one of {', '.join(DAYS)}")
    return tuple(_read_spans(raw.get(day) or (), f"{where}/{day}") for day in DAYS)


def _read_spans(raw: Any, where: str) -> tuple[Span, ...]:
    if isinstance(raw, str) or not isinstance(raw, Sequence):
        raise CalendarError(f"{where}: not a list of spans")
    spans: list[Span] = []
    for place, pair in enumerate(raw):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise CalendarError(f"{where}/{place}: a span is [opens, closes]")
        opens, closes = (_time(text, f"{where}/{place}") for text in pair)
        if opens == DAY_SECONDS:
            raise CalendarError(f"{where}/{place}: a span cannot open at 24:00")
        spans.append((opens, closes if closes > opens else closes + DAY_SECONDS))
    spans.sort()
    for (_, closes), (opens, _) in pairwise(spans):
        if opens < closes:
            raise CalendarError(f"{where}: spans overlap")
    return tuple(spans)


def _read_holidays(raw: Any, where: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    if isinstance(raw, str) or not isinstance(raw, Sequence):
        raise CalendarError(f"{where}: not a list of dates")
    dates, yearly = set(), set()
    for place, text in enumerate(raw):
        text = str(text)
        if re.fullmatch(r"\d{2}-\d{2}", text):
            _date(f"2000-{text}", f"{where}/{place}")
            yearly.add((int(text[:2]), int(text[3:])))
        else:
            dates.add(_date(text, f"{where}/{place}"))
    return frozenset(dates), frozenset(yearly)


def _read_dates(raw: Mapping[str, Any], key: str, where: str) -> frozenset[int]:
    """The dates to which a version's public holidays, or the events of its iCal file, were expanded."""
    given = raw.get(key)
    dates = given.get("dates") if isinstance(given, Mapping) else None
    return _read_holidays(list(dates) if isinstance(dates, Mapping) else dates or (), f"{where}/{key}/dates")[0]


def date_of(day: int) -> str:
    """`YYYY-MM-DD` of a day (days since 1970-01-01)."""
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def _date(text: str, where: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL
    except ValueError as error:
        raise CalendarError(f"{where}: {text!r} is no date (YYYY-MM-DD)") from error


def _time(text: Any, where: str) -> int:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and total <= DAY_SECONDS:
            return total
    raise CalendarError(f"{where}: {text!r} is no time of day (HH:MM, up to 24:00)")
