"""What public holidays are called, for people who read a ledger. What counts is in the configuration version: a date
that the package `holidays` does not know any more stays a holiday, without a name."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def holiday_name(definition: Mapping[str, Any], day: str) -> str | None:
    """The name of a calendar's public holiday on `YYYY-MM-DD`, in the country's own language; None when the date is one
    that the workspace document names itself, or is not known."""
    public = definition.get("holidays_of")
    if not isinstance(public, Mapping) or day not in (public.get("dates") or ()):
        return None
    return _names(public["country"], public.get("subdivision"), int(day[:4])).get(day)


@lru_cache(maxsize=256)
def _names(country: str, subdivision: str | None, year: int) -> dict[str, str]:
    # Some 40 ms to load, in processes of which few ever need it.
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    except NotImplementedError:
        return {}
    return {day.isoformat(): name for day, name in found.items()}
