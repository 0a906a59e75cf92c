"""Calendars whose holidays end."""

from collections.abc import Iterator

from pointsman_routing.lint.finding import Finding
from pointsman_routing.lint.view import DocumentView


def holidays_end(view: DocumentView) -> Iterator[Finding]:
    """Public holidays of named years: after the last one every day is a working day, and nothing moves that on."""
    for slug, calendar in view.document.calendars.items():
        of = calendar.holidays_of
        if of is not None and of.years:
            last = max(of.years)
            yield Finding(
                "holidays-end",
                "warning",
                ("calendars", slug, "holidays_of", "years"),
                f"{slug} has the public holidays of {of.country} until {last}-12-31 and none after: from {last + 1} on "
                "every one of them is counted as a working day.",
                "Leave `years` out: then the dates of further years are added by themselves.",
            )
