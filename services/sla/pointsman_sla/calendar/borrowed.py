"""Public holidays and iCal files of a calendar that no version of a document has made dates of: worked cases, and
definitions that come with a question. The same dates as a version has, of the years that are asked about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pointsman.contracts.document import DocumentErrors, read_document
from pointsman.contracts.document.calendars import Country
from pointsman.contracts.document.errors import DocumentError
from pointsman.contracts.document.ical import IcalRefused, ical_dates
from pointsman.contracts.document.parts import ICAL_CHARACTERS_MAX
from pointsman.contracts.document.public_holidays import UnknownPlace, public_holidays
from pointsman.core.zones import UnknownZone, zone_of
from pointsman_sla.calendar.compiled import FIRST_YEAR
from pointsman_sla.calendar.week import CalendarError

YEARS_MAX = 50
"""Of so many years at most; a question about more is one about a document's own dates."""


def with_dates(definition: Mapping[str, Any], first: int, last: int) -> Mapping[str, Any]:
    """The definition with the `dates` of its `holidays_of` and `ical` where it has none, of the years from the one
    before `first` to the tenth after `last`. Raises `CalendarError`."""
    begin = max(FIRST_YEAR, first - 1)
    years = range(begin, max(begin, min(last + 10, first + YEARS_MAX)) + 1)
    found = dict(definition)
    for key, dates_of in (("holidays_of", _of_country), ("ical", _of_file)):
        given = definition.get(key)
        if given is None:
            continue
        if not isinstance(given, Mapping):
            raise CalendarError(f"/{key}: not an object")
        if "dates" not in given:
            found[key] = {**given, "dates": dates_of(given, definition, years)}
    return found


def inline_errors(definition: Mapping[str, Any]) -> list[DocumentError]:
    """Every mistake that a workspace document with this calendar would be refused for; pointers begin in it."""
    inside = "/calendars/inline"
    try:
        read_document({"workspace": "inline", "calendars": {"inline": definition}})
    except DocumentErrors as refused:
        return [replace(error, pointer=error.pointer.removeprefix(inside)) for error in refused.errors]
    return []


def _of_country(given: Mapping[str, Any], definition: Mapping[str, Any], years: range) -> list[str]:
    try:
        of = Country.model_validate(given)
        return public_holidays(of.country, of.subdivision, of.years or years)
    except ValidationError as refused:
        problem = refused.errors()[0]
        raise CalendarError(f"/holidays_of/{'/'.join(map(str, problem['loc']))}: {problem['msg']}") from refused
    except UnknownPlace as unknown:
        raise CalendarError(f"/holidays_of/{unknown.key}: {unknown.detail}") from unknown


def _of_file(given: Mapping[str, Any], definition: Mapping[str, Any], years: range) -> dict[str, str]:
    text = given.get("text")
    if not isinstance(text, str) or len(text) > ICAL_CHARACTERS_MAX:
        raise CalendarError(f"/ical/text: the text of the file is needed, at most {ICAL_CHARACTERS_MAX} characters")
    try:
        zone: ZoneInfo = zone_of(str(definition.get("tz") or "UTC"))
    except UnknownZone as error:
        raise CalendarError(f"/tz: {error}") from error

    def to_wall(at: datetime) -> datetime:
        return at.astimezone(zone).replace(tzinfo=None)

    try:
        return ical_dates(text, to_wall, years)
    except IcalRefused as refused:
        raise CalendarError(f"/ical/text: {refused}") from refused
