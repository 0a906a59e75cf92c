"""Public holidays of a country, once a version."""

from typing import Any

import pytest

from pointsman.contracts.document import read_document
from pointsman.contracts.document.calendars import Country
from pointsman_routing.public_holidays import UnknownHolidays, expanded, public_holidays


def test_a_version_has_the_days_of_the_last_year_to_the_second_after_this_one() -> None:
    days = public_holidays("office", Country(country="IT"), 2026)
    assert (days[0], days[-1]) == ("2025-01-01", "2028-12-26")
    assert "2026-12-08" in days
    assert days == sorted(set(days))


def test_a_subdivision_has_days_of_its_own() -> None:
    germany = public_holidays("office", Country(country="DE", years=(2026,)), 2030)
    bavaria = public_holidays("office", Country(country="DE", subdivision="BY", years=(2026,)), 2030)
    assert set(bavaria) - set(germany) >= {"2026-01-06", "2026-11-01"}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (Country(country="XX"), ("calendars", "office", "holidays_of", "country")),
        (Country(country="IT", subdivision="BY"), ("calendars", "office", "holidays_of", "subdivision")),
    ],
)
def test_what_nobody_knows_is_named_by_its_place(given: Country, path: tuple[str, ...]) -> None:
    with pytest.raises(UnknownHolidays) as refused:
        public_holidays("office", given, 2026)
    assert refused.value.path == path


def test_only_calendars_that_ask_for_them_get_dates() -> None:
    public = {"country": "IT", "years": [2026]}
    plain: dict[str, Any] = {
        "workspace": "acme",
        "calendars": {"office": {"always": True, "holidays_of": public}, "always": {"always": True}},
    }
    calendars = expanded(plain, read_document(plain), 2026)["calendars"]
    assert len(calendars["office"]["holidays_of"]["dates"]) > 10
    assert calendars["always"] == {"always": True}
    assert "dates" not in public
