"""`holidays_of` of a calendar as dates: looked up once, when a version is made, so that every service has the same.

The package `holidays` knows them by country (ISO 3166-1) and subdivision. Pure: the year comes in.
"""

from typing import Any

from pointsman.contracts.document import Document
from pointsman.contracts.document.calendars import Country

YEARS_BEFORE, YEARS_AFTER = 1, 2
"""Which years a version has, seen from the year in which it is made: clocks that run began in the last one."""


class UnknownHolidays(ValueError):
    """Nobody knows the holidays of this country or subdivision. `path` is where the document names it."""

    def __init__(self, path: tuple[str, ...], detail: str) -> None:
        super().__init__(detail)
        self.path, self.detail = path, detail


def expanded(plain: dict[str, Any], document: Document, year: int) -> dict[str, Any]:
    """The plain document with the dates of its calendars' public holidays. Raises `UnknownHolidays`."""
    calendars = dict(plain["calendars"])
    for slug, calendar in document.calendars.items():
        if calendar.holidays_of is not None:
            dates = public_holidays(slug, calendar.holidays_of, year)
            written = calendars[slug]
            calendars[slug] = {**written, "holidays_of": {**written["holidays_of"], "dates": dates}}
    return {**plain, "calendars": calendars}


def public_holidays(calendar: str, of: Country, year: int) -> list[str]:
    """`YYYY-MM-DD` of each day, in order. Raises `UnknownHolidays`."""
    # Some 40 ms to load, in processes of which few ever need it.
    import holidays

    where = ("calendars", calendar, "holidays_of")
    known = holidays.list_supported_countries()
    if of.country not in known:
        raise UnknownHolidays((*where, "country"), f"{of.country} is no country whose public holidays are known")
    if of.subdivision is not None and of.subdivision not in known[of.country]:
        has = ", ".join(known[of.country]) or "none"
        raise UnknownHolidays((*where, "subdivision"), f"{of.country} has no subdivision {of.subdivision}: {has}")
    years = of.years or range(year - YEARS_BEFORE, year + YEARS_AFTER + 1)
    found = holidays.country_holidays(of.country, subdiv=of.subdivision, years=years)
    return [day.isoformat() for day in sorted(found)]
