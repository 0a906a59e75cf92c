"""The proof of a clock: its whole life as intervals, each counted or not and why, with running sums.

**What it is made of.** A clock's segments are its history: what the ticket's facts made of it, each with the calendar
and the configuration version in which it counts, or with the words for why it stands still. The ledger is computed
from them when asked for; nothing is stored for it, and it changes nothing.

**Intervals** follow one another without a gap from the clock's start to its end (or to the instant asked for).

| reason | business time | calendar time |
|---|---|---|
| `counted`: the clock runs and its calendar is open | all of it | all of it |
| `outside hours`, `holiday`, `special day`: it runs, the calendar is shut | none | all of it |
| in words, as `pending on the customer`, `snoozed`, `resolved`: the clock stands still | none | none |
| `earlier`: what lies before the newest `INTERVALS_MAX` intervals, in one | what it sums to | what it sums to |

A shut calendar is shut for a `holiday` or a `special day` (an entry of `days`) on the whole of that date in its zone,
also at hours at which it never opens, and in the shift that would have opened on that date and gone on into the next;
for all other time it is shut because of its week. `day` is the date, `name` what the public holiday is called.

**The sums** are exact, in microseconds, and the last ones are the clock's: the intervals are found from the calendar's
spans, one by one, the clock by its prefix sums.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pointsman_sla.calendar import Calendar
from pointsman_sla.clocks.model import Clock, Segment
from pointsman_sla.clocks.points import Calendars

COUNTED = "counted"
OUTSIDE_HOURS = "outside hours"
EARLIER = "earlier"

INTERVALS_MAX = 5_000
"""Of how many intervals a clock's ledger consists: some ten years of office hours."""

Names = Callable[[str, int, str], str | None]
"""What the public holiday is called that a calendar (by name and version) has on a date; None when it has no name."""


@dataclass(frozen=True, slots=True)
class Interval:
    """[start, end) of a clock's life. `business` and `plain` are what it adds, the sums what there is at its end."""

    start: int
    end: int
    reason: str
    calendar: str
    version: int
    day: str | None = None
    name: str | None = None
    business: int = 0
    plain: int = 0
    business_sum: int = 0
    plain_sum: int = 0


def ledger(
    clock: Clock, until: int, calendars: Calendars, names: Names, intervals_max: int = INTERVALS_MAX
) -> list[Interval]:
    """The intervals of a clock up to an instant, or to its end if that comes before; see the module."""
    if clock.ended_at is not None:
        until = min(until, clock.ended_at)
    business = plain = 0
    lines: list[Interval] = []
    for segment in clock.segments:
        end = until if segment.end is None else min(segment.end, until)
        if segment.start >= end:
            continue
        for line in _lines(segment, end, calendars, names):
            business += line.business
            plain += line.plain
            lines.append(replace(line, business_sum=business, plain_sum=plain))
    return _folded(lines, intervals_max)


def _lines(segment: Segment, end: int, calendars: Calendars, names: Names) -> Iterator[Interval]:
    """The intervals of one segment, without sums."""
    blank = Interval(segment.start, end, segment.why or COUNTED, segment.calendar, segment.version)
    if segment.why is not None:
        yield blank
        return
    calendar = calendars(segment.calendar, segment.version)
    at = segment.start
    for opens, closes in (*calendar.spans(segment.start, end), (end, end)):
        for begins, ends, reason, day in _shut(calendar, at, opens):
            name = names(segment.calendar, segment.version, day) if day is not None and reason == "holiday" else None
            yield replace(blank, start=begins, end=ends, reason=reason, day=day, name=name, plain=ends - begins)
        if opens < closes:
            yield replace(blank, start=opens, end=closes, business=closes - opens, plain=closes - opens)
        at = closes


def _shut(calendar: Calendar, start: int, end: int) -> list[tuple[int, int, str, str | None]]:
    """Why the calendar is shut in [start, end), in which it never opens: each part as (begins, ends, reason, date)."""
    if start >= end:
        return []
    parts: list[tuple[int, int, str, str | None]] = []
    at = start
    for begins, ends, reason, day in (*calendar.unusual(start, end), (end, end, OUTSIDE_HOURS, None)):
        if at < begins:
            parts.append((at, begins, OUTSIDE_HOURS, None))
        if begins < ends:
            if parts and parts[-1][1:] == (begins, reason, day):
                parts[-1] = (parts[-1][0], ends, reason, day)
            else:
                parts.append((begins, ends, reason, day))
        at = ends
    return parts


def _folded(lines: list[Interval], intervals_max: int) -> list[Interval]:
    """At most so many lines: the earliest are joined in one, whose sums are theirs."""
    surplus = len(lines) - intervals_max
    if surplus <= 0:
        return lines
    last = lines[surplus]
    first = replace(
        last,
        start=lines[0].start,
        reason=EARLIER,
        day=None,
        name=None,
        business=last.business_sum,
        plain=last.plain_sum,
    )
    return [first, *lines[surplus + 1 :]]
