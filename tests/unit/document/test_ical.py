"""The events of an iCal file are holidays: which dates they are, and what is refused."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.document.ical import IcalRefused, ical_dates

YEARS = range(2025, 2030)


def a_file(*events: str, before: str = "", uid: str | None = None) -> str:
    """A file of events, each given by its lines."""
    written = "".join(
        f"BEGIN:VEVENT\nUID:{uid or number}\nDTSTAMP:20260101T000000Z\n{event.strip()}\nEND:VEVENT\n"
        for number, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{before}{written}END:VCALENDAR\n"


def dates(text: str, *, zone: str = "Europe/Rome", years: range = YEARS, **limits: Any) -> dict[str, str]:
    return ical_dates(text, lambda at: at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), years, **limits)


def days(*events: str, **given: Any) -> list[str]:
    return list(dates(a_file(*events), **given))


def refused(text: str, **given: Any) -> str:
    with pytest.raises(IcalRefused) as why:
        dates(text, **given)
    return str(why.value)


def test_a_whole_day_is_a_holiday_with_its_name() -> None:
    text = a_file("DTSTART;VALUE=DATE:20261208\nSUMMARY:Immacolata\\, festa\n  di dicembre")
    assert dates(text) == {"2026-12-08": "Immacolata, festa di dicembre"}
    assert dates(text.replace("\n", "\r\n")) == dates("\ufeff" + text) == dates(text)


def test_files_as_calendars_on_the_web_give_them() -> None:
    text = a_file(
        "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nCLASS:PUBLIC\nTRANSP:TRANSPARENT\nSEQUENCE:0\n"
        "DESCRIPTION:Public holiday\\n folded\n BEGIN:VEVENT\nSTATUS:CONFIRMED\nSUMMARY;LANGUAGE=it:Natale\n"
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM",
        before="METHOD:PUBLISH\nX-WR-CALNAME:Festività\nX-WR-TIMEZONE:Europe/Rome\nBEGIN:VTODO\nUID:x\nEND:VTODO\n",
    )
    assert dates("\n" + text + "\n\n") == {"2026-12-25": "Natale"}


def test_an_end_is_not_of_the_event_and_a_duration_may_stand_for_it() -> None:
    assert days("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227") == ["2026-12-24", "2026-12-25", "2026-12-26"]
    assert days("DTSTART;VALUE=DATE:20261224\nDURATION:P2D") == ["2026-12-24", "2026-12-25"]
    assert days("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224") == ["2026-12-24"]
    assert days("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261220") == ["2026-12-24"]


def test_a_timed_event_is_a_holiday_on_each_date_that_the_calendars_clock_shows() -> None:
    evening = "DTSTART:20261224T150000Z\nDTEND:20261224T230000Z"
    assert days(evening) == ["2026-12-24"], "until midnight in Rome, which is not touched"
    assert days(evening, zone="Asia/Tokyo") == ["2026-12-25"]
    assert days(evening, zone="America/New_York") == ["2026-12-24"]
    assert days("DTSTART;TZID=America/New_York:20261224T200000\nDURATION:PT1H") == ["2026-12-25"]
    assert days("DTSTART:20261224T233000\nDURATION:PT1H", zone="Asia/Tokyo") == ["2026-12-24", "2026-12-25"]
    assert days("DTSTART:20261224T150000Z") == ["2026-12-24"], "an instant"


def test_zones_of_the_file_and_names_of_other_makers_are_known() -> None:
    own = (
        "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0000\n"
        "TZOFFSETTO:+1200\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    assert list(dates(a_file("DTSTART;TZID=Ours:20261225T100000", before=own))) == ["2026-12-24"]
    assert days("DTSTART;TZID=W. Europe Standard Time:20261225T003000") == ["2026-12-25"]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("DTSTART;VALUE=DATE:20001225\nRRULE:FREQ=YEARLY", ["2025-12-25", "2026-12-25", "2027-12-25"]),
        ("DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
         ["2025-11-27", "2026-11-26", "2027-11-25"]),
        ("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY", []),
        ("DTSTART;VALUE=DATE:20250526\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
         ["2025-05-26", "2026-05-25", "2027-05-31"]),
        ("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=2", ["2026-12-01", "2026-12-02"]),
        ("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;UNTIL=20261203",
         ["2026-12-01", "2026-12-02", "2026-12-03"]),
        ("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20261231T000000Z",
         ["2026-12-01", "2026-12-15", "2026-12-29"]),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20261225,20261226",
         ["2026-12-24", "2026-12-27"]),
        ("DTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20261231\nRDATE;VALUE=DATE:20270106",
         ["2026-12-24", "2026-12-31", "2027-01-06"]),
        ("DTSTART:20261224T120000Z\nRDATE;VALUE=PERIOD:20261230T120000Z/P1DT1H", ["2026-12-24", "2026-12-30",
                                                                                     "2026-12-31"]),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261225T120000Z", ["2026-12-24", "2026-12-26"]),
        ("DTSTART;TZID=Europe/Rome:20261024T003000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261024T223000Z",
         ["2026-10-24", "2026-10-26"]),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;UNTIL=20261225T120000Z", ["2026-12-24", "2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", []),
    ],
)  # fmt: skip
def test_recurring_events_are_holidays_as_often_as_they_take_place(event: str, found: list[str]) -> None:
    assert days(event, years=range(2025, 2028)) == found


def test_a_changed_occurrence_takes_the_place_of_the_ordinary_one() -> None:
    text = a_file(
        "DTSTART;VALUE=DATE:20251224\nRRULE:FREQ=YEARLY\nSUMMARY:Eve",
        "RECURRENCE-ID;VALUE=DATE:20261224\nDTSTART;VALUE=DATE:20261223\nSUMMARY:Moved",
        "RECURRENCE-ID;VALUE=DATE:20271224\nDTSTART;VALUE=DATE:20271224\nSTATUS:CANCELLED",
        uid="eve",
    )
    assert dates(text) == {"2025-12-24": "Eve", "2026-12-23": "Moved", "2028-12-24": "Eve", "2029-12-24": "Eve"}


def test_a_date_with_several_events_has_their_names() -> None:
    day = "DTSTART;VALUE=DATE:20261225\nSUMMARY:"
    assert dates(a_file(day + "Natale", day + "Christmas", day + "Natale", day)) == {"2026-12-25": "Natale, Christmas"}
    assert dates(a_file("DTSTART;VALUE=DATE:20261225")) == {"2026-12-25": ""}


def test_several_calendars_in_one_file_and_none_in_another() -> None:
    text = a_file("DTSTART;VALUE=DATE:20261225")
    assert list(dates(text + text.replace("1225", "1226"))) == ["2026-12-25", "2026-12-26"]
    assert dates("BEGIN:VCALENDAR\nEND:VCALENDAR\n") == {}


def test_what_takes_place_in_other_years_is_left_out() -> None:
    assert days("DTSTART;VALUE=DATE:20241231\nDURATION:P2D", "DTSTART;VALUE=DATE:20310101") == ["2025-01-01"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an iCal file"),
        ("<html><body>Sign in</body></html>", "not an iCal file"),
        ("2026-12-25,Christmas\n", "not an iCal file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n", "not a whole iCal file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "not"),
        ("BEGIN:VCALENDAR\nnonsense\nEND:VCALENDAR\n", "not an iCal file"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nEND:VEVENT\n" * 2_001 + "END:VCALENDAR\n", "2001 events"),
        (a_file("SUMMARY:When?"), "line 4, 'When?': an event has a DTSTART"),
        (a_file("DTSTART:tomorrow"), "line 4: DTSTART"),
        (a_file("DTSTART;VALUE=DATE:20261301"), "line 4: DTSTART"),
        (a_file("DTSTART;TZID=Mars/Olympus:20261225T100000"), "Mars/Olympus"),
        (a_file("DTSTART;VALUE=DATE:20261225\nDTEND:20261225T100000Z"), "both dates, or both times"),
        (a_file("DTSTART:20261225T100000\nDTEND:20261225T100000Z"), "both a zone, or neither"),
        (a_file("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=SOMETIMES"), "line 4: RRULE"),
        (a_file("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;INTERVAL=0"), "INTERVAL"),
        (a_file("DTSTART;VALUE=DATE:20261225\nEXRULE:FREQ=YEARLY"), "EXRULE"),
        (a_file("DTSTART:20261225T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:Tick"), "'Tick': an event that repeats more"),
        (a_file("DTSTART:20261225T000000Z\nRRULE:FREQ=HOURLY"), "more often than daily"),
        (a_file("DTSTART:20261225T000000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2"), "more often than daily"),
        (a_file("DTSTART;VALUE=DATE:20261225", "DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=DAILY"), "line 9: these"),
        (a_file("DTSTART;VALUE=DATE:20250101\nDURATION:P9000D"), "more than 2000 dates"),
        (a_file("RECURRENCE-ID;RANGE=THISANDFUTURE:20261225T000000Z\nDTSTART:20261224T000000Z"), "RANGE"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_holidays_is_refused_with_its_place(text: str, says: str) -> None:
    assert says in refused(text, years=range(2025, 2037))


def test_a_rule_that_never_comes_true_does_not_last_for_ever() -> None:
    never = "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    assert days(never) == ["2026-01-01"], "the start itself is an occurrence"
    assert "never comes true" in refused(a_file(*[never] * 20), cpu_seconds_max=0.05)


PIECES = [
    *("DTSTART", ";", ":", "=", "VALUE=DATE", "20261225", "RRULE", "FREQ", "YEARLY", "MONTHLY", "BYDAY", "5MO"),
    *("BYMONTHDAY", "-32", "COUNT", "-1", "UNTIL", "99991231", "T000000Z", "\n", "BEGIN:VEVENT\n", "END:VEVENT\n"),
    *("DURATION", "P1D", "-P5W", "RDATE", "EXDATE", ",", "BYMONTH", "13", "BYSETPOS", "367", "BYEASTER", "TZID"),
    *("Europe/Rome", "\\", '"', "DTEND", "00010101", "0"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=25))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_there_is_dates_or_is_refused(pieces: list[str]) -> None:
    for text in (a_file("".join(pieces)), a_file("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;" + "".join(pieces))):
        try:
            found = dates(text)
        except IcalRefused:
            continue
        assert all(datetime.fromisoformat(day).year in YEARS for day in found)
