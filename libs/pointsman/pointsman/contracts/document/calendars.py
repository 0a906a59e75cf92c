"""`calendars`: business hours in an IANA zone, with holidays, special days and changes from a date on."""

import re
from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from pointsman.contracts.document.parts import DAYS_MAX, ICAL_CHARACTERS_MAX, SPANS_OF_DAY_MAX, Part
from pointsman.core.zones import zone_names, zone_of

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


def _zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError(f"{name!r} is no IANA time zone (as Europe/Rome)")
    return name


def _time(text: str) -> str:
    if not _TIME.match(text):
        raise ValueError(f"{text!r} is no time of day: HH:MM from 00:00 to 24:00")
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: YYYY-MM-DD") from None
    if len(text) != 10:
        raise ValueError(f"{text!r} is no date: YYYY-MM-DD")
    return text


def _holiday(text: str) -> str:
    if len(text) == 5:
        try:
            date.fromisoformat(f"2024-{text}")
        except ValueError:
            raise ValueError(f"{text!r} is no yearly date: MM-DD") from None
        return text
    return _day(text)


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
"""An IANA time zone."""
TimeOfDay = Annotated[str, StringConstraints(max_length=5), AfterValidator(_time)]
"""`HH:MM`; `24:00` is the day's end."""
Day = Annotated[str, StringConstraints(max_length=10), AfterValidator(_day)]
"""`YYYY-MM-DD`."""
Holiday = Annotated[str, StringConstraints(max_length=10), AfterValidator(_holiday)]
"""`YYYY-MM-DD`, or `MM-DD` every year."""


def minutes_of(time: str) -> int:
    """Minutes since midnight of `HH:MM`."""
    return int(time[:2]) * 60 + int(time[3:])


def _spans(spans: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """In order and apart. A span whose end is not after its start ends on the next day; it must be the last."""
    end_before = -1
    for place, (start, end) in enumerate(spans):
        begins, ends = minutes_of(start), minutes_of(end)
        if begins == 24 * 60:
            raise ValueError("a span cannot start at 24:00; start the next day at 00:00")
        if begins == ends:
            raise ValueError(f"a span of no time: {start} to {end}")
        if begins < end_before:
            raise ValueError(f"the span {start} to {end} overlaps the one before it, or comes out of order")
        if ends < begins and place < len(spans) - 1:
            raise ValueError(f"the span {start} to {end} goes over midnight; only a day's last can")
        end_before = ends if ends > begins else 24 * 60 + ends
    return spans


Spans = Annotated[tuple[tuple[TimeOfDay, TimeOfDay], ...], Field(max_length=SPANS_OF_DAY_MAX), AfterValidator(_spans)]
"""A day's opening hours: pairs of from and to. From 22:00 to 06:00 is over midnight, of the day it starts on."""

Week = dict[Weekday, Spans]


class Country(Part):
    """Public holidays. `dates` are filled when the version is made, of `years` or, without any, of the last year to the
    second after this one; what is written there is replaced."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(max_length=20)] | None = None
    years: Annotated[tuple[Annotated[int, Field(strict=True, ge=1970, le=2200)], ...], Field(max_length=50)] = ()
    dates: Annotated[tuple[Day, ...], Field(max_length=DAYS_MAX)] = ()


class Ical(Part):
    """Holidays of an iCal file: `file` beside the document, which `apply` and `lint` read and send as `text`. `dates`
    and the names of their events are filled when the version is made, of the last year to the tenth after this one;
    what is written there is replaced."""

    file: Annotated[str, StringConstraints(max_length=500)] | None = None
    text: Annotated[str, StringConstraints(max_length=ICAL_CHARACTERS_MAX)] | None = None
    dates: Annotated[dict[Day, Annotated[str, StringConstraints(max_length=200)]], Field(max_length=DAYS_MAX)] = {}


class Change(Part):
    """What holds from a date on; a key that is absent stays as it was. A `week` ends an `always`; `always: false` alone
    goes back to the week named last."""

    week: Week | None = None
    always: StrictBool | None = None
    tz: Zone | None = None


class Calendar(Part):
    """Business hours. `tz` absent is the workspace's zone; a weekday that is not named is shut. The hours of a date are
    those of `days`; else none if `holidays`, `holidays_of` or `ical` has it; else those of `always` or `week`, as the
    changes (`from`) up to it leave them."""

    tz: Zone | None = None
    always: StrictBool = False
    week: Week = {}
    holidays: Annotated[tuple[Holiday, ...], Field(max_length=DAYS_MAX)] = ()
    holidays_of: Country | None = None
    ical: Ical | None = None
    days: Annotated[dict[Day, Spans], Field(max_length=DAYS_MAX)] = {}
    from_: Annotated[dict[Day, Change], Field(max_length=100)] = Field(default={}, alias="from")

    def zone(self, workspace_zone: str) -> ZoneInfo:
        """The zone in which the spans are written."""
        return zone_of(self.tz or workspace_zone)

    @property
    def always_open(self) -> bool:
        """Whether it can never shut."""
        return self.always and not (self.holidays or self.holidays_of or self.ical or self.days or self.from_)

    def is_holiday(self, written: str) -> bool:
        """Whether a date (`YYYY-MM-DD`) is one of the holidays, of whatever source."""
        if written in self.holidays or written[5:] in self.holidays:
            return True
        public = self.holidays_of is not None and written in self.holidays_of.dates
        return public or (self.ical is not None and written in self.ical.dates)

    def week_on(self, written: str | None) -> Week | None:
        """The week in force on a date, or after all changes; None is every hour of every day."""
        always, week = self.always, self.week
        for begins, change in sorted(self.from_.items()):
            if written is None or begins <= written:
                week = week if change.week is None else change.week
                always = (always and change.week is None) if change.always is None else change.always
        return None if always else week

    @property
    def seconds_a_year(self) -> float:
        """About how long it is open a year after all changes, without what is set for single dates; 0: not at all."""
        week = self.week_on(None)
        open_days = 366 - len({holiday for holiday in self.holidays if len(holiday) == 5})
        spans = [(0, 7 * 24 * 60)] if week is None else [_minutes(span) for spans in week.values() for span in spans]
        return sum(end - start for start, end in spans) * 60 / 7 * open_days


def _minutes(span: tuple[str, str]) -> tuple[int, int]:
    start, end = minutes_of(span[0]), minutes_of(span[1])
    return start, end if end > start else end + 24 * 60
