"""What a calendar takes from elsewhere becomes dates, once a version."""

from typing import Any

import pytest

from pointsman.contracts.document import DocumentErrors, Written, expansion, read_document, read_plain
from pointsman.contracts.document.expansion import expanded
from pointsman.contracts.document.public_holidays import UnknownPlace, public_holidays
from tests.unit.document.documents import a_document

CLOSED = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20201224
RRULE:FREQ=YEARLY
SUMMARY:Christmas Eve
END:VEVENT
END:VCALENDAR
"""


def calendars(year: int = 2026, **written: Any) -> dict[str, Any]:
    plain = a_document(calendars=written)
    found: dict[str, Any] = expanded(Written(plain, None), read_document(plain), year).value["calendars"]
    return found


def refused(text: str) -> list[tuple[str, int | None, str]]:
    written = read_plain(text)
    with pytest.raises(DocumentErrors) as errors:
        expanded(written, read_document(written), 2026)
    return [(error.pointer, error.line, error.detail) for error in errors.value.errors]


def test_a_version_has_the_public_holidays_of_the_last_year_to_the_second_after_this_one() -> None:
    days = calendars(office={"always": True, "holidays_of": {"country": "IT"}})["office"]["holidays_of"]["dates"]
    assert (days[0], days[-1]) == ("2025-01-01", "2028-12-26")
    assert "2026-12-08" in days
    assert days == sorted(set(days))


def test_the_years_may_be_named() -> None:
    public = {"country": "IT", "years": [2031]}
    days = calendars(office={"always": True, "holidays_of": public})["office"]["holidays_of"]["dates"]
    assert {day[:4] for day in days} == {"2031"}


def test_a_subdivision_has_days_of_its_own() -> None:
    germany, bavaria = public_holidays("DE", None, [2026]), public_holidays("DE", "BY", [2026])
    assert set(bavaria) - set(germany) >= {"2026-01-06", "2026-11-01"}


@pytest.mark.parametrize(("place", "key"), [(("XX", None), "country"), (("IT", "BY"), "subdivision")])
def test_what_nobody_knows_is_named(place: tuple[str, str | None], key: str) -> None:
    with pytest.raises(UnknownPlace) as refused:
        public_holidays(*place, [2026])
    assert refused.value.key == key


def test_a_version_has_the_events_of_an_ical_file_to_the_tenth_year_after_this_one() -> None:
    dates = calendars(office={"always": True, "ical": {"text": CLOSED}})["office"]["ical"]["dates"]
    assert dates == {f"{year}-12-24": "Christmas Eve" for year in range(2025, 2037)}


def test_both_may_be_there_and_what_was_written_as_dates_is_replaced() -> None:
    written = {
        "always": True,
        "holidays_of": {"country": "IT", "years": [2026], "dates": ["2026-07-07"]},
        "ical": {"text": CLOSED, "dates": {"2026-07-07": "Nothing"}},
    }
    found = calendars(office=written, always={"always": True})
    assert "2026-07-07" not in found["office"]["holidays_of"]["dates"]
    assert "2026-07-07" not in found["office"]["ical"]["dates"]
    assert found["office"]["ical"]["text"] == CLOSED
    assert found["always"] == {"always": True}
    assert "2026-07-07" in written["holidays_of"]["dates"], "nothing changes in place"  # type: ignore[index]


def test_a_document_without_such_calendars_stays_as_it_is() -> None:
    written = Written(a_document(calendars={"always": {"always": True}}), None)
    assert expanded(written, read_document(written), 2026) is written


def test_every_mistake_is_told_with_its_key_and_line() -> None:
    errors = refused(
        "workspace: acme\ncalendars:\n  a:\n    always: true\n    holidays_of:\n      country: XX\n"
        "  b: {always: true,\n    holidays_of: {country: DE, subdivision: XX}}\n"
        "  c: {always: true, ical: {}}\n  d:\n    always: true\n    ical: {file: it.ics}\n"
        "  e:\n    always: true\n    ical:\n      text: nothing\n"
    )
    assert [(pointer, line) for pointer, line, _ in errors] == [
        ("/calendars/a/holidays_of/country", 6),
        ("/calendars/b/holidays_of/subdivision", 8),
        ("/calendars/c/ical", 9),
        ("/calendars/d/ical/file", 12),
        ("/calendars/e/ical/text", 16),
    ]
    assert "not an iCal file" in errors[-1][2]


def test_the_dates_of_all_calendars_together_have_a_limit() -> None:
    text = CLOSED.replace("FREQ=YEARLY", "FREQ=DAILY;COUNT=1500").replace("20201224", "20250101")
    office = {"always": True, "ical": {"text": text.replace("Christmas Eve", "x" * 190)}}
    many: dict[str, Any] = {f"c{number}": office for number in range(5)}
    with pytest.raises(DocumentErrors) as errors:
        calendars(**many)
    assert [error.pointer for error in errors.value.errors] == ["/calendars/c3/ical", "/calendars/c4/ical"]
    assert "1048576 bytes" in errors.value.errors[0].detail


def test_the_time_for_all_files_together_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "CPU_SECONDS_MAX", 0.2)
    text = CLOSED.replace("RRULE:FREQ=YEARLY", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    many: dict[str, Any] = {f"c{number}": {"always": True, "ical": {"text": text}} for number in range(9)}
    with pytest.raises(DocumentErrors) as errors:
        calendars(**many)
    assert errors.value.errors[-1].pointer == "/calendars/c8/ical/text"
    told = [error.detail for error in errors.value.errors]
    assert "take too long" in told[0]
    assert "the files before it" in told[-1]
