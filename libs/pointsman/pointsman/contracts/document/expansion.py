"""What a calendar takes from elsewhere, as dates: once, when a version is made, so that every service has the same.

`holidays_of` and `ical` get their `dates`; whatever stood there is replaced.
"""

import time
from datetime import datetime
from typing import Any

import orjson

from pointsman.contracts.document.calendars import Calendar
from pointsman.contracts.document.errors import DocumentError, DocumentErrors, pointer_of
from pointsman.contracts.document.ical import CPU_SECONDS_MAX, IcalRefused, ical_dates
from pointsman.contracts.document.opening import zone_at
from pointsman.contracts.document.public_holidays import UnknownPlace, public_holidays
from pointsman.contracts.document.reading import Written
from pointsman.contracts.document.workspace import Document

YEARS_BEFORE, YEARS_AFTER = 1, 2
"""Which years of public holidays a version has, seen from the year in which it is made: clocks that run began in the
last one."""
ICAL_YEARS_AFTER = 10
"""The same of an iCal file's events: its single dates may be planned long before."""
DATES_BYTES_MAX = 1024 * 1024
"""What all dates of a document may add to it: a record of the log has room for that and the largest document."""


def expanded(written: Written, document: Document, year: int) -> Written:
    """The document as written, with the dates of its calendars. Raises `DocumentErrors` with everything that is not
    known or cannot be read."""
    calendars: dict[str, Any] = {}
    errors: list[DocumentError] = []
    bytes_left, cpu_seconds_left = DATES_BYTES_MAX, CPU_SECONDS_MAX
    for slug, calendar in document.calendars.items():
        found: dict[str, Any] = {}
        for key, work in (("holidays_of", _of_country), ("ical", _of_file)):
            if getattr(calendar, key) is None:
                continue
            began = time.thread_time()
            try:
                dates = work(calendar, document.timezone, year, cpu_seconds_left)
                bytes_left -= len(orjson.dumps(dates))
                if bytes_left < 0:
                    raise _Unknown(f"the dates of this document's calendars take more than {DATES_BYTES_MAX} bytes")
                found[key] = {**written.value["calendars"][slug][key], "dates": dates}
            except _Unknown as unknown:
                path = ("calendars", slug, key, *unknown.below)
                errors.append(DocumentError(pointer_of(path), unknown.detail, written.line_of(path)))
            if key == "ical":
                cpu_seconds_left -= time.thread_time() - began
        if found:
            calendars[slug] = {**written.value["calendars"][slug], **found}
    if errors:
        raise DocumentErrors(errors)
    if not calendars:
        return written
    plain = {**written.value, "calendars": {**written.value["calendars"], **calendars}}
    return Written(plain, written.marks, written.text)


class _Unknown(ValueError):
    """What cannot be had, and at which keys below the calendar's."""

    def __init__(self, detail: str, *below: str) -> None:
        super().__init__(detail)
        self.detail, self.below = detail, below


def _of_country(calendar: Calendar, zone: str, year: int, cpu_seconds: float) -> list[str]:
    of = calendar.holidays_of
    assert of is not None
    try:
        return public_holidays(
            of.country, of.subdivision, of.years or range(year - YEARS_BEFORE, year + YEARS_AFTER + 1)
        )
    except UnknownPlace as unknown:
        raise _Unknown(unknown.detail, unknown.key) from unknown


def _of_file(calendar: Calendar, zone: str, year: int, cpu_seconds: float) -> dict[str, str]:
    given = calendar.ical
    assert given is not None
    if given.text is None:
        if given.file is None:
            raise _Unknown("has neither `file` nor `text`")
        raise _Unknown("a file is read by `pointsman apply` and `lint`, which send its `text`", "file")

    def to_wall(at: datetime) -> datetime:
        return at.astimezone(zone_at(calendar, at, zone)).replace(tzinfo=None)

    years = range(year - YEARS_BEFORE, year + ICAL_YEARS_AFTER + 1)
    try:
        return ical_dates(given.text, to_wall, years, cpu_seconds_max=cpu_seconds)
    except IcalRefused as refused:
        raise _Unknown(str(refused), "text") from refused
