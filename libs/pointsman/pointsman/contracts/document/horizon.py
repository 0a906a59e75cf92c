"""Until when a version knows the days that its calendars take from elsewhere.

Public holidays and recurring events go on for ever, the dates of a version end. A later year's version has the dates of
further years (`renewed`): the same document and year always give the same dates.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pointsman.contracts.document.expansion import YEARS_AFTER, expanded
from pointsman.contracts.document.reading import Written, read_document
from pointsman.contracts.document.workspace import Document

Source = Literal["holidays_of", "ical"]


@dataclass(frozen=True, slots=True)
class Horizon:
    """After `until` a calendar has no public holidays. `renews`: it is moved on every year; not where `years` are
    named, which are what the author wanted and no more."""

    calendar: str
    until: date
    renews: bool

    def plain(self) -> dict[str, Any]:
        """As `lint --json` and `POST /config:check` have it."""
        pointer = f"/calendars/{self.calendar}/holidays_of"
        return {"pointer": pointer, "until": self.until.isoformat(), "renews": self.renews}


def horizons(document: Document, year: int) -> list[Horizon]:
    """The horizon of each calendar with public holidays: of the dates that are in the document; where there are none
    yet, of those that a version made in `year` would have."""
    found = []
    for slug, calendar in document.calendars.items():
        of = calendar.holidays_of
        if of is None:
            continue
        known = [int(day[:4]) for day in of.dates]
        last = max(of.years) if of.years else max(known, default=year + YEARS_AFTER)
        found.append(Horizon(slug, date(last, 12, 31), not of.years))
    return found


def as_written(document: Document) -> Document:
    """The document without the dates of its public holidays: those that stand in a file are replaced when it is put."""
    bare = {
        slug: calendar.model_copy(update={"holidays_of": calendar.holidays_of.model_copy(update={"dates": ()})})
        for slug, calendar in document.calendars.items()
        if calendar.holidays_of is not None
    }
    return document.model_copy(update={"calendars": {**document.calendars, **bare}})


def renewed(plain: dict[str, Any], year: int) -> dict[str, Any] | None:
    """The document as a version made in `year` would have it, when some calendar then has later dates than it has now;
    else None. Raises `DocumentErrors`."""
    document = read_document(plain)
    again = expanded(Written(plain, None), document, year).value
    moved = any(
        _last(again["calendars"][slug], source) > _last(plain["calendars"][slug], source)
        for slug in document.calendars
        for source in ("holidays_of", "ical")
        if source in (again["calendars"][slug] or {})
    )
    return again if moved else None


def _last(calendar: dict[str, Any] | None, source: str) -> str:
    return max(((calendar or {}).get(source) or {}).get("dates") or (), default="")
