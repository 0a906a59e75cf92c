"""Calendars count exactly the instants at which the wall clock shows opening hours, in every zone and at every DST."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman_sla.calendar import Calendar, CalendarError, OutOfReach, compile_calendar
from pointsman_sla.calendar.offsets import year_offsets
from pointsman_sla.calendar.week import DAYS
from pointsman_sla.micros import MICROS

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
OFFICE = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
MINUTE = 60


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * MICROS


def written(instant: int) -> str:
    return datetime.fromtimestamp(instant / MICROS, UTC).isoformat().replace("+00:00", "Z")


def a_calendar(**changes: Any) -> Calendar:
    return compile_calendar({"tz": "UTC", "week": OFFICE, **changes})


def naive_is_open(raw: dict[str, Any], moment: int) -> bool:
    """The definition itself: does the wall clock show a time inside a span that opened today or yesterday?"""
    wall = datetime.fromtimestamp(moment, ZoneInfo(raw["tz"])).replace(tzinfo=None)
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        seconds = (wall - datetime.combine(day, datetime.min.time())).total_seconds()
        for opens, closes in naive_spans(raw, day):
            if opens <= seconds < closes:
                return True
    return False


def naive_spans(raw: dict[str, Any], day: date) -> list[tuple[int, int]]:
    spans = raw["week"].get(DAYS[day.weekday()], [])
    if day.isoformat() in raw["holidays"] or day.isoformat()[5:] in raw["holidays"]:
        spans = []
    spans = raw["days"].get(day.isoformat(), spans)
    found = []
    for pair in spans:
        opens, closes = (int(text[:2]) * 3600 + int(text[3:]) * 60 for text in pair)
        found.append((opens, closes if closes > opens else closes + 86_400))
    return found


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    def spans(over_midnight: bool) -> list[list[str]]:
        marks = sorted(draw(st.lists(st.integers(0, 96), max_size=6, unique=True)))
        pairs = list(zip(marks[::2], marks[1::2], strict=False))
        texts = [[f"{a // 4:02}:{a % 4 * 15:02}", f"{b // 4:02}:{b % 4 * 15:02}"] for a, b in pairs]
        if texts and over_midnight and texts[0][0] > "04:00":
            texts[-1][1] = "03:30"
        return texts

    nights = draw(st.booleans())
    week = {day: spans(nights) for day in DAYS if draw(st.integers(0, 3))}
    return {"tz": "UTC", "week": week, "holidays": [], "days": {}}


@st.composite
def near_transitions(draw: st.DrawFn) -> tuple[str, int]:
    """A zone, and an epoch second around one of its transitions (or any, where it has none that year)."""
    zone = draw(st.sampled_from(ZONES))
    year = draw(st.integers(1985, 2036))
    stretches = year_offsets(zone, year)
    first, _ = draw(st.sampled_from(stretches))
    return zone, first + draw(st.integers(-2 * 86_400, 86_400))


@given(definitions(), near_transitions(), st.integers(0, 4 * 24 * 60), st.data())
@settings(max_examples=150, deadline=None)
def test_elapsed_is_the_brute_force_count_of_open_minutes(
    raw: dict[str, Any], place: tuple[str, int], minutes: int, data: st.DataObject
) -> None:
    zone, start = place
    start -= start % MINUTE
    day = datetime.fromtimestamp(start + 86_400, ZoneInfo(zone)).date().isoformat()
    special = data.draw(st.sampled_from(["none", "holiday", "yearly", "day"]))
    raw = {
        **raw,
        "tz": zone,
        "holidays": {"holiday": [day], "yearly": [day[5:]]}.get(special, []),
        "days": {day: [["10:00", "11:30"]]} if special == "day" else {},
    }
    if any(
        offset % MINUTE for year in (-1, 0, 1) for _, offset in year_offsets(zone, date.fromisoformat(day).year + year)
    ):
        return  # a zone with seconds in its offset: minutes of UTC are not minutes there
    counted = sum(naive_is_open(raw, start + MINUTE * i) for i in range(minutes)) * MINUTE
    calendar = compile_calendar(raw)
    assert calendar.elapsed(start * MICROS, (start + minutes * MINUTE) * MICROS) == counted * MICROS


@given(definitions(), near_transitions(), st.integers(0, 40 * 86_400), st.integers(1, 200_000))
@settings(max_examples=200, deadline=None)
def test_due_elapsed_and_subtract_are_inverse(
    raw: dict[str, Any], place: tuple[str, int], ahead: int, amount: int
) -> None:
    calendar = compile_calendar({**raw, "tz": place[0]})
    start = place[1] * MICROS + 123_456
    amount *= MICROS
    try:
        due, breach = calendar.fall_due(start, amount)
    except OutOfReach:
        assert not any(raw["week"].values())
        return
    assert calendar.elapsed(start, due) == amount
    assert calendar.elapsed(start, due - 1) == amount - 1, "due is the first such instant"
    assert calendar.elapsed(start, breach) == amount, "nothing counts between closing and the next opening"
    assert calendar.elapsed(start, breach + 1) == amount + 1, "breach is the last such instant"
    back = calendar.subtract(due, amount)
    assert calendar.elapsed(back, due) == amount
    assert calendar.elapsed(back + 1, due) == amount - 1
    end = start + ahead * MICROS
    assert sum(high - low for low, high in calendar.spans(start, end)) == calendar.elapsed(start, end)


def test_a_target_that_ends_at_closing_is_due_then_and_breaches_at_the_next_opening() -> None:
    due, breach = a_calendar().fall_due(at("2026-11-20T17:00:00Z"), 3600 * MICROS)
    assert (written(due), written(breach)) == ("2026-11-20T18:00:00Z", "2026-11-23T09:00:00Z")


def test_the_lunch_break_is_a_boundary_too() -> None:
    due, breach = a_calendar().fall_due(at("2026-11-20T12:00:00Z"), 3600 * MICROS)
    assert (written(due), written(breach)) == ("2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z")


def test_a_day_that_ends_where_the_next_begins_is_no_boundary() -> None:
    whole = compile_calendar({"tz": "UTC", "week": {day: [["00:00", "24:00"]] for day in DAYS}})
    due, breach = whole.fall_due(at("2026-11-20T23:00:00Z"), 3600 * MICROS)
    assert due == breach == at("2026-11-21T00:00:00Z")


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    night = a_calendar(week={"fri": [["22:00", "06:00"]]}, holidays=["2026-11-21"])
    start, end = at("2026-11-20T00:00:00Z"), at("2026-11-23T00:00:00Z")
    assert [(written(a), written(b)) for a, b in night.spans(start, end)] == [
        ("2026-11-20T22:00:00Z", "2026-11-21T06:00:00Z")
    ]


def test_in_the_night_that_loses_an_hour_a_shift_is_an_hour_shorter() -> None:
    night = a_calendar(tz="Europe/Rome", week={"sat": [["22:00", "06:00"]]})
    assert night.elapsed(at("2026-03-28T00:00:00Z"), at("2026-03-30T00:00:00Z")) == 7 * 3600 * MICROS


def test_in_the_night_that_has_an_hour_twice_a_shift_is_an_hour_longer() -> None:
    night = a_calendar(tz="Europe/Rome", week={"sat": [["22:00", "06:00"]]})
    assert night.elapsed(at("2026-10-24T00:00:00Z"), at("2026-10-26T00:00:00Z")) == 9 * 3600 * MICROS


def test_public_holidays_are_holidays_by_the_dates_of_the_version() -> None:
    both = a_calendar(holidays=["2026-12-07"], holidays_of={"country": "IT", "dates": ["2026-12-08"]})
    week = at("2026-12-07T00:00:00Z"), at("2026-12-09T12:00:00Z")
    assert [(written(a), written(b)) for a, b in both.spans(*week)] == [
        ("2026-12-09T09:00:00Z", "2026-12-09T12:00:00Z")
    ]


def test_special_days_go_before_holidays_and_holidays_before_the_week() -> None:
    calendar = a_calendar(holidays=["12-24", "2026-12-25"], days={"2026-12-24": [["09:00", "13:00"]]})
    christmas = at("2026-12-24T00:00:00Z"), at("2026-12-26T00:00:00Z")
    assert [(written(a), written(b)) for a, b in calendar.spans(*christmas)] == [
        ("2026-12-24T09:00:00Z", "2026-12-24T13:00:00Z")
    ]


def test_changes_hold_from_their_date_on_and_keep_what_they_do_not_name() -> None:
    calendar = a_calendar(
        holidays=["2027-03-02"],
        **{"from": {"2027-03-01": {"week": {"mon": [["08:00", "10:00"]], "tue": [["08:00", "09:00"]]}}}},
    )
    days = at("2027-02-26T00:00:00Z"), at("2027-03-03T00:00:00Z")
    assert [(written(a)[5:13], written(b)[5:13]) for a, b in calendar.spans(*days)] == [
        ("02-26T09", "02-26T13"),
        ("02-26T14", "02-26T18"),
        ("03-01T08", "03-01T10"),
    ]


def test_a_change_ends_always_by_a_week_or_goes_back_to_the_week_named_last() -> None:
    day = at("2027-03-01T00:00:00Z"), at("2027-03-02T00:00:00Z")  # a Monday
    monday = {"week": {"mon": [["08:00", "10:00"]]}}
    for changes, hours in (
        ({"2027-01-01": monday}, 2),
        ({"2027-01-01": {"always": False}}, 8),
        ({"2027-01-01": monday, "2027-02-01": {"always": True}}, 24),
        ({"2027-01-01": monday, "2027-02-01": {"always": True}, "2027-02-02": {"always": False}}, 2),
        ({"2027-01-01": {"tz": "Europe/Rome"}}, 24),
    ):
        assert a_calendar(always=True, **{"from": changes}).elapsed(*day) == hours * 3600 * MICROS, changes


def test_the_events_of_an_ical_file_are_holidays_that_special_days_go_before() -> None:
    calendar = a_calendar(
        ical={"dates": {"2026-12-23": "Eve's eve", "2026-12-24": "Eve"}},
        holidays=["2026-12-21"],
        holidays_of={"country": "IT", "dates": ["2026-12-25"]},
        days={"2026-12-24": [["09:00", "10:00"]]},
        **{"from": {"2026-12-22": {"week": {day: [["09:00", "11:00"]] for day in DAYS}}}},
    )
    week = at("2026-12-21T00:00:00Z"), at("2026-12-27T00:00:00Z")
    assert [(written(a)[8:13], written(b)[8:13]) for a, b in calendar.spans(*week)] == [
        ("22T09", "22T11"),
        ("24T09", "24T10"),
        ("26T09", "26T11"),
    ]


def test_a_calendar_can_move_to_another_zone() -> None:
    calendar = a_calendar(week={"mon": [["09:00", "10:00"]]}, **{"from": {"2026-11-23": {"tz": "Asia/Tokyo"}}})
    weeks = at("2026-11-15T00:00:00Z"), at("2026-11-24T00:00:00Z")
    assert [written(a) for a, _ in calendar.spans(*weeks)] == ["2026-11-16T09:00:00Z", "2026-11-23T00:00:00Z"]


def test_always_is_every_instant() -> None:
    always = compile_calendar({"tz": "Asia/Tehran", "always": True})
    assert always.always
    assert always.fall_due(5, 7) == (12, 12)
    assert (always.elapsed(5, 12), always.subtract(12, 7)) == (7, 5)


def test_always_but_for_holidays() -> None:
    calendar = compile_calendar({"tz": "UTC", "always": True, "holidays": ["2026-11-21"]})
    assert calendar.elapsed(at("2026-11-20T00:00:00Z"), at("2026-11-23T00:00:00Z")) == 2 * 86_400 * MICROS


def test_overlap_counts_each_business_second_once() -> None:
    start, end = at("2026-11-20T08:00:00Z"), at("2026-11-20T20:00:00Z")
    twice = [
        (at("2026-11-20T12:30:00Z"), at("2026-11-20T15:00:00Z")),
        (at("2026-11-20T14:30:00Z"), at("2026-11-20T16:00:00Z")),
    ]
    assert a_calendar().overlap(start, end, twice) == (1800 + 7200) * MICROS


def test_nothing_to_elapse_is_due_at_once_and_breaches_when_next_open() -> None:
    calendar = a_calendar()
    night, noon = at("2026-11-20T20:00:00Z"), at("2026-11-20T10:00:00Z")
    assert calendar.fall_due(night, 0) == (night, at("2026-11-23T09:00:00Z"))
    assert calendar.fall_due(noon, 0) == (noon, noon)


def test_questions_may_come_in_any_order_of_years() -> None:
    calendar = a_calendar()
    later = calendar.elapsed(at("2030-01-01T00:00:00Z"), at("2030-02-01T00:00:00Z"))
    assert calendar.elapsed(at("1995-01-01T00:00:00Z"), at("1995-02-01T00:00:00Z")) > 0
    assert calendar.elapsed(at("2030-01-01T00:00:00Z"), at("2030-02-01T00:00:00Z")) == later


def test_a_calendar_that_never_opens_can_fall_due_at_no_time() -> None:
    with pytest.raises(OutOfReach):
        a_calendar(week={}).fall_due(at("2026-11-20T00:00:00Z"), MICROS)
    with pytest.raises(OutOfReach):
        a_calendar(week={}, days={"2020-01-01": [["09:00", "10:00"]]}).due(at("2026-11-20T00:00:00Z"), MICROS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tz": "Europe/Atlantis"}, "/tz"),
        ({"tz": "../../etc/passwd"}, "/tz"),
        ({"week": {"monday": []}}, "/week/monday"),
        ({"week": {"mon": [["09:00"]]}}, "/week/mon/0"),
        ({"week": {"mon": [["09:00", "25:00"]]}}, "/week/mon/0"),
        ({"week": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "overlap"),
        ({"holidays": ["2026-02-30"]}, "/holidays/0"),
        ({"holidays": ["13-01"]}, "/holidays/0"),
        ({"days": {"christmas": []}}, "/days"),
        ({"from": {"2026-01-01": {"hours": []}}}, "/from"),
        ({"wek": {}}, "/wek"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_place(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CalendarError, match=says):
        a_calendar(**changes)
