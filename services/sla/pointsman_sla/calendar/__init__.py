"""Business calendars: which instants count, and the arithmetic on them.

`week` reads a calendar's definition, `offsets` knows a zone's offsets from UTC, `compiled` holds the prefix sums and
answers `due`, `elapsed`, `subtract` and `overlap`, `evaluate` runs files of worked cases. Pure, but for the zone data.
"""

from pointsman_sla.calendar.compiled import Calendar, OutOfReach, compile_calendar
from pointsman_sla.calendar.week import CalendarError

__all__ = ["Calendar", "CalendarError", "OutOfReach", "compile_calendar"]
