"""What holidays are called, for people who read a ledger. What counts is in the configuration version: a date
that the package `holidays` does not know any more stays a holiday, without a name."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def holiday_name(definition: Mapping[str, Any], day: str) -> str | None:
    """The name of a calendar's holiday on `YYYY-MM-DD`: the events of its iCal file, else the public holiday in the
    country's own language; None when the date is one that the workspace document names itself, or is not known."""
    ical, public = definition.get("ical"), definition.get("holidays_of")
    named = (ical.get("dates") or {}).get(day) if isinstance(ical, Mapping) else None
    if named:
        return str(named)
    if not isinstance(public, Mapping) or day not in (public.get("dates") or ()):
        return None
    return _names(public["country"], public.get("subdivision"), int(day[:4])).get(day)


@lru_cache(maxsize=256)
def _names(country: str, subdivision: str | None, year: int) -> dict[str, str]:
    # Some 40 ms to load, in processes of which few ever need it.
    import holidays

    try:
        own = holidays.country_holidays(country, subdiv=subdivision).default_language
        # Without a language the package takes that of the process's environment.
        found = holidays.country_holidays(country, subdiv=subdivision, years=year, language=own)
    except NotImplementedError:
        return {}
    return {day.isoformat(): name for day, name in found.items()}
