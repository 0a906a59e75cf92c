"""Gaps and folds of every zone: around each transition the open minutes are those that a count minute by minute finds.

`POINTSMAN_ZONES=all` looks at sixty hours instead of six around each, in all calendars instead of two.
"""

import os
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from pointsman_sla.calendar import Calendar, compile_calendar
from pointsman_sla.calendar.offsets import LOOK_SECONDS, year_offsets, year_start
from pointsman_sla.micros import MICROS
from tests.unit.sla.by_minutes import DAYS, ByMinutes, shown
from tests.unit.sla.tzif import distinct_zones, transitions

ALL = os.environ.get("POINTSMAN_ZONES") == "all"
ZONES = distinct_zones()
FIRST_YEAR, LAST_YEAR = 1997, 2027
"""Thirty years, the last one as it is planned."""
BEFORE, AFTER = (30, 30) if ALL else (2, 4)
"""Hours around a transition."""
AT_ONCE = 16
"""So many groups of zones, a test each."""

MONTHS = range(1, 13)
CALENDARS: tuple[dict[str, Any], ...] = (
    {"week": {day: [["00:30", "01:15"], ["01:45", "02:20"], ["02:40", "12:00"], ["23:10", "24:00"]] for day in DAYS}},
    {"week": {day: [["03:00", "05:00"], ["22:00", "02:30"]] for day in DAYS}},
    {"week": {"sat": [["20:00", "03:00"]], "sun": [["03:00", "24:00"]], "fri": [["00:00", "24:00"]]}},
    {"always": True, "holidays": [f"{month:02}-{day:02}" for month in MONTHS for day in (1, 2, 3, 25, 26, 27, 28)]},
)


NAIVE = tuple(ByMinutes(raw) for raw in CALENDARS)


@pytest.mark.parametrize("group", range(AT_ONCE))
def test_around_every_transition_the_open_minutes_are_those_of_the_wall_clock(group: int) -> None:
    for number, zone in list(enumerate(ZONES))[group::AT_ONCE]:
        chosen = range(4) if ALL else (number % 4, (number + 1) % 4)
        compiled = [(NAIVE[place], compile_calendar({"tz": zone, **CALENDARS[place]})) for place in chosen]
        for at in transitions(zone, year_start(FIRST_YEAR), year_start(LAST_YEAR)):
            begin = at - at % 60 - BEFORE * 3600
            minutes = range(begin, begin + (BEFORE + AFTER) * 3600, 60)
            walls = list(shown(minutes, zone))
            for naive, calendar in compiled:
                open_ = [minute for minute, wall in walls if naive.is_open(*wall)]
                assert _as_minutes(calendar, minutes) == open_, (zone, at)
                _all_questions(calendar, open_, minutes, (zone, at))


def _as_minutes(calendar: Calendar, minutes: range) -> list[int]:
    found: list[int] = []
    for low, high in calendar.spans(minutes[0] * MICROS, (minutes[-1] + 60) * MICROS):
        assert low % (60 * MICROS) == high % (60 * MICROS) == 0
        found += range(low // MICROS, high // MICROS, 60)
    return found


def _all_questions(calendar: Calendar, open_: list[int], minutes: range, where: Any) -> None:
    start, end = minutes[0] * MICROS, (minutes[-1] + 60) * MICROS
    assert calendar.elapsed(start, end) == len(open_) * 60 * MICROS, where
    for count in {1, len(open_) // 2, len(open_) - 1} if len(open_) > 2 else ():
        amount, closes = count * 60 * MICROS, (open_[count - 1] + 60) * MICROS
        assert calendar.fall_due(start, amount) == (closes, open_[count] * MICROS), where
        assert calendar.subtract(end, amount) == open_[-count] * MICROS, where


def test_there_are_zones_and_transitions_enough() -> None:
    found = [transitions(zone, year_start(FIRST_YEAR), year_start(LAST_YEAR)) for zone in ZONES]
    assert len(ZONES) >= 200
    assert sum(map(len, found)) > 5_000


def test_the_offsets_change_exactly_where_the_database_says() -> None:
    for zone in ZONES if ALL else ZONES[::7]:
        first, last = (1900, 2100) if ALL else (1970, 2040)
        compiled = [at for year in range(first, last) for at, _ in year_offsets(zone, year)]
        begins = {year_start(year) for year in range(first, last)}
        listed = transitions(zone, year_start(first), year_start(last))
        assert [at for at in compiled if at not in begins] == [at for at in listed if at not in begins], zone


def test_no_zone_has_two_transitions_within_two_looks() -> None:
    for zone in ZONES:
        listed = transitions(zone, year_start(1900), year_start(2038))
        assert all(later - earlier > 2 * LOOK_SECONDS for earlier, later in pairwise(listed)), zone


@pytest.mark.parametrize(
    ("zone", "night", "day", "minutes"),
    [
        ("Europe/Rome", "2026-03-29", "sun", 23 * 60),
        ("Europe/Rome", "2026-10-25", "sun", 25 * 60),
        ("Australia/Lord_Howe", "2026-10-04", "sun", 24 * 60 - 30),
        ("Australia/Lord_Howe", "2026-04-05", "sun", 24 * 60 + 30),
        ("Pacific/Apia", "2011-12-30", "fri", 0),
        ("Pacific/Kwajalein", "1993-08-21", "sat", 0),
        ("Asia/Pyongyang", "2015-08-14", "fri", 24 * 60 + 30),
        ("Asia/Kathmandu", "1986-01-01", "wed", 24 * 60 - 15),
        ("America/Caracas", "2007-12-09", "sun", 24 * 60 + 30),
        ("America/Sao_Paulo", "2018-11-04", "sun", 23 * 60),
        ("Africa/Cairo", "2026-04-24", "fri", 23 * 60),
        ("Antarctica/Troll", "2026-03-29", "sun", 22 * 60),
        ("Asia/Kolkata", "2026-03-29", "sun", 24 * 60),
    ],
)
def test_a_whole_day_lasts_as_long_as_it_did(zone: str, night: str, day: str, minutes: int) -> None:
    calendar = compile_calendar({"tz": zone, "week": {day: [["00:00", "24:00"]]}})
    middle = int(datetime.fromisoformat(night).replace(tzinfo=UTC).timestamp())
    assert calendar.elapsed((middle - 3 * 86_400) * MICROS, (middle + 3 * 86_400) * MICROS) == minutes * 60 * MICROS
