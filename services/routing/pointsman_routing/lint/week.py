"""A calendar's ordinary week as a whole number with a bit for each quarter of an hour, from Monday 00:00 on, in the
workspace's zone. Holidays, special days and later changes are left out: a week like most."""

from datetime import datetime, timedelta

from pointsman.contracts.document import Calendar, Document, is_open
from pointsman.core.zones import zone_of

QUARTERS = 7 * 24 * 4
EVERY_HOUR = (1 << QUARTERS) - 1
_MONDAY = (2026, 1, 12)
"""Of a week without a change of the clock in any zone that has one."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_known: dict[tuple[str, str], int] = {}
KNOWN_MAX = 1_000


def week_of(calendar: Calendar, document: Document) -> int:
    """The quarter hours in which the calendar is open."""
    ordinary = calendar.model_copy(update={"holidays": (), "holidays_of": None, "ical": None, "days": {}, "from_": {}})
    key = (ordinary.model_dump_json(), document.timezone)
    week = _known.get(key)
    if week is None:
        if len(_known) >= KNOWN_MAX:
            _known.clear()
        begin = datetime(*_MONDAY, tzinfo=zone_of(document.timezone))
        week = _known[key] = sum(
            1 << quarter
            for quarter in range(QUARTERS)
            if is_open(ordinary, begin + timedelta(minutes=15 * quarter), workspace_zone=document.timezone)
        )
    return week


def first_span(week: int) -> str:
    """The first run of quarter hours, for people: `Monday 09:00–13:00`."""
    start = (week & -week).bit_length() - 1
    end = start
    while end < QUARTERS and week >> end & 1:
        end += 1
    day, begins = divmod(start, 96)
    days_later, ends = divmod(end - day * 96, 96)
    until = f"{_DAYS[(day + days_later) % 7]} {_clock(ends)}" if days_later else _clock(ends)
    return f"{_DAYS[day]} {_clock(begins)}–{until}"


def _clock(quarters: int) -> str:
    return f"{quarters // 4:02}:{quarters % 4 * 15:02}"
