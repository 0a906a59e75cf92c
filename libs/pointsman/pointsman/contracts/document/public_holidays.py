"""The public holidays of a country or a part of it, as dates. The package `holidays` knows them. Pure: the years come
in."""

from collections.abc import Iterable


class UnknownPlace(ValueError):
    """Nobody knows the holidays of this country or subdivision; `key` says which of the two."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(detail)
        self.key, self.detail = key, detail


def public_holidays(country: str, subdivision: str | None, years: Iterable[int]) -> list[str]:
    """`YYYY-MM-DD` of each day, in order; `country` by ISO 3166-1. Raises `UnknownPlace`."""
    # Some 40 ms to load, in processes of which few ever need it.
    import holidays

    known = holidays.list_supported_countries()
    if country not in known:
        raise UnknownPlace("country", f"{country} is no country whose public holidays are known")
    if subdivision is not None and subdivision not in known[country]:
        has = ", ".join(known[country]) or "none"
        raise UnknownPlace("subdivision", f"{country} has no subdivision {subdivision}: {has}")
    found = holidays.country_holidays(country, subdiv=subdivision, years=years)
    return [day.isoformat() for day in sorted(found)]
