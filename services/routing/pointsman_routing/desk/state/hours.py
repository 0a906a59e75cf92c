"""A queue's hours: its calendar, asked at most once for each time that it opens or shuts."""

from __future__ import annotations

from pointsman.contracts.document import Calendar, Document, is_open, next_change
from pointsman.core.instant import Instant


class Hours:
    """The answers for the stretch asked for last are kept; they only depend on the calendar."""

    __slots__ = ("_calendar", "_open", "_since", "_until", "_zone")

    def __init__(self, calendar: Calendar, workspace_zone: str) -> None:
        self._calendar, self._zone = calendar, workspace_zone
        self._since: Instant | None = None
        self._until: Instant | None = None
        self._open = False

    def at(self, at: Instant) -> tuple[bool, Instant | None]:
        """Whether the queue is open then, and when that changes; None when it never does."""
        since, until = self._since, self._until
        if since is None or at < since or (until is not None and at >= until):
            self._since = at
            self._open = is_open(self._calendar, at, workspace_zone=self._zone)
            self._until = next_change(self._calendar, at, workspace_zone=self._zone)
        return self._open, self._until


def hours_of(document: Document) -> dict[str, Hours]:
    """The hours of the queues that have some; queues of one calendar share them."""
    hours = {name: Hours(calendar, document.timezone) for name, calendar in document.calendars.items()}
    return {slug: hours[queue.hours] for slug, queue in document.queues.items() if queue.hours is not None}
