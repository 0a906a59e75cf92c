"""Whether a calendar is open, minute by minute of the wall clock: the definition, looked up and never calculated.

What compiled calendars are held to. Times lie on whole minutes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class ByMinutes:
    """A calendar by its definition: `tz`, `week`, `always`, `holidays`, `days`, and `from` with `week` and `always`."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self._days: dict[int, bytearray] = {}

    def is_open(self, day: int, minute: int) -> bool:
        """`day` is the proleptic Gregorian ordinal, `minute` that of the wall clock."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = bytearray(1440)
            for back in (0, 1):
                for opens, closes in self._spans(date.fromordinal(day - back)):
                    for place in range(opens - back * 1440, closes - back * 1440):
                        if 0 <= place < 1440:
                            found[place] = 1
        return found[minute] == 1

    def open_minutes(self, start: int, end: int) -> list[int]:
        """The epoch seconds at which the open minutes in [start, end) begin."""
        return [minute for minute, wall in shown(range(start, end, 60), self.raw["tz"]) if self.is_open(*wall)]

    def _spans(self, day: date) -> Iterator[tuple[int, int]]:
        written = day.isoformat()
        holidays = self.raw.get("holidays", ())
        if written in self.raw.get("days", {}):
            spans = self.raw["days"][written]
        elif written in holidays or written[5:] in holidays:
            spans = []
        else:
            spans = self._ordinary(written, DAYS[day.weekday()])
        for span in spans:
            opens, closes = (int(text[:2]) * 60 + int(text[3:]) for text in span)
            yield opens, closes if closes > opens else closes + 1440

    def _ordinary(self, written: str, weekday: str) -> Any:
        always, week = self.raw.get("always", False), self.raw.get("week", {})
        for begins, change in sorted(self.raw.get("from", {}).items()):
            if begins <= written:
                week, always = change.get("week", week), change.get("always", always and "week" not in change)
        return [["00:00", "24:00"]] if always else week.get(weekday, [])


def shown(minutes: Iterable[int], zone: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """(epoch second, (ordinal of the day, minute of the wall clock)) of each."""
    tz = ZoneInfo(zone)
    for minute in minutes:
        wall = datetime.fromtimestamp(minute, tz)
        yield minute, (wall.toordinal(), wall.hour * 60 + wall.minute)


def outside(minutes: Sequence[int], pauses: Iterable[tuple[int, int]]) -> list[int]:
    """The minutes that lie in no pause."""
    pauses = list(pauses)
    return [minute for minute in minutes if not any(low <= minute < high for low, high in pauses)]
