"""A calendar compiled to prefix sums on the epoch: every question is a binary search.

**What counts.** An instant counts when the wall clock of the calendar's zone shows, at that instant, a time inside a
span. So in a night in which an hour does not exist that hour cannot be worked, and an hour that comes twice counts
twice: exact at every transition of every zone, because it is computed per stretch of constant offset, never by adding
durations to wall time.

**Boundary.** When time runs out exactly at closing, it is due at the closing instant and breaches at the next opening.

All instants and durations here are integers of microseconds since 1970 (UTC). The spans of the years asked for are
compiled when first asked for, and kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from pointsman_sla.calendar.offsets import midnight_of, year_offsets, year_start
from pointsman_sla.calendar.week import DAY_SECONDS, Definition, Unusual, date_of, read_definition
from pointsman_sla.micros import MICROS

YEARS_MAX = 200
"""How many years away from a question its answer may lie."""


FIRST_YEAR, LAST_YEAR = 1900, 2400
_FIRST, _LAST = year_start(FIRST_YEAR) * MICROS, year_start(LAST_YEAR) * MICROS


class OutOfReach(ValueError):
    """The instant is outside the years that calendars reach, or the calendar is not open long enough within them."""


class Calendar:
    """The compiled form. Only grows; safe to share between everything in a process that has one thread."""

    __slots__ = ("_closes", "_definition", "_ends", "_first_year", "_high", "_last_year", "_low", "_opens", "always")

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self.always = definition.always
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._ends: list[int] = []  # business time from the first compiled instant to each closing
        self._first_year = self._last_year = 0  # compiled: first_year ≤ year < last_year
        self._low = self._high = 0

    @property
    def zone(self) -> str:
        """The calendar's IANA zone; the first, when it changes."""
        return self._definition.zones[0][1]

    def elapsed(self, start: int, end: int) -> int:
        """Business time in [start, end); 0 when `end` is not after `start`."""
        if end <= start:
            return 0
        if self.always:
            return end - start
        if start < self._low or end >= self._high:
            self._cover(start, end)
        return self._worked(end) - self._worked(start)

    def fall_due(self, start: int, amount: int) -> tuple[int, int]:
        """(due, breach): when `amount` ≥ 0 of business time from `start` on has run out, and when it is overrun.

        Both are the same unless time runs out exactly at closing. Raises `OutOfReach`.
        """
        if self.always:
            return start + amount, start + amount
        if not self._low <= start < self._high:
            self._cover(start, start)
        worked = self._worked(start) + amount
        ends = self._ends
        if not ends or worked >= ends[-1]:
            worked = self._reach(start, amount)
        if amount == 0:
            return start, max(start, self._opens[bisect_right(self._closes, start)])
        place = bisect_left(ends, worked)
        due = self._closes[place] - (ends[place] - worked)
        return due, self._opens[place + 1] if ends[place] == worked else due

    def due(self, start: int, amount: int) -> int:
        """When `amount` of business time from `start` on has elapsed; the closing instant at a boundary."""
        return self.fall_due(start, amount)[0]

    def subtract(self, end: int, amount: int) -> int:
        """The latest instant from which `amount` ≥ 0 of business time elapses until `end`. Raises `OutOfReach`."""
        if self.always:
            return end - amount
        self._cover(end, end)
        if amount == 0:
            return end
        limit = max(FIRST_YEAR, self._year(end) - YEARS_MAX)
        while (left := self._worked(end) - amount) < 0:
            if self._first_year <= limit:
                raise OutOfReach(f"the calendar is not open for {amount // MICROS} s in the {YEARS_MAX} years before")
            self._compile_before(max(limit, self._first_year - (self._last_year - self._first_year)))
        place = bisect_right(self._ends, left)
        return self._closes[place] - (self._ends[place] - left)

    def opening(self, at: int) -> int:
        """`at` itself when the calendar is open then, else the next opening."""
        return self.fall_due(at, 0)[1]

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The open stretches inside [start, end), in order."""
        if end <= start:
            return
        if self.always:
            yield start, end
            return
        self._cover(start, end)
        place = max(bisect_right(self._opens, start) - 1, 0)
        while place < len(self._opens) and self._opens[place] < end:
            low, high = max(start, self._opens[place]), min(end, self._closes[place])
            if low < high:
                yield low, high
            place += 1

    def unusual(self, start: int, end: int) -> list[tuple[int, int, Unusual, str]]:
        """(begins, ends, why, date) of each stretch in [start, end) that a holiday or a special day rules, in order.

        It rules its own date, whatever its hours, and what the ordinary shift that would have opened on it has of the
        next date, unless that is unusual too.
        """
        found: list[tuple[int, int, Unusual, str]] = []
        for year in range(self._year(start), self._year(max(start, end - 1)) + 1):
            for low, high, offset in self._year_stretches(year):
                low, high = max(low, start // MICROS + offset), min(high, -(-end // MICROS) + offset)
                for day in range(low // DAY_SECONDS - 1, (high - 1) // DAY_SECONDS + 1) if low < high else ():
                    why = self._definition.in_force(day).unusual(day)
                    if why is None:
                        continue
                    for begins, ends in self._ruled(day):
                        begun = max(start, (max(low, begins) - offset) * MICROS)
                        ended = min(end, (min(high, ends) - offset) * MICROS)
                        if begun < ended:
                            found.append((begun, ended, why, date_of(day)))
        return sorted(found)

    def _ruled(self, day: int) -> Iterator[tuple[int, int]]:
        """What an unusual day rules, in wall time."""
        midnight, following = day * DAY_SECONDS, self._definition.in_force(day + 1)
        yield midnight, midnight + DAY_SECONDS
        if following.unusual(day + 1) is None:
            for _, closes in self._definition.in_force(day).ordinary(day):
                if closes > DAY_SECONDS:
                    yield midnight + DAY_SECONDS, midnight + closes

    def overlap(self, start: int, end: int, stretches: Iterable[tuple[int, int]]) -> int:
        """Business time in [start, end) that the union of the stretches covers."""
        return sum(
            self.elapsed(max(start, low), min(end, high))
            for low, high in union(stretches)
            if high > start and low < end
        )

    def _worked(self, at: int) -> int:
        place = bisect_right(self._opens, at) - 1
        if place < 0:
            return 0
        closes = self._closes[place]
        return self._ends[place] - (closes - at) if at < closes else self._ends[place]

    def _reach(self, start: int, amount: int) -> int:
        """Compiles on until the work is inside with a later span behind it; the work as counted from the beginning."""
        limit = min(LAST_YEAR, self._year(start) + YEARS_MAX)
        while not self._ends or self._worked(start) + amount >= self._ends[-1]:
            if self._last_year > limit:
                raise OutOfReach(f"the calendar is not open for {amount // MICROS} s within {YEARS_MAX} years")
            self._compile_after(max(1, min(16, self._last_year - self._first_year)))
        return self._worked(start) + amount

    def _cover(self, start: int, end: int) -> None:
        if self._first_year == self._last_year:
            self._first_year = self._last_year = self._year(start)
            self._low = self._high = year_start(self._first_year) * MICROS
        if start < self._low:
            self._compile_before(self._year(start))
        if end >= self._high:
            self._compile_after(self._year(end) - self._last_year + 1)

    def _compile_after(self, years: int) -> None:
        for year in range(self._last_year, self._last_year + years):
            total = self._ends[-1] if self._ends else 0
            for opens, closes in self._year_spans(year):
                total += closes - opens
                if self._closes and self._closes[-1] == opens:
                    self._closes[-1], self._ends[-1] = closes, total
                else:
                    self._opens.append(opens)
                    self._closes.append(closes)
                    self._ends.append(total)
        self._last_year += years
        self._high = year_start(self._last_year) * MICROS

    def _compile_before(self, first: int) -> None:
        last = self._last_year
        self._opens.clear()
        self._closes.clear()
        self._ends.clear()
        self._first_year = self._last_year = first
        self._low = year_start(first) * MICROS
        self._compile_after(last - first)

    def _year_spans(self, year: int) -> list[tuple[int, int]]:
        """The open stretches of one UTC year, sorted, disjoint, not touching."""
        found: list[tuple[int, int]] = []
        for low, high, offset in self._year_stretches(year):  # seconds as the zone's wall clock shows them
            for day in range(low // DAY_SECONDS - 1, (high - 1) // DAY_SECONDS + 1):
                midnight = day * DAY_SECONDS
                for opens, closes in self._definition.hours(day):
                    span = max(low, midnight + opens), min(high, midnight + closes)
                    if span[0] < span[1]:
                        found.append(((span[0] - offset) * MICROS, (span[1] - offset) * MICROS))
        return union(found)

    def _year_stretches(self, year: int) -> Iterator[tuple[int, int, int]]:
        """(begins, ends, offset) of each stretch of constant offset of the zone in force, in its wall time."""
        zones = self._definition.zones
        for place, (first_day, zone) in enumerate(zones):
            offsets = year_offsets(zone, year)
            ends = [first for first, _ in offsets[1:]] + [year_start(year + 1)]
            last_day, next_zone = zones[place + 1] if place + 1 < len(zones) else (None, zone)
            until = year_start(year + 1) if last_day is None else midnight_of(next_zone, last_day)
            since = year_start(year) if place == 0 else midnight_of(zone, first_day)
            for (first, offset), end in zip(offsets, ends, strict=True):
                low, high = max(first, since), min(end, until)
                if low < high:
                    yield low + offset, high + offset, offset

    @staticmethod
    def _year(at: int) -> int:
        if not _FIRST <= at < _LAST:
            raise OutOfReach(f"calendars reach from {FIRST_YEAR} to {LAST_YEAR}")
        return datetime.fromtimestamp(at // MICROS, UTC).year


def union(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches sorted and joined where they touch or overlap; empty ones are left out."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(stretches):
        if low >= high:
            continue
        if joined and low <= joined[-1][1]:
            if high > joined[-1][1]:
                joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def compile_calendar(raw: Mapping[str, Any]) -> Calendar:
    """The compiled calendar of a definition; equal definitions share one. Raises `CalendarError`."""
    return _compiled(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))


@lru_cache(maxsize=4096)
def _compiled(canonical: bytes) -> Calendar:
    return Calendar(read_definition(orjson.loads(canonical)))
