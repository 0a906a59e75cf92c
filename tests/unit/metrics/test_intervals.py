"""The intervals of reports in many zones' nights. An hourly backlog left out an instant of the night whose hour comes
twice (Rome, 2025-10-26: 6 rows of 7 hours), since hours were counted on the wall clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from pointsman.core.instant import EPOCH, FOREVER, parse_rfc3339
from pointsman.core.zones import day_start, zone_of
from pointsman_metrics.reports.intervals import TooManyIntervals, edges

ZONES = (
    *("Europe/Rome", "Europe/London", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Havana"),
    *("America/Santiago", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia", "Pacific/Chatham", "Asia/Tehran"),
    *("Asia/Kolkata", "Asia/Kathmandu", "Asia/Beirut", "Asia/Pyongyang", "Africa/Cairo", "Africa/Casablanca"),
    *("Antarctica/Troll", "America/Caracas", "America/Nuuk", "America/Scoresbysund", "Pacific/Kiritimati", "UTC"),
)
HOUR = timedelta(hours=1)


def nights(zone: str) -> list[datetime]:
    """The full UTC hours after which the zone's offset is another, from 1995 to 2030."""
    place = zone_of(zone)
    at, found = datetime(1995, 1, 1, tzinfo=UTC), []
    while at.year < 2030:
        if _offset(at, place) != _offset(at + 24 * HOUR, place):
            hours = [at + step * HOUR for step in range(24)]
            found += [hour for hour in hours if _offset(hour, place) != _offset(hour + HOUR, place)]
        at += 24 * HOUR
    return found


def _offset(at: datetime, place: ZoneInfo) -> timedelta | None:
    return at.astimezone(place).utcoffset()


def test_an_hourly_night_of_rome_has_an_interval_for_every_hour() -> None:
    start, end = parse_rfc3339("2025-10-25T22:00:00Z"), parse_rfc3339("2025-10-26T05:00:00Z")
    found = edges(start, end, "hour", zone_of("Europe/Rome"), 100)
    assert found == [start + step * HOUR for step in range(8)]


@pytest.mark.parametrize("zone", ZONES)
def test_hours_and_minutes_step_on_instants_in_every_night(zone: str) -> None:
    place = zone_of(zone)
    for night in nights(zone)[-8:]:
        wall = (night - 5 * HOUR).astimezone(place)
        start = wall.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        for grain, step, count in (("hour", HOUR, 11), ("minute", timedelta(minutes=1), 660)):
            assert edges(start, start + 11 * HOUR, grain, place, 1_000) == [start + n * step for n in range(count + 1)]
        middle = start + timedelta(minutes=17, seconds=3)
        assert edges(middle, start + 2 * HOUR, "hour", place, 10) == [middle, start + HOUR, start + 2 * HOUR]


@pytest.mark.parametrize("zone", ZONES)
def test_days_weeks_and_months_begin_when_the_wall_clock_first_shows_them(zone: str) -> None:
    place = zone_of(zone)
    for night in nights(zone):
        start, end = night - timedelta(days=40), night + timedelta(days=40)
        for grain in ("day", "week", "month"):
            found = edges(start, end, grain, place, 1_000)
            assert (found[0], found[-1]) == (start, end)
            assert all(before < after for before, after in pairwise(found))
            for at in found[1:-1]:
                shown, before = at.astimezone(place), (at - timedelta(seconds=1)).astimezone(place)
                assert shown.date() > before.date(), (at, "a day begins")
        start, end = night - timedelta(days=3), night + timedelta(days=3)
        begun = [day.astimezone(place).date() for day in edges(start, end, "day", place, 10)[1:-1]]
        walked = {(start + n * HOUR / 4).astimezone(place).date() for n in range(1, 6 * 24 * 4)}
        assert set(begun) == walked - {start.astimezone(place).date()}
        assert len(begun) == len(set(begun))


def test_the_days_of_a_change_last_as_long_as_they_did() -> None:
    def lasts(zone: str, day: str) -> float:
        at, place = date.fromisoformat(day), zone_of(zone)
        return (day_start(at + timedelta(days=1), place) - day_start(at, place)) / HOUR

    assert lasts("Europe/Rome", "2025-10-26") == 25
    assert lasts("Europe/Rome", "2026-03-29") == 23
    assert lasts("Australia/Lord_Howe", "2026-04-05") == 24.5
    assert lasts("America/Sao_Paulo", "2018-11-04") == 23, "00:00 did not exist"
    assert lasts("Pacific/Apia", "2011-12-30") == 0, "nor did the day"
    assert lasts("America/Scoresbysund", "2024-03-31") == 24, "it changed its zone in the night of the change"


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    rome = zone_of("Europe/Rome")
    found = edges(parse_rfc3339("2026-02-25T12:00:00Z"), parse_rfc3339("2026-04-02T12:00:00Z"), "week", rome, 10)
    assert [at.astimezone(rome).strftime("%a %H:%M") for at in found[1:-1]] == ["Mon 00:00"] * 5
    months = edges(parse_rfc3339("2026-02-25T12:00:00Z"), parse_rfc3339("2026-05-02T12:00:00Z"), "month", rome, 10)
    assert [at.astimezone(rome).strftime("%d.%m. %H:%M") for at in months[1:-1]] == [
        "01.03. 00:00",
        "01.04. 00:00",
        "01.05. 00:00",
    ]


def test_too_many_intervals_are_refused_before_they_are_counted() -> None:
    for grain in ("minute", "hour", "day", "week"):
        with pytest.raises(TooManyIntervals, match="more than 100 "):
            edges(EPOCH, FOREVER, grain, zone_of("Europe/Rome"), 100)
    rome = zone_of("Europe/Rome")
    start = parse_rfc3339("2026-01-01T00:00:00Z")
    assert len(edges(start, start + 100 * HOUR, "hour", rome, 100)) == 101
    with pytest.raises(TooManyIntervals):
        edges(start, start + 101 * HOUR, "hour", rome, 100)
