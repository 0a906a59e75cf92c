"""Until when holidays are known, and how that is moved on: by the document and the year alone."""

from datetime import date
from typing import Any

import pytest

from pointsman.contracts.document import DocumentErrors, Written, read_document
from pointsman.contracts.document.expansion import expanded
from pointsman.contracts.document.horizon import Horizon, horizons, renewed

EVERY_YEAR = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20201224
RRULE:FREQ=YEARLY
SUMMARY:Eve
END:VEVENT
END:VCALENDAR
"""


def a_version(year: int, **calendar: Any) -> dict[str, Any]:
    """A document as a version made in that year has it."""
    plain = {"workspace": "acme", "calendars": {"office": {"always": True, **calendar}, "plain": {"always": True}}}
    made: dict[str, Any] = expanded(Written(plain, None), read_document(plain), year).value
    return made


def dates_of(plain: dict[str, Any], source: str = "holidays_of") -> list[str]:
    return sorted(plain["calendars"]["office"][source]["dates"])


def test_the_horizon_is_moved_on_every_year_and_never_ends() -> None:
    version = a_version(2026, holidays_of={"country": "IT"})
    assert horizons(read_document(version), 2026) == [Horizon("office", date(2028, 12, 31), True)]
    for year in range(2027, 2060):
        again = renewed(version, year)
        assert again is not None, year
        assert again == a_version(year, holidays_of={"country": "IT"}), "as if it were written anew"
        assert dates_of(again)[-1] == f"{year + 2}-12-26"
        assert renewed(again, year) is None
        version = again


def test_the_same_document_and_year_give_the_same_dates() -> None:
    version = a_version(2026, holidays_of={"country": "DE", "subdivision": "BY"})
    assert renewed(version, 2027) == renewed(version, 2027) != renewed(version, 2028)


def test_years_that_were_missed_are_made_up_for_at_once() -> None:
    again = renewed(a_version(2026, holidays_of={"country": "IT"}), 2040)
    assert again is not None
    assert (dates_of(again)[0][:4], dates_of(again)[-1][:4]) == ("2039", "2042")


def test_named_years_are_what_the_author_wanted_and_no_more() -> None:
    version = a_version(2026, holidays_of={"country": "IT", "years": [2026, 2027]})
    assert horizons(read_document(version), 2026) == [Horizon("office", date(2027, 12, 31), False)]
    assert renewed(version, 2035) is None


def test_recurring_events_of_a_file_are_moved_on_too_and_single_ones_are_not() -> None:
    version = a_version(2026, ical={"text": EVERY_YEAR})
    assert dates_of(version, "ical")[-1] == "2036-12-24"
    again = renewed(version, 2027)
    assert again is not None
    assert dates_of(again, "ical")[-1] == "2037-12-24"
    assert renewed(a_version(2026, ical={"text": EVERY_YEAR.replace("RRULE:FREQ=YEARLY\n", "")}), 2027) is None


def test_an_earlier_year_takes_nothing_back() -> None:
    assert renewed(a_version(2027, holidays_of={"country": "IT"}), 2026) is None


def test_a_document_that_is_not_valid_any_more_says_why() -> None:
    version = a_version(2026, holidays_of={"country": "IT"})
    version["calendars"]["office"]["holidays_of"]["country"] = "XX"
    with pytest.raises(DocumentErrors, match="XX is no country"):
        renewed(version, 2027)


def test_calendars_that_say_nothing_have_no_horizon() -> None:
    for plain in ({"workspace": "acme"}, {"workspace": "acme", "calendars": {}}):
        assert renewed(plain, 2030) is None
        assert horizons(read_document(plain), 2030) == []
